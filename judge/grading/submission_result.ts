/** What is reported of one submission. */

import type { TestsResult } from "../run/submission.ts";
import type { Submission, SubmissionResult } from "../types.ts";
import { isAsExpected } from "./verify.ts";

/** The verdict of all tests together. */
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

/** Puts together what is known of a submission. */
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
