/**
 * What is reported of one submission.
 *
 * @module
 */

import type { TestsResult } from "../submission.ts";
import type { Submission, SubmissionResult } from "../types.ts";
import { isAsExpected } from "./verify.ts";

/**
 * The verdict of all tests together.
 *
 * @param tests what came of them
 * @param total how many there are
 * @returns the verdict, the reason, and the score
 */
export function summary(
  { grades, tests, interrupted }: TestsResult,
  total: number,
): Pick<SubmissionResult, "verdict" | "message" | "decidedBy" | "score"> {
  if (interrupted) {
    const message = `Judging was broken off after ${tests.length} of ${total} tests`;
    return { verdict: "JE", message, decidedBy: undefined };
  }
  const { verdict, decidedBy, score } = grades;
  const decisive = tests.find(({ test }) => test === decidedBy?.test.name);
  return {
    verdict,
    message: decisive?.message ?? "Accepted",
    decidedBy: decisive?.test,
    score,
  };
}

/**
 * Puts together what is known of a submission.
 *
 * @param submission the submission
 * @param known the verdict, what the compiler did, and what came of the tests, if they were run
 * @returns the result
 */
export function submissionResult(
  submission: Submission,
  known: Pick<SubmissionResult, "verdict" | "message" | "compile"> & {
    decidedBy?: string | undefined;
    score?: number | undefined;
    tests?: TestsResult;
  },
): SubmissionResult {
  const { verdict, message, compile, decidedBy, score } = known;
  const tests = known.tests?.tests ?? [];
  return {
    submission: submission.name,
    verdict,
    message,
    expected: submission.expected,
    asExpected: isAsExpected(submission, { verdict, score }),
    decidedBy,
    ...score !== undefined && { score },
    compile,
    tests,
    groups: known.tests?.grades.groups ?? [],
    maxCpuTimeMs: tests.reduce((most, { cpuTimeMs }) => Math.max(most, cpuTimeMs), 0),
    maxMemoryKib: tests.reduce((most, { memoryKib }) => Math.max(most, memoryKib), 0),
  };
}
