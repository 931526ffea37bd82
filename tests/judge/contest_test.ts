/** `isolate judge` with a folder of several packages, with git, and while files change. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withFolder } from "../support/folder.ts";
import { isolate, type RunningCommand, sh, startIsolate } from "../support/isolate.ts";
import { needsJudge } from "../support/judging.ts";
import { writeFiles } from "../support/package.ts";
import { needs, testWith } from "../support/skip.ts";

const TWICE = "read n\necho $((n * 2))\n";
const THRICE = "read n\necho $((n * 3))\n";

/** A package of one test: print so many times the number. */
function times(name: string, { accepted, wrong }: { accepted: string; wrong: string }) {
  return {
    [`${name}/task.yaml`]: `title: ${name}\nlimits: { time: 5s, memory: 64MiB }\n`,
    [`${name}/tests/1.in`]: "21\n",
    [`${name}/tests/1.ans`]: name === "twice" ? "42\n" : "63\n",
    [`${name}/submissions/accepted/good.sh`]: accepted,
    [`${name}/submissions/wrong_answer/bad.sh`]: wrong,
  };
}

const CONTEST = {
  ...times("twice", { accepted: TWICE, wrong: THRICE }),
  ...times("thrice", { accepted: THRICE, wrong: TWICE }),
  "problems.yaml": "- { id: thrice, label: A }\n- { id: twice, label: B }\n",
};

async function withContest(
  files: Readonly<Record<string, string>>,
  test: (contest: { folder: string; args: string[] }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/isolate.yaml`,
      `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\nfirst_uid: 61700\n` +
        "first_gid: 61700\n",
    );
    await writeFiles(`${folder}/contest`, files);
    const options = [`--config=${folder}/isolate.yaml`, "--box-ids=1-8", `--cache=${folder}/cache`];
    await test({ folder, args: ["judge", ...options, `${folder}/contest`] });
  });
}

testWith(needsJudge, "a contest has one summary, one page, and one exit status", async () => {
  await withContest(CONTEST, async ({ folder, args }) => {
    const reports = [`--html=${folder}/page.html`, `--junit=${folder}/junit.xml`];
    const { code, stdout, stderr } = await isolate([...args, ...reports]);
    assertEquals([code, stderr], [0, ""], stdout);
    const lines = stdout.trimEnd().split("\n");
    assertEquals([lines[0], lines[6]], ["A  thrice  1 of 2", "B  twice  2 of 2"], stdout);
    assertMatch(lines.at(-3)!, /^ok {2}A {2}thrice {2}2 of 2 submissions, limit 5 s, [\d.]+ s$/);
    assertMatch(lines.at(-1)!, /^2 of 2 problems as expected, [\d.]+ s$/);
    const page = await Deno.readTextFile(`${folder}/page.html`);
    for (const id of ["p1", "p1-s2", "p2", "p2-s1"]) assertStringIncludes(page, `<div id="${id}"`);
    assertStringIncludes(page, "<title>contest: as expected</title>");
    const junit = await Deno.readTextFile(`${folder}/junit.xml`);
    assertStringIncludes(junit, '<testsuite name="twice: wrong_answer/bad.sh" tests="1"');
  });
});

testWith(
  needsJudge,
  "a package that is wrong fails the contest, and no other package",
  async () => {
    const files = {
      ...CONTEST,
      "thrice/submissions/accepted/good.sh": TWICE,
      "broken/problem.yaml": "nam: x\n",
      "problems.yaml": "- id: thrice\n- id: missing\n- id: twice\n- id: broken\n",
    };
    await withContest(files, async ({ args }) => {
      const { code, stdout } = await isolate([...args, "--json"]);
      assertEquals(code, 2);
      const report = JSON.parse(stdout);
      assertEquals([report.schema, report.contest], ["isolate-contest-report", "contest"]);
      const states = report.problems.map((
        { name, failure, report }: {
          name: string;
          failure?: string;
          report?: { complaints: string[] };
        },
      ) => [name, failure?.replace(/^[^:]*: /, "") ?? report!.complaints.length]);
      assertEquals(states[0], ["thrice", 1]);
      assertEquals(states[2], ["twice", 0]);
      assertEquals(states[1][0], "missing");
      assertMatch(states[1][1], /cannot open the folder: No such file/);
      assertEquals(states[3][0], "broken");
      const quiet = await isolate([...args, "--quiet"]);
      assertEquals([quiet.code, quiet.stdout], [2, ""]);
      assertStringIncludes(quiet.stderr, "accepted/good.sh got WA, expected AC");
      assertStringIncludes(quiet.stderr, "contest/missing: cannot open the folder");
    });
  },
);

testWith(needsJudge, "a contest takes patterns that only some packages know", async () => {
  await withContest(
    { ...CONTEST, "twice/submissions/accepted/other.sh": TWICE },
    async (contest) => {
      const { folder, args } = contest;
      const { code, stdout } = await isolate([...args, "--submissions=other.sh"]);
      assertEquals(code, 0, stdout);
      assertMatch(stdout, /\n1 of 1 problem as expected, /);
      const none = await isolate([...args, "--submissions=nobody"]);
      assertEquals(none.code, 2, none.stdout);
      assertStringIncludes(none.stderr, 'contest/twice: no submission matches "nobody"; it has');
      const given = await isolate([...args, `${folder}/contest/twice/task.yaml`]);
      assertEquals(given.code, 2);
      assertStringIncludes(
        given.stderr,
        "to judge a submission name one of its packages, such as ",
      );
    },
  );
});

testWith(
  [...needsJudge, needs.command("git")],
  "only packages that differ from a commit are judged",
  async () => {
    const linked = { ...CONTEST, "shared/check.h": "1\n" };
    await withContest(linked, async ({ folder, args }) => {
      const contest = `${folder}/contest`;
      const git = (command: string) =>
        sh(
          `git -C ${contest} -c user.name=a -c user.email=a@b -c init.defaultBranch=main ${command}`,
        );
      await git("init -q");
      const none = await isolate([...args, "--changed-since=HEAD"]);
      assertEquals(none.code, 2, none.stdout);
      assertStringIncludes(none.stderr, `--changed-since=HEAD names no commit of ${contest}`);
      // What a repository names is not executed outside of a box.
      await git(`config core.fsmonitor 'touch ${folder}/executed'`);
      await git(`config diff.external 'touch ${folder}/executed'`);
      await sh(`rm -f ${folder}/executed`);
      await git("-c core.fsmonitor=false add -A");
      await git("-c core.fsmonitor=false commit -q -m one");
      const same = await isolate([...args, "--changed-since=HEAD"]);
      assertEquals(same.code, 0, same.stderr);
      assertMatch(same.stdout, /\n0 of 0 problems as expected, 2 unchanged, /);
      const judged = async (since: string) => {
        const { code, stdout, stderr } = await isolate([
          ...args,
          `--changed-since=${since}`,
          "--json",
        ]);
        assert(code < 2, stderr);
        const { problems, unchanged } = JSON.parse(stdout);
        return [problems.map(({ name }: { name: string }) => name), unchanged];
      };
      // One that git knows, and one that it does not know yet.
      await Deno.writeTextFile(`${contest}/twice/tests/1.ans`, "43\n");
      assertEquals(await judged("main"), [["twice"], ["thrice"]]);
      await Deno.writeTextFile(`${contest}/thrice/submissions/accepted/new.sh`, THRICE);
      assertEquals(await judged("main"), [["thrice", "twice"], []]);
      await git("-c core.fsmonitor=false add -A");
      await git("-c core.fsmonitor=false commit -q -m two");
      assertEquals(await judged("HEAD"), [[], ["thrice", "twice"]]);
      assertEquals(await judged("HEAD~1"), [["thrice", "twice"], []]);
      // A folder of its own for another branch, whose repository is elsewhere.
      await git(`-c core.fsmonitor=false worktree add -q ${folder}/second`);
      const second = [...args.slice(0, -1), `${folder}/second/twice`, "--changed-since=HEAD"];
      const one = await isolate(second);
      assertEquals(one.code, 0, one.stderr);
      assertEquals(one.stdout, `unchanged since HEAD: ${folder}/second/twice\n`);
      assertEquals(
        (await Array.fromAsync(Deno.readDir(folder))).some((entry) => entry.name === "executed"),
        false,
      );
    });
  },
);

testWith(
  [...needsJudge, needs.command("git")],
  "outside of a repository of git --changed-since says so",
  async () => {
    await withContest(CONTEST, async ({ folder, args }) => {
      const outside = await isolate([...args, "--changed-since=HEAD"]);
      assertEquals(outside.code, 2);
      assertStringIncludes(
        outside.stderr,
        `Option --changed-since needs a repository of git, but ${folder}/contest is in none`,
      );
    });
  },
);

testWith(
  needsJudge,
  "without git --changed-since says so",
  async () => {
    await withContest(CONTEST, async ({ folder, args }) => {
      const env = { PATH: `${folder}/nothing` };
      const without = await isolate([...args, "--changed-since=HEAD"], { env });
      assertEquals(without.code, 2);
      assertStringIncludes(
        without.stderr,
        "Option --changed-since needs git: install it (no git in",
      );
    });
  },
);

/** Waits until the command has written something that it had not before. */
async function untilSaid(path: string, text: string, times: number): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const said = await Deno.readTextFile(path).catch(() => "");
    if (said.split(text).length > times) return said;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`"${text}" was not said ${times} times: ${await Deno.readTextFile(path)}`);
}

testWith(needsJudge, "isolate judge --watch judges again what has changed", async () => {
  await withContest(CONTEST, async ({ folder, args }) => {
    const junit = `${folder}/contest/junit.xml`;
    const out = `${folder}/out`;
    await using command: RunningCommand = startIsolate([...args, "--watch", `--junit=${junit}`], {
      through: ["sh", "-c", 'exec timeout 60 "$@" >"$0" 2>&1', out],
    });
    await untilSaid(out, "watching ", 1);
    await Deno.writeTextFile(`${folder}/contest/twice/submissions/accepted/good.sh`, THRICE);
    const second = (await untilSaid(out, "watching ", 2)).split("watching ")[1]!;
    assertStringIncludes(second, "changed: good.sh\n");
    assertStringIncludes(second, "A  thrice  1 of 2\nunchanged\n");
    assertMatch(second, /NO {2}accepted\/good\.sh +WA/);
    assertMatch(second, /\n1 of 2 problems as expected, /);
    await Deno.remove(`${folder}/contest/twice/tests/1.ans`);
    const third = (await untilSaid(out, "watching ", 3)).split("watching ")[2]!;
    assertMatch(third, /wrong: contest\/twice\/tests/);
    command.kill("SIGINT");
    assertEquals((await command.result).code, 2);
  });
});
