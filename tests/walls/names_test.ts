/** Names of files and processes, and trees, that try to confuse the keeper. */

import { assert, assertEquals } from "@std/assert";
import { attack, installAttack } from "../support/attack.ts";
import {
  DIRECT,
  sh,
  start,
  succeed,
  type TestBox,
  withBox,
  withScratch,
} from "../support/isolate.ts";

/** How many files there are in a box, and that all of them are root's again, whatever their names. */
async function census(box: TestBox): Promise<number> {
  const find = (test: string) => sh(`find ${box.path()} -mindepth 1 ${test} -printf x | wc -c`);
  assertEquals(Number(await find("! -user 0 -o ! -group 0")), 0, "not given back");
  return Number(await find(""));
}

/** Cleans up and checks that nothing is left. */
async function assertRemovable(box: TestBox, options: readonly string[] = []): Promise<void> {
  await succeed([`--box-id=${box.id}`, ...options, "--cleanup"]);
  assert(!await Deno.stat(box.directory).catch(() => undefined), "the box is still there");
}

Deno.test("files of any name are given back and removed: each byte, newlines, 255 bytes", async () => {
  await withBox(260, async (box) => {
    const { code, stderr } = await attack(box, ["names", "strange"]);
    assertEquals(code, 0, stderr);
    assertEquals(await census(box), 3 * 253 + 7 + 1);
    await assertRemovable(box);
  });
});

for (const [depth, length] of [[1000, 1], [5000, 1], [1000, 250]] as const) {
  Deno.test(`a tree ${depth} levels deep with names of ${length} bytes is given back and removed`, async () => {
    await withBox(261, async (box) => {
      const args = [String(depth), String(length)];
      const { code, stderr } = await attack(box, ["names", "deep", ...args]);
      assertEquals(code, 0, stderr);
      assertEquals(await census(box), 2 * depth + 1);
      await assertRemovable(box);
    });
  });
}

/** Boxes in memory: what is tested is the keeper and not the disk. */
async function withFastBox(
  id: number,
  test: (box: TestBox, options: readonly string[]) => Promise<void>,
): Promise<void> {
  await withScratch(async (scratch) => {
    const root = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "isolate-test-" });
    try {
      await Deno.chmod(root, 0o755);
      await Deno.writeTextFile(
        `${scratch}/config`,
        `box_root = ${root}\nlock_root = ${scratch}/locks\n`,
      );
      const options = [`--config=${scratch}/config`];
      await withBox(id, (box) => test(box, options), { options });
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

Deno.test("a box with 100,000 files is given, given back and removed", async () => {
  await withFastBox(262, async (box, options) => {
    assertEquals((await attack(box, ["names", "many", "1000", "100"])).code, 0);
    assertEquals(await census(box), 100_101);
    await assertRemovable(box, options);
  });
});

Deno.test("a directory with very many directories does not exhaust the keeper's stack", async () => {
  await withFastBox(263, async (box, options) => {
    // A fifth of the usual stack, and a fifth of the directories that would be too many for it.
    const [deno, run, ...rest] = DIRECT;
    const command = [deno!, run!, "--v8-flags=--stack-size=200", ...rest];
    const program = await installAttack(box, "names");
    const args = box.args([], [program, "many", "30000", "0"]);
    const { code, stderr } = await start([...command, ...args]).result;
    assertEquals(code, 0, stderr);
    assertEquals(await census(box), 30_002);
    const cleanup = [`--box-id=${box.id}`, ...options, "--cleanup"];
    assertEquals((await start([...command, ...cleanup]).result).code, 0);
    await assertRemovable(box, options);
  });
});

/** Fifteen bytes that look like the rest of a line of /proc/PID/stat, or break it. */
const NAMES = [
  ") R 1 1 1 0 0 0",
  "(((((",
  ")))))",
  "\n) S 9\n9 9 9 9",
  " ",
  "a) R 1 2 (b",
  "\xff\xfe)",
];

for (const name of NAMES) {
  Deno.test(`a program that calls itself ${JSON.stringify(name)} has the same CPU limit`, async () => {
    await withBox(264, async (box) => {
      // Both with room and without: the name must neither stop nor speed up the clock.
      const limits = ["-p", "--wall-time=20", "--time=0.4"];
      const over = await attack(box, ["names", "renamed", "30", name], limits);
      assertEquals([over.meta.status, over.meta.message], ["TO", "Time limit exceeded"]);
      const time = Number(over.meta.time);
      assert(time >= 0.4 && time < 1, `it was stopped after ${time} s`);
      const within = await attack(box, ["names", "renamed", "0.15", name], limits);
      assertEquals([within.code, within.meta.status], [0, undefined], within.stderr);
    });
  });
}
