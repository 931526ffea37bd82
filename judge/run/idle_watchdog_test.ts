import { assert, assertEquals } from "@std/assert";
import type { Outcome } from "../../mod.ts";
import { HostFiles, sharedSandbox } from "../../mod.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";

Deno.test("wall time leaves room for sleep, and more for a loaded machine", () => {
  assertEquals([idleTimeMs(1000), wallTimeMs(1000)], [3000, 20_000]);
});

/** Returns when a program with this CPU time is killed, on a CPU with that much spare time. */
function endOf(cpuMs: (wallMs: number) => number, sparePart = 0.9): number | undefined {
  let nowMs = 0;
  const watchdog = new IdleWatchdog(6000, () => nowMs * sparePart);
  for (let wallMs = 250; wallMs < 20_000; wallMs += 250) {
    nowMs = wallMs;
    watchdog.look(wallMs, cpuMs(wallMs));
    if (watchdog.isOver) return wallMs;
  }
  return undefined;
}

Deno.test("a program that sleeps is killed as soon as the time is over", () => {
  assertEquals(endOf(() => 12), 6000);
});

Deno.test("a program that gets a small part of a CPU goes on", () => {
  assertEquals(endOf((wallMs) => wallMs / 25), undefined);
});

Deno.test("a program that may be waiting for a busy CPU goes on", () => {
  assertEquals(endOf(() => 12, 0.01), undefined);
});

Deno.test("a program that falls asleep late is killed when it has slept for two seconds", () => {
  assertEquals(endOf((wallMs) => Math.min(wallMs, 7000) / 10), 9000);
});

Deno.test("a program that waits for a busy one is not idle", () => {
  let nowMs = 0;
  const watchdog = new IdleWatchdog(3000, () => nowMs);
  const progress = { peakMemoryKib: undefined };
  const { onProgress } = watchdog.otherOptions();
  for (let wallMs = 250; wallMs <= 5000; wallMs += 250) {
    nowMs = wallMs;
    onProgress({ ...progress, wallTimeMs: wallMs, cpuTimeMs: wallMs });
    watchdog.look(wallMs, 1);
  }
  assertEquals(watchdog.isOver, false);
  for (let wallMs = 5250; wallMs <= 7500; wallMs += 250) watchdog.look(nowMs = wallMs, 1);
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
  let nowMs = 0;
  const watchdog = new IdleWatchdog(1000, () => nowMs);
  assertEquals(watchdog.outcome(interrupted), interrupted);
  for (const wallMs of [500, 1000, 1500, 2000]) watchdog.look(nowMs = wallMs, 1);
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
