/**
 * Judges how a program ended, before anybody looks at its output.
 *
 * The first of these that holds decides: it hit the memory limit, passed a time limit, passed the output
 * limit, crashed. Only the output of a program that ended well is judged.
 */

import { type Outcome, outcomeMessage, SIGNALS, type Usage } from "../../mod.ts";
import { sizeText, timeText } from "../../text/quantities.ts";
import type { TestResult } from "../types.ts";

/** What is known of a test besides the outcome of the program. */
export type Judgement = Omit<
  TestResult,
  "test" | "cpuTimeMs" | "wallTimeMs" | "memoryKib" | "outcome" | "stderr"
>;

/** The limits of a run. */
export interface TestLimits {
  /** CPU time. */
  readonly timeLimitMs: number;
  readonly wallTimeMs: number;
  readonly memoryKib: number;
  readonly outputKib: number;
}

/** What programs without a heap of their own write when they get no more memory. */
const NO_MEMORY = /std::bad_alloc|memory allocation of \d+ bytes failed/;

/** Such a program has used at least this part of its memory, or it asked for too much at once. */
const NO_MEMORY_PART = 0.5;

/**
 * Judges how a program ended; gives undefined if it ended well.
 *
 * A runtime whose heap is full gives up below the limit of the control group: that counts as the memory
 * limit too. So does a C++ or Rust program that gets no more memory (where there is no control group),
 * if at least half of it was in use: one absurd request is a crash.
 */
export function judgeOutcome(
  outcome: Outcome,
  { limits, stderr, isHeapFull }: { limits: TestLimits; stderr: string; isHeapFull: boolean },
): Judgement | undefined {
  const tooMuchMemory = {
    verdict: "MLE",
    message: `More than ${sizeText(limits.memoryKib)} of memory`,
  } as const;
  switch (outcome.kind) {
    case "memory-limit":
      return tooMuchMemory;
    case "time-limit":
      return { verdict: "TLE", message: timeMessage(outcome, limits) };
    case "output-limit": {
      const message = `More than ${sizeText(limits.outputKib)} on standard output`;
      return { verdict: "OLE", message };
    }
    case "interrupted":
      return { verdict: "JE", message: "Judging was interrupted" };
    case "signal":
    case "exit": {
      if (outcome.kind === "exit" && outcome.exitCode === 0) return undefined;
      const usedMuch = memoryOf(outcome.usage) >= NO_MEMORY_PART * limits.memoryKib;
      if (isHeapFull || usedMuch && NO_MEMORY.test(stderr)) return tooMuchMemory;
      // No limit explains it: the host may have run out of memory, or somebody may have killed the program.
      if (wasKilled(outcome)) {
        return { verdict: "JE", message: "Killed by SIGKILL, which no limit explains" };
      }
      return { verdict: "RTE", message: describeEnding(outcome) };
    }
  }
}

/** Tells whether a signal ended a program that no mistake of its own causes. */
export function wasKilled(outcome: Outcome): boolean {
  return outcome.kind === "signal" && outcome.signal === SIGNALS.SIGKILL;
}

/** Tells the peak memory of a run. */
export function memoryOf(usage: Usage): number {
  return usage.controlGroup?.peakMemoryKib ?? usage.maxRssKib;
}

/** Describes how a program ended. */
export function describeEnding(outcome: Outcome): string {
  if (outcome.kind === "exit") return `Exit status ${outcome.exitCode}`;
  if (outcome.kind === "memory-limit") return "Out of memory";
  if (outcome.kind !== "signal") return outcomeMessage(outcome);
  const known = Object.entries(SIGNALS).find(([, signal]) => signal === outcome.signal);
  return `Killed by signal ${outcome.signal}${known ? ` (${known[0]})` : ""}`;
}

function timeMessage(
  { limit, killed, usage }: Extract<Outcome, { kind: "time-limit" }>,
  { timeLimitMs, wallTimeMs }: TestLimits,
): string {
  const used = timeText(usage.cpuTimeMs);
  if (limit === "wall") {
    return `More than ${timeText(wallTimeMs)} of wall time, with ${used} of CPU time`;
  }
  return `More than ${timeText(timeLimitMs)} of CPU time${killed ? "" : ` (${used})`}`;
}
