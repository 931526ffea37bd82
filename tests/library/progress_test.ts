/** Progress that is reported while a program runs. */

import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
} from "@std/assert";
import { Box, Capture, defaultSettings, type Progress, type RunOptions } from "isolate/mod.ts";
import { processesOf } from "isolate/tests/support/isolate.ts";

const BOX_ID = 916;
const BOX_UID = defaultSettings().firstUid + BOX_ID;
const BUSY = ["/bin/sh", "-c", "while :; do :; done"];

async function progressOf(
  command: readonly string[],
  options: RunOptions,
): Promise<{ told: Progress[]; kind: string }> {
  await using box = await Box.init({ boxId: BOX_ID });
  const told: Progress[] = [];
  const onProgress = (progress: Progress) => void told.push(progress);
  const { kind } = await box.run(command, { ...options, onProgress });
  return { told, kind };
}

Deno.test("progress is reported again and again, with growing times, until the program ends", async () => {
  for (const stdout of ["none", new Capture({ limitBytes: 1 })] as const) {
    const limits = { wallTimeMs: 500, cpuTimeMs: 10_000 };
    const { told, kind } = await progressOf(BUSY, { limits, progressEveryMs: 20, stdout });
    assertEquals(kind, "time-limit");
    assertGreater(told.length, 1);
    assertLess(told.length, 30);
    assertGreater(told.at(-1)!.cpuTimeMs, told[0]!.cpuTimeMs);
    for (const [i, { cpuTimeMs, wallTimeMs, peakMemoryKib }] of told.entries()) {
      // On a busy machine the program may have to wait for longer than that.
      assertGreaterOrEqual(cpuTimeMs, told[i - 1]?.cpuTimeMs ?? 0);
      assertGreater(wallTimeMs, told[i - 1]?.wallTimeMs ?? 0);
      assertEquals(peakMemoryKib, undefined);
    }
  }
});

Deno.test("progress tells programs that sleep from those that run or wait for a CPU", async () => {
  const busy = await progressOf(["/bin/sh", "-c", "sleep 5 & while :; do :; done"], {
    limits: { wallTimeMs: 500, processes: 10 },
    progressEveryMs: 20,
  });
  assertEquals(busy.told.filter(({ isBusy }) => !isBusy), []);
  const { told } = await progressOf(["/bin/sleep", "1"], { progressEveryMs: 50 });
  // It runs when it starts, and when it wakes up.
  assertEquals(told.some(({ isBusy }) => isBusy === false), true);
  const waited = [...busy.told, ...told].map(({ waitedMs }) => waitedMs ?? -1);
  assertEquals(waited.filter((ms) => ms < 0), []);
});

Deno.test("progress is reported without any limit, by default every 100 ms", async () => {
  const { told, kind } = await progressOf(["/bin/sleep", "1"], {});
  assertEquals(kind, "exit");
  assertGreater(told.length, 0);
  assertLess(told.length, 11);
});

Deno.test("a program that is over at once may have no progress to report", async () => {
  const { told, kind } = await progressOf(["/bin/true"], { progressEveryMs: 60_000 });
  assertEquals([told, kind], [[], "exit"]);
});

Deno.test("an error in onProgress fails the run, after the box is dead", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const onProgress = () => {
    throw new Error("no patience");
  };
  await assertRejects(() => box.run(BUSY, { onProgress, progressEveryMs: 10 }), Error, "patience");
  assertEquals(await processesOf(BOX_UID), []);
  assertEquals((await box.run(["/bin/true"])).kind, "exit");
});

Deno.test("onProgress can interrupt the run", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const abort = new AbortController();
  const outcome = await box.run(BUSY, {
    signal: abort.signal,
    onProgress: () => abort.abort(),
    progressEveryMs: 10,
  });
  assertEquals(outcome.kind, "interrupted");
});

Deno.test("an interval that is not positive is refused", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  for (const progressEveryMs of [0, -1, NaN]) {
    const run = () => box.run(["/bin/true"], { onProgress: () => {}, progressEveryMs });
    await assertRejects(run, RangeError, "progressEveryMs must be > 0");
  }
});
