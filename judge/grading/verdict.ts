/**
 * What is said of a program that has ended, before anybody has looked at its output.
 *
 * The first of these that holds decides: the memory limit was hit, a time limit was passed, the output
 * limit was passed, the program crashed. Only a program that ended well gets its output judged.
 */

import type { Outcome, Usage } from "../../mod.ts";
import { sizeText, timeText } from "../../text/quantities.ts";
import type { Verdict } from "../types.ts";

/** What is said of a test, and why. */
export interface Judgement {
  /** What is said. */
  readonly verdict: Verdict;
  /** One sentence for people, without a full stop. */
  readonly message: string;
}

/** What a run was allowed. */
export interface AllowedUse {
  /** CPU time in milliseconds. */
  readonly timeLimitMs: number;
  /** Wall time in milliseconds. */
  readonly wallTimeMs: number;
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Output in KiB. */
  readonly outputKib: number;
}

/** See signal(7); the numbers are the same on x86_64 and aarch64. */
const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  10: "SIGUSR1",
  11: "SIGSEGV",
  12: "SIGUSR2",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  17: "SIGCHLD",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

/** With what words programs without a heap of their own say that they have got no more memory. */
const NO_MEMORY = /std::bad_alloc|memory allocation of \d+ bytes failed/;

/** A program that says so has used at least this part of its memory, or it has asked for too much. */
const NO_MEMORY_PART = 0.5;

/**
 * What is said of a program that has ended.
 *
 * A runtime whose heap is full gives up by itself, below the limit of the control group: that counts as
 * the memory limit too. So does a C++ or Rust program that gets no more memory (where there is no
 * control group), if at least half of it was in use: one absurd request is a crash.
 */
export function judgeOutcome(
  outcome: Outcome,
  { allowed, stderr, isHeapFull }: { allowed: AllowedUse; stderr: string; isHeapFull: boolean },
): Judgement | undefined {
  switch (outcome.kind) {
    case "memory-limit":
      return tooMuchMemory(allowed);
    case "time-limit":
      return { verdict: "TLE", message: timeMessage(outcome, allowed) };
    case "output-limit":
      return {
        verdict: "OLE",
        message: `More than ${sizeText(allowed.outputKib)} on standard output`,
      };
    case "interrupted":
      return { verdict: "JE", message: "Judging was broken off" };
    case "signal":
    case "exit": {
      if (outcome.kind === "exit" && outcome.exitCode === 0) return undefined;
      const hasMuch = memoryOf(outcome.usage) >= NO_MEMORY_PART * allowed.memoryKib;
      if (isHeapFull || hasMuch && NO_MEMORY.test(stderr)) return tooMuchMemory(allowed);
      return { verdict: "RTE", message: describeEnding(outcome) };
    }
  }
}

/** The memory that a run used at its peak. */
export function memoryOf(usage: Usage): number {
  return usage.controlGroup?.peakMemoryKib ?? usage.maxRssKib;
}

/** How a program ended, for people. */
export function describeEnding(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exit":
      return `Exit status ${outcome.exitCode}`;
    case "signal": {
      const name = SIGNAL_NAMES[outcome.signal];
      return `Killed by signal ${outcome.signal}${name === undefined ? "" : ` (${name})`}`;
    }
    case "time-limit":
      return outcome.limit === "cpu" ? "Too much CPU time" : "Too much wall time";
    case "memory-limit":
      return "Out of memory";
    case "output-limit":
      return "Too much output";
    case "interrupted":
      return "Broken off";
  }
}

function tooMuchMemory({ memoryKib }: AllowedUse): Judgement {
  return { verdict: "MLE", message: `More than ${sizeText(memoryKib)} of memory` };
}

function timeMessage(
  { limit, killed, usage }: Extract<Outcome, { kind: "time-limit" }>,
  { timeLimitMs, wallTimeMs }: AllowedUse,
): string {
  if (limit === "wall") {
    const used = timeText(usage.cpuTimeMs);
    return `More than ${timeText(wallTimeMs)} of wall time, with ${used} of CPU time`;
  }
  const used = killed ? "" : ` (${timeText(usage.cpuTimeMs)})`;
  return `More than ${timeText(timeLimitMs)} of CPU time${used}`;
}
