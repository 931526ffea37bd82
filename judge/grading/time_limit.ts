/**
 * Time limits: found from accepted submissions, and checked against what submissions really take.
 */

import type { ProblemLimits, Submission, SubmissionResult, TestResult } from "../types.ts";
import { timeText } from "../../text/quantities.ts";

/** The CPU time of each test while the time limit is not known yet. */
export const UNKNOWN_LIMIT_MS = 60_000;
/** The time limit of a package that has neither one nor an accepted submission to find it from. */
export const FALLBACK_LIMIT_MS = 10_000;

/** A time limit and where it comes from. */
export interface TimeLimit {
  /** CPU time in milliseconds. */
  readonly timeLimitMs: number;
  /** Where it comes from, for people. */
  readonly source: string;
}

/** What a submission took on its slowest test. */
export interface Slowest {
  /** The submission's name. */
  readonly submission: string;
  /** The test's name. */
  readonly test: string;
  /** CPU time in milliseconds. */
  readonly cpuTimeMs: number;
}

/** The slowest test of some submissions. */
export function slowestOf(
  results: readonly Pick<SubmissionResult, "submission" | "tests">[],
): Slowest | undefined {
  let slowest: Slowest | undefined;
  for (const { submission, tests } of results) {
    for (const { test, cpuTimeMs } of tests as readonly TestResult[]) {
      if (slowest && slowest.cpuTimeMs >= cpuTimeMs) continue;
      slowest = { submission, test, cpuTimeMs };
    }
  }
  return slowest;
}

/**
 * Whether a submission is one from which the time limit is found: it must be accepted on the whole.
 */
export function mustBeFastEnough({ name, expected }: Submission): boolean {
  return expected?.length === 1 && expected[0] === "AC" && !name.startsWith("partially_accepted/");
}

/** Whether a submission must be too slow. */
export function mustBeTooSlow({ expected }: Submission): boolean {
  return expected?.length === 1 && expected[0] === "TLE";
}

/** Finds a time limit. */
export function findTimeLimit(
  slowest: Slowest | undefined,
  { acceptedToLimit, timeResolutionMs }: Pick<
    ProblemLimits,
    "acceptedToLimit" | "timeResolutionMs"
  >,
): TimeLimit {
  if (!slowest) {
    return {
      timeLimitMs: FALLBACK_LIMIT_MS,
      source: "the package has no time limit, and no accepted submission to find it from",
    };
  }
  return {
    timeLimitMs: roundUp(slowest.cpuTimeMs * acceptedToLimit, timeResolutionMs),
    source: `${acceptedToLimit} times what ${slowest.submission} takes ` +
      `(${timeText(slowest.cpuTimeMs)} on ${slowest.test}), rounded up`,
  };
}

function roundUp(ms: number, resolutionMs: number): number {
  // Not in seconds: 0.1 s has no exact binary fraction.
  return Math.max(1, Math.ceil(ms / resolutionMs)) * resolutionMs;
}

/** Checks a time limit against what submissions take. */
export function timeLimitComplaints(timeLimitMs: number, options: {
  limits: Pick<ProblemLimits, "acceptedToLimit" | "limitToRejected" | "timeResolutionMs">;
  slowestAccepted: Slowest | undefined;
  tooSlow: readonly Slowest[];
}): string[] {
  const { limits, slowestAccepted, tooSlow } = options;
  const complaints: string[] = [];
  const neededMs = (slowestAccepted?.cpuTimeMs ?? 0) * limits.acceptedToLimit;
  if (slowestAccepted && neededMs > timeLimitMs) {
    const { submission, cpuTimeMs, test } = slowestAccepted;
    const betterMs = roundUp(neededMs, limits.timeResolutionMs);
    complaints.push(
      `The time limit of ${timeText(timeLimitMs)} is less than ${limits.acceptedToLimit} times ` +
        `what ${submission} takes (${timeText(cpuTimeMs)} on ${test}): ` +
        `${timeText(betterMs)} would be enough`,
    );
  }
  const wantedMs = timeLimitMs * limits.limitToRejected;
  for (const { submission, test, cpuTimeMs } of tooSlow) {
    if (cpuTimeMs <= timeLimitMs || cpuTimeMs >= wantedMs) continue;
    complaints.push(
      `${submission} must be too slow, but takes only ${timeText(cpuTimeMs)} (on ${test}): less ` +
        `than ${limits.limitToRejected} times the time limit of ${timeText(timeLimitMs)}`,
    );
  }
  return complaints;
}
