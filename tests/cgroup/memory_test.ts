/** Memory of a control group: every way to take too much of it, and what is reported. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Box, parseDirectoryRule, resolveDirectoryRules, SandboxError } from "isolate/mod.ts";
import { installC } from "../support/c_program.ts";
import {
  GREEDY,
  GroupBox,
  type GroupRun,
  groupTest,
  libraryTest,
  needsControlGroup,
} from "../support/control_group.ts";
import { testWith } from "../support/skip.ts";

const MIB = 1024;

function limit(mib: number): { controlGroupMemoryKib: number } {
  return { controlGroupMemoryKib: mib * MIB };
}

function assertKilled({ outcome, meta, stdout }: GroupRun): void {
  assertEquals(outcome.kind, "memory-limit", stdout);
  assertEquals([meta["status"], meta["exitsig"], meta["cg-oom-killed"]], ["SG", "9", "1"]);
  assertEquals([meta["message"], meta["killed"]], ["Caught fatal signal 9", undefined]);
}

function assertFits({ outcome, meta, stdout }: GroupRun): void {
  assertEquals([outcome.kind, meta["exitcode"]], ["exit", "0"], stdout);
  const keys = [meta["status"], meta["cg-oom-killed"], meta["cg-enabled"]];
  assertEquals(keys, [undefined, undefined, "1"]);
}

/** What the bombs take; the limit is half of it. */
const BOMBS: readonly { what: string; words: string; rules?: string[] }[] = [
  { what: "malloc and touch", words: "heap KIB" },
  { what: "a shared mapping", words: "shared KIB" },
  { what: "a file in /dev/shm", words: "file KIB /dev/shm/file" },
  { what: "a file in a tmpfs at /tmp", words: "file KIB /tmp/file", rules: ["tmp=tmpfs:fs:rw"] },
];

for (const { what, words, rules = [] } of BOMBS) {
  libraryTest(500, `a memory limit ends a program that takes too much by ${what}`, async (box) => {
    const options = {
      directoryRules: resolveDirectoryRules({
        rules: rules.map(parseDirectoryRule),
        defaults: true,
      }),
    };
    const take = (mib: number) => words.replace("KIB", `${mib * MIB}`);
    assertFits(await box.run(take(20), limit(40), options));
    assertKilled(await box.run(take(80), limit(40), options));
    assertFits(await box.run(take(80), {}, options));
  });
}

groupTest(501, "--cg-mem ends a program, and the meta-file says so", async (box) => {
  const run = (kib: number) => box.run(["--cg-mem=40960", "-w60"], ["greedy", "heap", `${kib}`]);
  const { code, meta, stderr } = await run(81920);
  assertEquals([code, stderr], [1, "Caught fatal signal 9\n"]);
  assertEquals([meta["status"], meta["exitsig"], meta["cg-oom-killed"]], ["SG", "9", "1"]);
  assertEquals((await run(20480)).code, 0);
});

libraryTest(
  502,
  "a memory limit that a child hits is reported although the program goes on",
  async (box) => {
    const { outcome, meta, stdout } = await box.run(`child ${80 * MIB}`, limit(40));
    assertEquals(stdout, "child signal 9\n");
    assert(outcome.kind === "memory-limit");
    assertEquals(outcome.ending, { how: "exit", exitCode: 0 });
    assertEquals([meta["status"], meta["exitcode"], meta["cg-oom-killed"]], [undefined, "0", "1"]);
    assertFits(await box.run(`child ${20 * MIB}`, limit(40)));
  },
);

libraryTest(
  503,
  "the limit counts all processes together, that of address space each of them",
  async (box) => {
    const words = `together ${20 * MIB} 4`;
    assertFits(await box.run(words, { ...limit(120), addressSpaceKib: 60 * MIB }));
    const { outcome, meta } = await box.run(words, limit(60));
    assertEquals([outcome.kind, meta["cg-oom-killed"]], ["memory-limit", "1"]);
  },
);

libraryTest(504, "the peak is what the processes touched together", async (box) => {
  for (const words of [`together ${25 * MIB} 4`, `heap ${100 * MIB}`, `shared ${100 * MIB}`]) {
    const { meta } = await box.run(words);
    // The kernel hands memory out to each CPU in pieces; the rest is the program itself.
    assertAlmostEquals(Number(meta["cg-mem"]), 100 * MIB, 5 * MIB, words);
  }
});

libraryTest(505, "every run in a box has its own limit, or none", async (box) => {
  for (const mib of [60, 20, undefined, 30, undefined, 60]) {
    const result = await box.run(`heap ${40 * MIB}`, mib === undefined ? {} : limit(mib));
    if (mib !== undefined && mib < 40) assertKilled(result);
    else assertFits(result);
  }
});

libraryTest(506, "the peak of a run is its own, not that of earlier ones", async (box) => {
  assert(Number((await box.run(`heap ${100 * MIB}`)).meta["cg-mem"]) > 99 * MIB);
  const { meta } = await box.run(`heap ${10 * MIB}`);
  assertAlmostEquals(Number(meta["cg-mem"]), 10 * MIB, 5 * MIB);
}, [needsControlGroup.peakOfRun()]);

libraryTest(
  507,
  "with far too little memory the program is killed, the sandbox does not fail",
  async (box) => {
    for (const controlGroupMemoryKib of [1, 4, 64, 128]) {
      assertKilled(await box.run("heap 1000", { controlGroupMemoryKib }));
    }
  },
);

libraryTest(
  508,
  "files that a run leaves on the disk do not keep the next one from its limit",
  async (box) => {
    assertFits(await box.run(`file ${64 * MIB} /box/large`));
    assertFits(await box.run(`heap ${8 * MIB}`, limit(16)));
  },
  [needsControlGroup.disk()],
);

libraryTest(
  509,
  "a program below its limit may write and read files larger than it",
  async (box) => {
    assertFits(await box.run(`file ${64 * MIB} /box/large`, limit(16)));
    assertFits(await box.run(["/bin/cp", "large", "copy"], limit(16)));
  },
  [needsControlGroup.disk()],
);

testWith(
  [needsControlGroup.any()],
  "files that a run leaves in memory count in the next one, and are named if they are too many",
  async () => {
    const size = { sizeKib: 100 * MIB };
    await using box = await Box.init({ boxId: 509, controlGroup: true, size });
    await installC(`${box.directory}/box/greedy`, GREEDY, ["-pthread"]);
    const group = new GroupBox(box);
    assertFits(await group.run(`file ${64 * MIB} /box/large`, limit(80)));
    const error = await assertRejects(() => group.run(`heap ${8 * MIB}`, limit(16)), SandboxError);
    assertEquals(error.kind, "control-group");
    assert(
      /to 16384 KiB: \d+ KiB are in use before the program begins/.test(error.message),
      error.message,
    );
    const { meta } = await group.run(`heap ${8 * MIB}`, limit(90));
    assert(Number(meta["cg-mem"]) > 70 * MIB, meta["cg-mem"]);
    await Deno.remove(`${box.directory}/box/large`);
    assertFits(await group.run(`heap ${8 * MIB}`, limit(16)));
  },
);
