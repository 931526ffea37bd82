/** `isolate judge` of an ordinary user, whose boxes the service makes. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "isolate/cli/commands.ts";
import { STEERING } from "isolate/cli/steering_table.ts";
import { withFolder } from "../support/folder.ts";
import {
  CLIENT,
  type CommandOptions,
  type CommandResult,
  DIRECT,
  eventually,
  processesOf,
  start,
} from "../support/isolate.ts";
import { WITHOUT_USER_NAMESPACES } from "../support/ordinary_user.ts";
import { startService, type TestService } from "../support/service.ts";

const UID = 61234;
const OTHER_UID = 61235;
const FIRST_USER = 62000;
const FIRST_BOX = 40;
const GRANT = `service_user.${UID} = ${FIRST_BOX}-49`;
const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const HELLO = "read n\necho $((n * 2))\n";

/** Another user, who may read everything: the project may lie where only root can go. */
const as = (uid: number) => [
  ...["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"],
  ...["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
];

interface Surroundings {
  readonly service: TestService;
  readonly folder: string;
}

async function withUser(test: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  await using service = await startService([GRANT], { firstUser: FIRST_USER });
  await withFolder(async (folder) => {
    await Deno.chown(folder, UID, UID);
    await test({ service, folder });
  });
}

function optionsOf({ service, folder }: Surroundings, uid = UID): CommandOptions {
  // Without a service the command makes boxes by itself, where it can.
  const isServed = !["off", "/none"].includes(service.socket);
  return {
    through: isServed ? as(uid) : [...WITHOUT_USER_NAMESPACES, ...as(uid)],
    clearEnv: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: folder, ISOLATE_SERVICE: service.socket },
  };
}

async function judgeAs(
  surroundings: Surroundings,
  args: readonly string[],
  uid = UID,
): Promise<CommandResult> {
  return await start([...DIRECT, "judge", ...args], optionsOf(surroundings, uid)).result;
}

/** A task whose submissions may be anything in the shell. */
async function writeTask(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/task/tests`, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/task/task.yaml`,
    "title: Twice\nlimits: {time: 1s, memory: 64MiB, output: 1MiB}\n",
  );
  for (
    const [name, text] of [["1.in", "1\n"], ["1.ans", "2\n"], ["2.in", "21\n"], ["2.ans", "42\n"]]
  ) {
    await Deno.writeTextFile(`${folder}/task/tests/${name}`, text!);
  }
}

async function writeSubmission(folder: string, name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

/** A report without what differs from one run to the next. */
function withoutTimes(report: string): unknown {
  const changing = /time|memory|Ms$|Kib$|Switches$|seconds|cached|date|startedAt|version/i;
  return JSON.parse(report, (key, value) => {
    // Whether a program ends by itself when its interactor has, or is stopped then, is chance.
    if (key === "outcome" && value.kind === "interrupted") {
      return { kind: "exit", exitCode: 0, usage: value.usage };
    }
    return changing.test(key) ? undefined : value;
  });
}

Deno.test("an ordinary user's report is the same as root's", () =>
  withUser(async (surroundings) => {
    const { folder } = surroundings;
    await writeTask(folder);
    const own = await Promise.all([
      writeSubmission(folder, "good.sh", HELLO),
      writeSubmission(folder, "bad.sh", "echo 2\n"),
      writeSubmission(folder, "slow.sh", "while :; do :; done\n"),
      writeSubmission(
        folder,
        "chatty.sh",
        "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done\n",
      ),
      writeSubmission(folder, "crash.sh", "echo oops >&2; kill -SEGV $$\n"),
      writeSubmission(folder, "greedy.py", "x = b'x' * (1 << 28)\n"),
      writeSubmission(folder, "wrong.c", "int main() { return x; }\n"),
    ]);
    const packages: [string, string[]][] = [
      [`${folder}/task`, own],
      [`${EXAMPLES}guess`, [
        "accepted/halves.cpp",
        "wrong_answer/outside.cpp",
        "run_time_error/exits.py",
      ]],
      [`${EXAMPLES}primesum`, ["accepted/smallest.cpp", "wrong_answer/halves.py"]],
    ];
    for (const [directory, submissions] of packages) {
      const paths = submissions.map((path) =>
        path.startsWith("/") ? path : `${directory}/submissions/${path}`
      );
      const args = ["--json", "--no-cache", "--transcript", "-j2", directory, ...paths];
      const theirs = await judgeAs(surroundings, args);
      const roots = await start([...DIRECT, "judge", "--box-ids=960-979", ...args]).result;
      assertEquals(theirs.code, roots.code, theirs.stderr);
      assertEquals(withoutTimes(theirs.stdout), withoutTimes(roots.stdout));
    }
    // Nothing is left but what the user keeps.
    const left = [
      ...Deno.readDirSync(`${surroundings.service.socket.replace(/socket$/, "boxes")}`),
    ];
    assertEquals(left, []);
  }));

Deno.test("who has no service or no boxes is told so in one sentence", () =>
  withUser(async (surroundings) => {
    const { folder } = surroundings;
    await writeTask(folder);
    const submission = await writeSubmission(folder, "good.sh", HELLO);
    const args = [`${folder}/task`, submission];
    const cases: [CommandResult, RegExp][] = [
      [
        await judgeAs(surroundings, ["--box-ids=3-5", ...args]),
        /^User 61234 may not use box 3, only 40-49\n$/,
      ],
      [
        await judgeAs(surroundings, args, OTHER_UID),
        /^isolate judge needs root, or a running service \(isolate serve\): User 61235 may not use boxes: .*\n$/,
      ],
      [
        await judgeAs(
          { ...surroundings, service: { ...surroundings.service, socket: "/none" } },
          args,
        ),
        /^isolate judge needs root, or a running service \(isolate serve\): No isolate service is running at \/none: .*; Must be .*\n$/,
      ],
      [
        await judgeAs(
          { ...surroundings, service: { ...surroundings.service, socket: "off" } },
          args,
        ),
        /^isolate judge needs root, or a running service \(isolate serve\): ISOLATE_SERVICE is off; Must be .* chroot.*\n$/,
      ],
      [
        await judgeAs(surroundings, ["--config=/etc/hostname", ...args]),
        /^Option --config can be used only by root: /,
      ],
    ];
    for (const [{ code, stdout, stderr }, sentence] of cases) {
      assertEquals([code, stdout], [2, ""]);
      assertMatch(stderr, sentence);
    }
  }));

Deno.test("a box that the user has made is left alone, one of a judge that was killed is used again", () =>
  withUser(async (surroundings) => {
    const { folder, service } = surroundings;
    await writeTask(folder);
    const asUser = (...args: string[]) => start([CLIENT, ...args], optionsOf(surroundings)).result;
    const box = (await asUser(`-b${FIRST_BOX}`, "--init")).stdout.trim();
    await Deno.writeTextFile(`${box}/box/mine`, "x");
    const sleeper = await writeSubmission(folder, "sleeper.sh", "sleep 1000\n");
    const args = ["-j1", `--box-ids=${FIRST_BOX}-${FIRST_BOX + 1}`, `${folder}/task`];
    const killed = start([...DIRECT, "judge", ...args, sleeper], optionsOf(surroundings));
    const user = FIRST_USER + FIRST_BOX + 1;
    await eventually("it runs", async () => (await processesOf(user)).length > 0);
    killed.kill("SIGKILL");
    await killed.result;
    await eventually("it dies", async () => (await processesOf(user)).length === 0);
    const good = await writeSubmission(folder, "good.sh", HELLO);
    const { code, stderr } = await judgeAs(surroundings, [...args, good]);
    assertEquals(code, 0, stderr);
    assertEquals(await Deno.readTextFile(`${box}/box/mine`), "x");
    assertEquals([...Deno.readDirSync(service.socket.replace(/socket$/, "boxes"))].length, 1);
    await asUser(`-b${FIRST_BOX}`, "--cleanup");
  }));

Deno.test("Ctrl-C ends the judge, its boxes, and reports what is known", () =>
  withUser(async (surroundings) => {
    const { folder } = surroundings;
    await writeTask(folder);
    const sleeper = await writeSubmission(folder, "sleeper.sh", "sleep 1000\n");
    const args = ["judge", "-j1", `${folder}/task`, sleeper];
    const judging = start([...DIRECT, ...args], optionsOf(surroundings));
    await eventually("it runs", async () => (await processesOf(FIRST_USER + FIRST_BOX)).length > 0);
    judging.kill("SIGINT");
    const { code, stdout } = await judging.result;
    assertEquals(code, 2);
    assertStringIncludes(stdout, "interrupted");
    assertEquals(await processesOf(FIRST_USER + FIRST_BOX), []);
  }));

Deno.test("the client executes commands for people by the program beside it", () =>
  withFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    await Deno.copyFile(CLIENT, `${folder}/isolate`);
    const names = COMMANDS.filter((command) => !STEERING.includes(command)).map(({ name }) => name);
    assert(names.includes("judge"));
    const client = async (...args: string[]) => {
      const options = { through: as(UID), env: { ISOLATE_SERVICE: "/none" } };
      return await start([`${folder}/isolate`, ...args], options).result;
    };
    for (const name of names) {
      const { code, stderr } = await client(name);
      assertEquals(code, 2);
      assertEquals(
        stderr,
        `\`isolate ${name}\` needs isolate-direct, the whole program, beside this one\n`,
      );
    }
    for (const name of ["judg", "judges", "", "--run", ...STEERING.map(({ name }) => name)]) {
      assertMatch((await client(name)).stderr, /^No isolate service is running/, name);
    }
    await Deno.writeTextFile(`${folder}/isolate-direct`, '#!/bin/sh\necho "$(id -u) $*"; exit 7\n');
    await Deno.chmod(`${folder}/isolate-direct`, 0o755);
    for (const name of names) {
      const { code, stdout } = await client(name, "--x", "a b");
      assertEquals([code, stdout], [7, `${UID} ${name} --x a b\n`]);
    }
  }));
