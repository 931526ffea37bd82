/** Many boxes at once in one process. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Box, type Outcome } from "isolate/mod.ts";

const BOX_IDS = Array.from({ length: 20 }, (_, i) => 406 + i);

/** Gives `test` boxes of its own, all at once. */
async function withBoxes(test: (boxes: readonly Box[]) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const boxes = await Promise.all(BOX_IDS.map((boxId) => Box.init({ boxId })));
  for (const box of boxes) stack.use(box);
  await test(boxes);
}

function threadCount(): number {
  return [...Deno.readDirSync("/proc/self/task")].length;
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("20 boxes sleep at once, in less time than one after the other, without a thread each", () =>
  withBoxes(async (boxes) => {
    const before = threadCount();
    const startMs = performance.now();
    const runs = Promise.all(boxes.map((box) => box.run(["/bin/sleep", "1"])));
    await delay(500);
    // One waits for them all; the runtime may have started some for other work.
    assertLess(threadCount(), before + 6);
    for (const outcome of await runs) {
      assert(outcome.kind === "exit" && outcome.exitCode === 0);
      assertGreater(outcome.usage.wallTimeMs, 990);
    }
    assertLess(performance.now() - startMs, 15_000);
  }));

Deno.test("20 boxes at once keep their outcomes, files and users apart", () =>
  withBoxes(async (boxes) => {
    const kinds = ["exit", "signal", "cpu", "wall"] as const;
    const scripts = {
      exit: (i: number) => `echo ${i} > mine; exec sleep 0.1`,
      signal: (i: number) => `echo ${i} > mine; kill -10 $$`,
      cpu: (i: number) => `echo ${i} > mine; while :; do :; done`,
      wall: (i: number) => `echo ${i} > mine; exec sleep 100`,
    };
    const limits = {
      exit: {},
      signal: {},
      // Long enough for the file to be written on a busy machine.
      cpu: { cpuTimeMs: 200 },
      wall: { wallTimeMs: 2000 },
    };
    const told = ({ kind, ...rest }: Outcome) =>
      kind === "time-limit" && "limit" in rest ? rest.limit : kind;
    const outcomes = await Promise.all(boxes.map((box, i) => {
      const kind = kinds[i % kinds.length]!;
      return box.run(["/bin/sh", "-c", scripts[kind](i)], { limits: limits[kind] });
    }));
    assertEquals(outcomes.map(told), boxes.map((_, i) => kinds[i % kinds.length]!));
    for (const [i, box] of boxes.entries()) {
      assertEquals(await Deno.readTextFile(`${box.directory}/box/mine`), `${i}\n`);
    }
  }));

Deno.test("boxes take turns for a hundred short runs, and none starves", () =>
  withBoxes(async (boxes) => {
    const ends: number[] = [];
    await Promise.all(boxes.map(async (box, i) => {
      for (let run = 0; run < 5; run++) {
        const outcome = await box.run(["/bin/true"]);
        assertEquals(outcome.kind, "exit");
        ends.push(i);
      }
    }));
    // Before anybody finishes the last run, everybody has finished the first.
    const firstLast = ends.findIndex((i, at) =>
      ends.slice(0, at).filter((j) => j === i).length === 4
    );
    assertEquals(new Set(ends.slice(0, firstLast + boxes.length)).size, boxes.length);
  }));

Deno.test("the main thread stays free while boxes run", () =>
  withBoxes(async (boxes) => {
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    await Promise.all(boxes.map((box) => box.run(["/bin/sleep", "0.5"])));
    clearInterval(timer);
    assertGreater(turns, 10);
  }));
