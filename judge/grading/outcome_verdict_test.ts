import { assertEquals } from "@std/assert";
import type { Outcome, Usage } from "../../mod.ts";
import { describeEnding, judgeOutcome, memoryOf } from "./outcome_verdict.ts";

const LIMITS = {
  timeLimitMs: 1000,
  wallTimeMs: 6000,
  memoryKib: 262144,
  outputKib: 8192,
};

function usage(more: Partial<Usage> = {}): Usage {
  return {
    cpuTimeMs: 1,
    wallTimeMs: 2,
    maxRssKib: 1000,
    voluntaryContextSwitches: 0,
    forcedContextSwitches: 0,
    ...more,
  };
}

function judged(outcome: Outcome, stderr = "", isHeapFull = false) {
  const judgement = judgeOutcome(outcome, { limits: LIMITS, stderr, isHeapFull });
  return judgement && [judgement.verdict, judgement.message];
}

Deno.test("a program that ends well gets its output judged", () => {
  assertEquals(judged({ kind: "exit", exitCode: 0, usage: usage() }), undefined);
});

Deno.test("exit status and signal are run-time errors", () => {
  assertEquals(judged({ kind: "exit", exitCode: 3, usage: usage() }), ["RTE", "Exit status 3"]);
  assertEquals(judged({ kind: "signal", signal: 8, usage: usage() }), [
    "RTE",
    "Killed by signal 8 (SIGFPE)",
  ]);
  assertEquals(
    describeEnding({ kind: "signal", signal: 40, usage: usage() }),
    "Killed by signal 40",
  );
});

Deno.test("a program that was killed, and no limit says why, is not to blame", () => {
  assertEquals(judged({ kind: "signal", signal: 9, usage: usage() }), [
    "JE",
    "Killed by SIGKILL, which no limit explains",
  ]);
});

Deno.test("time limits say which and how much", () => {
  const cpu = { kind: "time-limit", limit: "cpu", usage: usage({ cpuTimeMs: 1234.5 }) } as const;
  assertEquals(judged({ ...cpu, killed: true, ending: undefined }), [
    "TLE",
    "More than 1 s of CPU time",
  ]);
  assertEquals(judged({ ...cpu, killed: false, ending: { how: "exit", exitCode: 0 } }), [
    "TLE",
    "More than 1 s of CPU time (1.234 s)",
  ]);
  assertEquals(
    judged({ ...cpu, limit: "wall", killed: true, ending: undefined, usage: usage() }),
    ["TLE", "More than 6 s of wall time, with 0.001 s of CPU time"],
  );
});

Deno.test("memory and output limits say how much was allowed", () => {
  const ending = { how: "signal", signal: 9 } as const;
  assertEquals(judged({ kind: "memory-limit", ending, usage: usage() }), [
    "MLE",
    "More than 256 MiB of memory",
  ]);
  assertEquals(judged({ kind: "output-limit", stream: "stdout", usage: usage() }), [
    "OLE",
    "More than 8 MiB on standard output",
  ]);
});

Deno.test("a program that cannot get more memory has hit the memory limit", () => {
  const words = [
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "memory allocation of 4096 bytes failed",
  ];
  const much = usage({ controlGroup: { peakMemoryKib: 200_000, oomKills: 0 } });
  for (const stderr of words) {
    assertEquals(judged({ kind: "exit", exitCode: 1, usage: much }, stderr)?.[0], "MLE", stderr);
    assertEquals(judged({ kind: "signal", signal: 6, usage: much }, stderr)?.[0], "MLE", stderr);
  }
});

Deno.test("a runtime whose heap is full has hit the memory limit, however it ends", () => {
  const outcome = { kind: "exit", exitCode: 1, usage: usage() } as const;
  assertEquals(judged(outcome, "", true), ["MLE", "More than 256 MiB of memory"]);
});

Deno.test("a request for an absurd amount of memory is a crash", () => {
  const stderr = "terminate called after throwing an instance of 'std::bad_alloc'";
  assertEquals(judged({ kind: "signal", signal: 6, usage: usage() }, stderr)?.[0], "RTE");
});

Deno.test("a program that reports a lack of memory and ends well gets its output judged", () => {
  const much = usage({ maxRssKib: 262144 });
  assertEquals(judged({ kind: "exit", exitCode: 0, usage: much }, "std::bad_alloc"), undefined);
});

Deno.test("the memory of a run is that of its control group where there is one", () => {
  assertEquals(memoryOf(usage()), 1000);
  assertEquals(memoryOf(usage({ controlGroup: { peakMemoryKib: 5, oomKills: 0 } })), 5);
  assertEquals(memoryOf(usage({ controlGroup: { peakMemoryKib: undefined, oomKills: 0 } })), 1000);
});
