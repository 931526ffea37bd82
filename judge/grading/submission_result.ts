/** Puts the result of a submission together, and holds it against what was promised. */

import type { Submission, SubmissionResult } from "../types.ts";
import type { Grades } from "./grading.ts";

/** Puts together what is known of a submission. */
export function submissionResult(
  submission: Submission,
  known: Pick<SubmissionResult, "compile" | "verdict" | "message"> & Partial<Grades>,
): SubmissionResult {
  const { compile, verdict, message, score, decidedBy, tests = [], groups = [] } = known;
  return {
    submission: submission.name,
    verdict,
    message,
    expected: submission.expected,
    asExpected: isAsExpected(submission, { verdict, score, compile }),
    decidedBy: decidedBy?.test,
    ...score !== undefined && { score },
    compile,
    tests,
    groups,
    maxCpuTimeMs: tests.reduce((most, { cpuTimeMs }) => Math.max(most, cpuTimeMs), 0),
    maxMemoryKib: tests.reduce((most, { memoryKib }) => Math.max(most, memoryKib), 0),
  };
}

/** How a submission was compiled, if that is known. */
interface HowCompiled {
  readonly compile?: SubmissionResult["compile"];
}

/** Tells whether the language is unknown: that is no compile error that an author means. */
function isUnknown(compile: HowCompiled["compile"]): boolean {
  return compile !== undefined && compile.language === undefined;
}

/** Tells whether a submission got what was promised. */
export function isAsExpected(
  { expected, expectedScore }: Pick<Submission, "expected" | "expectedScore">,
  { verdict, score, compile }: Pick<SubmissionResult, "verdict" | "score"> & HowCompiled,
): boolean {
  if (expected && verdict === "CE" && isUnknown(compile)) return false;
  if (verdict === "JE") return expected?.includes("JE") ?? false;
  // Whether endless output or the time ends it first depends on the limits alone.
  const isTooLong = verdict === "OLE" && expected?.includes("TLE");
  if (expected && !expected.includes(verdict) && !isTooLong) return false;
  // Only an accepted submission has a score.
  if (!expectedScore || score === undefined) return true;
  const [low, high] = expectedScore;
  return low <= score && score <= high;
}

/** Says what is not as promised of a submission. */
export function submissionComplaint(
  submission: Pick<Submission, "name" | "expected" | "expectedScore">,
  result: Pick<SubmissionResult, "verdict" | "score" | "message" | "decidedBy"> & HowCompiled,
): string | undefined {
  const { name, expected, expectedScore } = submission;
  if (isAsExpected(submission, result)) return undefined;
  const { verdict, score, message, decidedBy } = result;
  const why = decidedBy === undefined ? message : `${decidedBy}: ${message}`;
  if (verdict === "JE") return `${name} could not be judged (${why})`;
  if (verdict === "CE" && isUnknown(result.compile)) {
    return `${name} could not be compiled: ${message}`;
  }
  if (expected && !expected.includes(verdict)) {
    return `${name} got ${verdict}, expected ${expected.join(" or ")} (${why})`;
  }
  return `${name} got the score ${score}, expected ${rangeText(expectedScore!)}`;
}

function rangeText([low, high]: readonly [number, number]): string {
  if (high - low < 1e-6 * Math.max(1, Math.abs(low))) {
    return `${Number(((low + high) / 2).toPrecision(9))}`;
  }
  if (high === Infinity) return `at least ${low}`;
  return low === -Infinity ? `at most ${high}` : `${low} to ${high}`;
}
