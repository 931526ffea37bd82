import { assert, assertEquals } from "@std/assert";
import type { Outcome } from "../../mod.ts";
import { HostFiles, sharedSandbox } from "../../mod.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";

Deno.test("wall time leaves room for sleep, and more for a loaded machine", () => {
  assertEquals([idleTimeMs(1000), wallTimeMs(1000)], [2000, 20_000]);
});

/** A program on a CPU of which it could get the rest at any time. */
interface Watched {
  cpuMs?: (wallMs: number) => number;
  /** Undefined: the kernel does not say. */
  waitedMs?: (wallMs: number) => number;
  isBusy?: boolean;
  sparePart?: number;
}

/** Returns when a program that may be idle for six seconds is killed. */
function endOf({ cpuMs = () => 12, waitedMs, isBusy = false, sparePart = 0 }: Watched) {
  let nowMs = 0;
  const watchdog = new IdleWatchdog(6000, () => nowMs * sparePart);
  for (let wallMs = 250; wallMs < 20_000; wallMs += 250) {
    nowMs = wallMs;
    const queue = waitedMs && { waitedMs: waitedMs(wallMs), isBusy };
    watchdog.look({ wallTimeMs: wallMs, cpuTimeMs: cpuMs(wallMs), ...queue });
    if (watchdog.isOver) return wallMs;
  }
  return undefined;
}

const NONE = () => 0;

Deno.test("a program that sleeps is killed when it has done so for its time", () => {
  // At the beginning it ran.
  assertEquals(endOf({ waitedMs: NONE }), 6250);
});

Deno.test("a program that sleeps on a busy machine is killed as soon as on an idle one", () => {
  assertEquals(endOf({ waitedMs: NONE, sparePart: 0 }), 6250);
});

Deno.test("time in which a program waited for its CPU does not count", () => {
  assertEquals(endOf({ waitedMs: (wallMs) => wallMs }), undefined);
  assertEquals(endOf({ waitedMs: (wallMs) => Math.min(wallMs, 4000) }), 10_000);
  assertEquals(endOf({ waitedMs: NONE, isBusy: true }), undefined);
});

Deno.test("a program that gets a small part of a CPU goes on", () => {
  assertEquals(endOf({ cpuMs: (wallMs) => wallMs / 25, waitedMs: NONE }), undefined);
});

Deno.test("a program that falls asleep late is killed when it has slept for its time", () => {
  assertEquals(endOf({ cpuMs: (wallMs) => Math.min(wallMs, 7000) / 10, waitedMs: NONE }), 13_000);
});

Deno.test("where the kernel does not say how long threads wait, the CPU must have time to spare", () => {
  assertEquals(endOf({ sparePart: 0.9 }), 6250);
  assertEquals(endOf({ sparePart: 0.01 }), undefined);
});

Deno.test("a program that waits for a busy one is not idle", () => {
  const watchdog = new IdleWatchdog(2000, () => 0);
  const quiet = { waitedMs: 0, isBusy: false };
  const { onProgress } = watchdog.otherOptions();
  for (let wallMs = 250; wallMs <= 5000; wallMs += 250) {
    onProgress({ ...quiet, wallTimeMs: wallMs, cpuTimeMs: wallMs, peakMemoryKib: undefined });
    watchdog.look({ ...quiet, wallTimeMs: wallMs, cpuTimeMs: 1 });
  }
  assertEquals(watchdog.isOver, false);
  for (let wallMs = 5250; wallMs <= 7000; wallMs += 250) {
    watchdog.look({ ...quiet, wallTimeMs: wallMs, cpuTimeMs: 1 });
  }
  assertEquals(watchdog.isOver, true);
});

Deno.test("a program that was killed for being idle has passed a limit on wall time", () => {
  const usage = {
    cpuTimeMs: 1,
    wallTimeMs: 2,
    maxRssKib: 1000,
    voluntaryContextSwitches: 0,
    forcedContextSwitches: 0,
  };
  const interrupted: Outcome = { kind: "interrupted", signal: undefined, usage };
  const watchdog = new IdleWatchdog(1000, () => 0);
  assertEquals(watchdog.outcome(interrupted), interrupted);
  for (const wallTimeMs of [500, 1000, 1500, 2000]) {
    watchdog.look({ wallTimeMs, cpuTimeMs: 6, waitedMs: 0, isBusy: false });
  }
  assertEquals(watchdog.outcome(interrupted), {
    kind: "time-limit",
    limit: "wall",
    killed: true,
    ending: undefined,
    usage,
  });
  const ended: Outcome = { kind: "exit", exitCode: 0, usage };
  assertEquals(watchdog.outcome(ended), ended);
});

Deno.test("the spare time of all CPUs is that of each together", async () => {
  const host = new HostFiles(await sharedSandbox());
  const all = spareTimeMs(host, undefined);
  assert(all > 0);
  const count = Deno.readTextFileSync("/proc/stat").match(/^cpu\d+ /gm)!.length;
  const each = spareTimeMs(host, Array.from({ length: count }, (_, i) => i));
  assert(Math.abs(each - all) < 0.1 * all + 1000, `${each} of ${all}`);
});
