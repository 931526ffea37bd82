/** The life of a box's control group: made, taken over, and never left behind. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  cgTest,
  discard,
  enter,
  groupsOf,
  groupTest,
  membersOf,
  needsControlGroup,
  place,
  removeGroups,
} from "../support/control_group.ts";
import { assertRefused, eventually, isolate, succeed, withBox } from "../support/isolate.ts";
import { testWith } from "../support/skip.ts";

/** A process of the host that disturbs nothing, and is dead when the test is over. */
async function withSleeper(
  test: (pid: number, dead: Promise<unknown>) => Promise<void>,
): Promise<void> {
  const sleeper = new Deno.Command("/bin/sleep", { args: ["300"] }).spawn();
  try {
    await test(sleeper.pid, sleeper.status);
  } finally {
    killIfAlive(sleeper);
    await sleeper.status;
  }
}

function killIfAlive(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Cleans up whatever happens. */
function boxTest(id: number, name: string, test: () => Promise<void>): void {
  cgTest(name, async () => {
    try {
      await test();
    } finally {
      await discard(id, ["--cg"]);
    }
  });
}

boxTest(
  530,
  "--init --cg makes the group, --cleanup removes it, with --cg or without",
  async () => {
    for (const cleanup of [["--cg"], []]) {
      await succeed(["-b530", "--cg", "--init"]);
      assert(groupsOf(530).length > 0);
      for (const group of groupsOf(530)) {
        const { uid, mode } = await Deno.stat(group);
        assertEquals([uid, mode! & 0o7777], [0, 0o755]);
      }
      await succeed(["-b530", ...cleanup, "--cleanup"]);
      assertEquals(groupsOf(530), []);
    }
  },
);

boxTest(531, "a box without --cg has no group", async () => {
  await succeed(["-b531", "--init"]);
  assertEquals(groupsOf(531), []);
  const { code, stderr } = await isolate(["-b531", "--run", "--", "/bin/true"]);
  assertEquals(code, 0, stderr);
  assertEquals(groupsOf(531), []);
});

boxTest(532, "--cg must be given to --run as it was to --init", async () => {
  const message = "This box was initialized with an incompatible control group mode";
  await succeed(["-b532", "--cg", "--init"]);
  assertRefused(await isolate(["-b532", "--run", "--", "/bin/true"]), message);
  await succeed(["-b532", "--cg", "--run", "--", "/bin/true"]);
  await succeed(["-b532", "--init"]);
  assertEquals(groupsOf(532), [], "the group went with the box before");
  assertRefused(await isolate(["-b532", "--cg", "--run", "--", "/bin/true"]), message);
  await succeed(["-b532", "--run", "--", "/bin/true"]);
  await succeed(["-b532", "--cg", "--init"]);
  await succeed(["-b532", "--cg", "--run", "--", "/bin/true"]);
});

boxTest(533, "options of control groups need --cg", async () => {
  const sentence = "Options related to control groups require --cg to be set.";
  assertRefused(await isolate(["-b533", "--cg-mem=1000", "--run", "--", "/bin/true"]), sentence);
});

boxTest(534, "--cg --cleanup of a box that never existed succeeds", async () => {
  await succeed(["-b534", "--cg", "--cleanup"]);
  assertEquals(groupsOf(534), []);
});

boxTest(535, "--run without --init says what to do", async () => {
  const result = await isolate(["-b535", "--cg", "--run", "--", "/bin/true"]);
  assertRefused(result, "Box not found, did you run `isolate --box-id=535 --cg --init'?");
});

for (const command of ["--init", "--cleanup"]) {
  boxTest(536, `${command} kills what an earlier box has left in its group`, async () => {
    await succeed(["-b536", "--cg", "--init"]);
    await withSleeper(async (pid, dead) => {
      await enter(536, pid);
      assertEquals(await membersOf(536), [pid]);
      await succeed(["-b536", "--cg", command]);
      await dead;
      assertEquals(await membersOf(536), []);
    });
  });
}

boxTest(537, "--run kills what an earlier one has left in the group", async () => {
  await succeed(["-b537", "--cg", "--init"]);
  await withSleeper(async (pid, dead) => {
    await enter(537, pid);
    await succeed(["-b537", "--cg", "--cg-mem=50000", "--run", "--", "/bin/true"]);
    await dead;
  });
});

boxTest(
  538,
  "a group of an earlier box is replaced, with its limits and the groups in it",
  async () => {
    await succeed(["-b538", "--cg", "--init"]);
    await succeed(["-b538", "--cg", "--cg-mem=1000", "--run", "--", "/bin/true"]);
    const before = await Promise.all(
      groupsOf(538).map(async (group) => (await Deno.stat(group)).ino),
    );
    await withSleeper(async (pid, dead) => {
      for (const group of groupsOf(538)) {
        await Deno.mkdir(`${group}/inner/most`, { recursive: true });
        if (group.includes("/memory/")) {
          await Deno.writeTextFile(`${group}/inner/most/cgroup.procs`, `${pid}`);
        }
      }
      await succeed(["-b538", "--cg", "--init"]);
      if (place().version === 1) {
        await dead;
      }
    });
    for (const [i, group] of groupsOf(538).entries()) {
      assert((await Deno.stat(group)).ino !== before[i], "it is another one");
      assertEquals((await Array.fromAsync(Deno.readDir(group))).filter((e) => e.isDirectory), []);
    }
  },
);

boxTest(539, "a group that somebody else has made is replaced by one of root's", async () => {
  const parents = Object.values(place().directories).filter((path) => path !== undefined);
  // Its name is known once it was there.
  await succeed(["-b539", "--cg", "--init"]);
  const names = groupsOf(539).map((path) => path.replace(/^.*\//, ""));
  await succeed(["-b539", "--cg", "--cleanup"]);
  assertEquals(groupsOf(539), []);
  for (const parent of new Set(parents)) {
    const group = `${parent}/${names[0]}`;
    await Deno.mkdir(group);
    await Deno.chown(group, 1000, 1000);
    await Deno.chown(`${group}/cgroup.procs`, 1000, 1000);
    await Deno.chmod(group, 0o777);
  }
  await succeed(["-b539", "--cg", "--init"]);
  for (const group of groupsOf(539)) {
    for (const path of [group, `${group}/cgroup.procs`]) {
      const { uid, mode } = await Deno.stat(path);
      assertEquals([uid, mode! & 0o022], [0, 0], path);
    }
  }
});

boxTest(540, "a run in a box whose group is gone makes it again", async () => {
  await succeed(["-b540", "--cg", "--init"]);
  const groups = groupsOf(540);
  await removeGroups(groups);
  const run = ["-b540", "--cg", "-M-", "--cg-mem=100000", "--run", "--", "/bin/true"];
  const { code, stdout, stderr } = await isolate(run);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^cg-mem:[1-9]/m);
  assertEquals(groupsOf(540), groups);
});

testWith(
  [needsControlGroup.version(1)],
  "a process that does not die is an error, not silence",
  async () => {
    const freezer = "/sys/fs/cgroup/freezer/isolate-test-541";
    await withBox(541, async () => {
      await Deno.mkdir(freezer, { recursive: true });
      const state = (word: string) => Deno.writeTextFile(`${freezer}/freezer.state`, word);
      try {
        await withSleeper(async (pid) => {
          await enter(541, pid);
          await Deno.writeTextFile(`${freezer}/cgroup.procs`, `${pid}`);
          // A frozen process does not even die of SIGKILL.
          await state("FROZEN");
          try {
            const result = await isolate(["-b541", "--cg", "--cleanup"]);
            assertRefused(result, new RegExp(`Cannot empty .*: process ${pid} does not die`));
            assert(groupsOf(541).length > 0);
          } finally {
            await state("THAWED");
          }
          await succeed(["-b541", "--cg", "--cleanup"]);
          assertEquals(groupsOf(541), []);
        });
      } finally {
        await removeGroups([freezer]);
      }
    }, { options: ["--cg"] });
  },
);

groupTest(
  542,
  "an aborted initialisation leaves no group that blocks the next one",
  async (box) => {
    // Killed at some point of its work.
    for (const afterMs of [20, 40, 60, 80]) {
      const init = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--allow-ffi",
          new URL("../../direct.ts", import.meta.url).pathname,
          `-b${box.id}`,
          "--cg",
          "--init",
        ],
        stdout: "null",
        stderr: "null",
      }).spawn();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      killIfAlive(init);
      await init.status;
    }
    await succeed([`-b${box.id}`, "--cg", "--init"]);
    await succeed([`-b${box.id}`, "--cg", "--run", "--", "/bin/true"]);
  },
);

groupTest(543, "-v says where groups are made and why, -vv every value", async (box) => {
  const one = await isolate([`-b${box.id}`, "--cg", "-v", "--run", "--", "/bin/true"]);
  assertMatch(one.stderr, /^Control groups are made in \/sys\/.*: .*cgroup v[12]/m);
  assert(!one.stderr.includes("write "));
  const two = await isolate([
    `-b${box.id}`,
    "--cg",
    "-vv",
    "--cg-mem=40000",
    "--run",
    "--",
    "/bin/true",
  ]);
  assertMatch(two.stderr, /^Control group: write "40960000" to \/.*\/memory\./m);
  assertMatch(two.stderr, /^Control group: read .*\/(cpuacct\.usage|cpu\.stat): "/m);
});

groupTest(
  544,
  "the box can be locked, run and released by one keeper after another",
  async (box) => {
    const runs = Array.from(
      { length: 4 },
      () =>
        isolate([`-b${box.id}`, "--cg", "--wait", "--cg-mem=40000", "--run", "--", "/bin/true"]),
    );
    for (const { code, stderr } of await Promise.all(runs)) {
      assertEquals(code, 0, stderr);
    }
    await eventually("the group is empty", async () => (await membersOf(box.id)).length === 0);
  },
);
