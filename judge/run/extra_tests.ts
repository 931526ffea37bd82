/** Tests of a submission that run although its verdict is known. */

import { isDecided } from "../grading/expectations.ts";
import { mustBeTooSlow } from "../grading/time_limit.ts";
import type { Submission, TestResult } from "../types.ts";

/** Makes the condition for which tests are run that do not count; undefined: none are. */
export function searchOf(
  submission: Submission,
  wantedTimeMs: number,
): ((tests: readonly TestResult[]) => boolean) | undefined {
  const { expectations = [] } = submission;
  const isSlow = mustBeTooSlow(submission);
  if (!isSlow && expectations.length === 0) return undefined;
  return (tests) => {
    const isSlowEnough = !isSlow || tests.some(({ cpuTimeMs, outcome }) =>
      // One that waited until its wall time was over uses no CPU time on other tests either.
      cpuTimeMs >= wantedTimeMs || outcome?.kind === "time-limit" && outcome.limit === "wall"
    );
    return isSlowEnough && expectations.every((one) => isDecided(one, tests));
  };
}

/** Adds the tests that were run but do not count. */
export function withExtra(
  counted: readonly TestResult[],
  all: readonly TestResult[],
): readonly TestResult[] {
  const known = new Map(counted.map((result) => [result.test, result]));
  return all.map((result) => known.get(result.test) ?? { ...result, isExtra: true });
}
