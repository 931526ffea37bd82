// Control groups of an ordinary user, in a group of version 2 that is delegated to the user.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CommandResult, DIRECT, parseMetaText, start } from "../support/isolate.ts";
import { needsUser, OrdinaryUser } from "../support/ordinary_user.ts";
import { needs, testWith } from "../support/skip.ts";

const MOUNT = "/sys/fs/cgroup";
const GROUP = `${MOUNT}/isolate-test-user`;
const BOX = 534;

function controllers(): string[] {
  try {
    return Deno.readTextFileSync(`${MOUNT}/cgroup.controllers`).trim().split(" ");
  } catch {
    return [];
  }
}

const hasMemory = needs.that(
  controllers().includes("memory"),
  `needs cgroup v2 with the memory controller in ${MOUNT}`,
);

/** Delegates a group to a user, as a service manager does. */
async function delegate(uid: number): Promise<void> {
  await Deno.writeTextFile(`${MOUNT}/cgroup.subtree_control`, "+memory +pids");
  await Deno.mkdir(GROUP);
  for (const file of ["", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"]) {
    await Deno.chown(GROUP + file, uid, uid);
  }
}

async function removeGroups(directory: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) await removeGroups(`${directory}/${name}`);
  }
  await Deno.remove(directory);
}

testWith(
  [...needsUser("one"), hasMemory],
  "an ordinary user has control groups in a group of its own, and is told if there is none",
  async () => {
    using user = new OrdinaryUser("one");
    const run = (args: readonly string[], enter: string): Promise<CommandResult> => {
      const through = ["/bin/sh", "-c", `${enter}\nexec "$@"`, "sh", ...user.through];
      const command = [...DIRECT, `--box-id=${BOX}`, "--cg", ...args];
      return start(command, { through, env: user.env }).result;
    };
    await delegate(user.uid);
    try {
      const refused = await run(["--init"], "");
      assertEquals(refused.code, 2);
      assertMatch(
        refused.stderr,
        /delegated to this user: that of this process, .* belongs to others/,
      );
      // Once there are groups in it, it can hold no processes itself.
      const enter = (group: string) => `echo $$ 2>/dev/null > ${group}/cgroup.procs`;
      const within = `if [ -d ${GROUP}/daemon ]; then ${enter(`${GROUP}/daemon`)}; else ${
        enter(GROUP)
      }; fi`;
      const made = await run(["--init"], within);
      assertEquals(made.code, 0, made.stderr);
      const meta = `${user.home}/meta`;
      const big = ["/bin/sh", "-c", 'a=x; while :; do a="$a$a"; done'];
      const options = ["--cg-mem=20000", "--wall-time=300", `--meta=${meta}`];
      const { stderr } = await run([...options, "--run", "--", ...big], within);
      const record = parseMetaText(await Deno.readTextFile(meta));
      assertEquals(record["cg-oom-killed"], "1", JSON.stringify({ stderr, record }));
      assert(Number(record["cg-mem"]) <= 20000);
      const forks = ["/bin/sh", "-c", "sleep 0.1 & sleep 0.1 & wait"];
      const few = await run(["--processes=2", "--silent", "--run", "--", ...forks], within);
      assertEquals(few.code, 1);
      assertEquals((await run(["--cleanup"], within)).code, 0);
      const left = [...Deno.readDirSync(GROUP)].filter(({ isDirectory }) => isDirectory);
      assertEquals(left.map(({ name }) => name), ["daemon"]);
    } finally {
      await removeGroups(GROUP);
    }
  },
);
