/** Whether submissions get what was promised of them. */

import type { Submission, SubmissionResult } from "../types.ts";

/** What a submission got. */
export type Got = Pick<SubmissionResult, "verdict" | "score">;

/** Whether a submission got what was promised. */
export function isAsExpected(
  { expected, expectedScore }: Pick<Submission, "expected" | "expectedScore">,
  { verdict, score }: Got,
): boolean {
  if (verdict === "JE") return expected?.includes("JE") ?? false;
  if (expected && !expected.includes(verdict)) return false;
  return !isOutside(expectedScore, score);
}

/** Only an accepted submission has a score. */
function isOutside(range: Submission["expectedScore"], score: number | undefined): boolean {
  return range !== undefined && score !== undefined && (score < range[0] || score > range[1]);
}

/** What is not as promised of a submission, for people. */
export function submissionComplaint(
  submission: Pick<Submission, "name" | "expected" | "expectedScore">,
  result: Pick<SubmissionResult, "verdict" | "score" | "message" | "decidedBy">,
): string | undefined {
  const { name, expected, expectedScore } = submission;
  if (isAsExpected(submission, result)) return undefined;
  const { verdict, score, message, decidedBy } = result;
  const why = decidedBy === undefined ? message : `${decidedBy}: ${message}`;
  if (verdict === "JE") return `${name} could not be judged (${why})`;
  if (expected && !expected.includes(verdict)) {
    return `${name} got ${verdict}, expected ${expected.join(" or ")} (${why})`;
  }
  const [low, high] = expectedScore!;
  const wanted = low === high
    ? `${low}`
    : high === Infinity
    ? `at least ${low}`
    : low === -Infinity
    ? `at most ${high}`
    : `${low} to ${high}`;
  return `${name} got the score ${score}, expected ${wanted}`;
}
