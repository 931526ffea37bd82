/** Finds time limits by accepted submissions, and checks them against what submissions take. */

import { timeText } from "../../text/quantities.ts";
import type { ProblemLimits, Submission, SubmissionResult } from "../types.ts";

/** The CPU time of each test while the time limit is not known yet. */
export const UNKNOWN_LIMIT_MS = 60_000;
/** The time limit of a package that has neither one nor an accepted submission to find it by. */
export const FALLBACK_LIMIT_MS = 10_000;

/** A time limit and where it comes from. */
export interface TimeLimit {
  /** CPU time. */
  readonly timeLimitMs: number;
  /** For people. */
  readonly source: string;
}

/** The CPU time of a submission on a test. */
export interface TestTime {
  readonly submission: string;
  readonly test: string;
  readonly cpuTimeMs: number;
}

/** Finds the slowest test of some submissions. */
export function slowestTest(
  results: readonly Pick<SubmissionResult, "submission" | "tests">[],
): TestTime | undefined {
  return results
    .flatMap(({ submission, tests }) =>
      tests.map(({ test, cpuTimeMs }): TestTime => ({ submission, test, cpuTimeMs }))
    )
    .reduce<TestTime | undefined>(
      (slowest, time) => slowest && slowest.cpuTimeMs >= time.cpuTimeMs ? slowest : time,
      undefined,
    );
}

/** Tells whether a submission is a reference solution: the time limit must leave room for it. */
export function isReferenceSolution({ name, expected, forTimeLimit = true }: Submission): boolean {
  if (forTimeLimit === "lower") return true;
  return forTimeLimit === true && expected?.length === 1 && expected[0] === "AC" &&
    !name.startsWith("partially_accepted/");
}

/** Tells whether a submission must exceed the time limit. */
export function mustBeTooSlow({ expected, forTimeLimit = true }: Submission): boolean {
  if (forTimeLimit === "upper") return true;
  if (forTimeLimit !== true || !expected?.includes("TLE")) return false;
  return expected.every((verdict) => verdict === "TLE" || verdict === "OLE");
}

/** Finds the time limit by the slowest test of the reference solutions. */
export function findTimeLimit(
  slowest: TestTime | undefined,
  limits: Pick<ProblemLimits, "acceptedToLimit" | "timeResolutionMs">,
): TimeLimit {
  if (!slowest) {
    const source = "the package has neither a time limit nor an accepted submission";
    return { timeLimitMs: FALLBACK_LIMIT_MS, source };
  }
  const { acceptedToLimit, timeResolutionMs } = limits;
  return {
    timeLimitMs: roundUp(slowest.cpuTimeMs * acceptedToLimit, timeResolutionMs),
    source: `${acceptedToLimit} times the CPU time of ${describe(slowest)}, rounded up`,
  };
}

function describe({ submission, test, cpuTimeMs }: TestTime): string {
  return `${submission} (${timeText(cpuTimeMs)} on ${test})`;
}

function roundUp(ms: number, resolutionMs: number): number {
  // Not in seconds: 0.1 s has no exact binary fraction.
  return Math.max(1, Math.ceil(ms / resolutionMs)) * resolutionMs;
}

/** Checks a time limit against what submissions take. */
export function timeLimitComplaints(timeLimitMs: number, options: {
  limits: Pick<ProblemLimits, "acceptedToLimit" | "limitToRejected" | "timeResolutionMs">;
  slowestAccepted: TestTime | undefined;
  tooSlow: readonly TestTime[];
}): string[] {
  const { limits, slowestAccepted, tooSlow } = options;
  const { acceptedToLimit, limitToRejected, timeResolutionMs } = limits;
  const complaints: string[] = [];
  const neededMs = (slowestAccepted?.cpuTimeMs ?? 0) * acceptedToLimit;
  if (slowestAccepted && neededMs > timeLimitMs) {
    complaints.push(
      `The time limit of ${timeText(timeLimitMs)} is less than ${acceptedToLimit} times the CPU ` +
        `time of ${describe(slowestAccepted)}: ` +
        `${timeText(roundUp(neededMs, timeResolutionMs))} would be enough`,
    );
  }
  for (const time of tooSlow) {
    // One within the limit has the wrong verdict, which is another complaint.
    if (time.cpuTimeMs <= timeLimitMs || time.cpuTimeMs >= timeLimitMs * limitToRejected) continue;
    complaints.push(
      `${describe(time)} should be slower: its CPU time is less than ${limitToRejected} times ` +
        `the time limit of ${timeText(timeLimitMs)}`,
    );
  }
  return complaints;
}
