/** Puts together the report of a judging: results, complaints about the package, notes. */

import { submissionComplaint } from "../grading/submission_result.ts";
import {
  isReferenceSolution,
  mustBeTooSlow,
  slowestTest,
  type TestTime,
  type TimeLimit,
  timeLimitComplaints,
  UNKNOWN_LIMIT_MS,
} from "../grading/time_limit.ts";
import type { Unmet } from "../grading/expectations.ts";
import type { JudgeReport, Submission, SubmissionResult } from "../types.ts";
import type { JudgeOptions } from "./judge_options.ts";

/** A submission with its result, and what only the checks of the package need. */
export interface JudgedSubmission {
  readonly submission: Submission;
  readonly result: SubmissionResult;
  /** The slowest test, even if it does not count. */
  readonly slowest: TestTime | undefined;
  readonly isInterrupted: boolean;
  readonly unmet?: Unmet;
}

/** What is known of a judging, which may be over or not. */
export interface JudgingState {
  readonly options: JudgeOptions;
  /** The names of all tests. */
  readonly tests: readonly string[];
  readonly judged: readonly JudgedSubmission[];
  readonly warnings: readonly string[];
  /** What the checks of the tests have found. */
  readonly dataComplaints: readonly string[];
  readonly timeLimit: TimeLimit | undefined;
  /** Whether nothing was broken off. */
  readonly isOver: boolean;
  readonly startedAt: Date;
  readonly durationMs: number;
}

/** Reports what is known. */
export function reportOf(state: JudgingState): JudgeReport {
  const { options: { problem, submissions }, timeLimit, warnings } = state;
  const place = ({ submission }: JudgedSubmission) => submissions.indexOf(submission);
  const judged = state.judged.toSorted((one, other) => place(one) - place(other));
  const margins = marginComplaints(state);
  // A package that only has a limit of its own does not ask for the usual factors.
  const areNotes = problem.limits.factorsAreDefault;
  return {
    problem: problem.shortName,
    title: problem.title,
    kind: problem.kind,
    timeLimitMs: timeLimit?.timeLimitMs ?? UNKNOWN_LIMIT_MS,
    timeLimitSource: timeLimit?.source ?? "not found yet",
    memoryKib: problem.limits.memoryKib,
    outputKib: problem.limits.outputKib,
    tests: state.tests,
    submissions: judged.map(({ result }) => result),
    complaints: [...complaintsOf(state, judged), ...areNotes ? [] : margins],
    warnings: [...new Set([...warnings, ...notesOn(state, judged), ...areNotes ? margins : []])],
    interrupted: !state.isOver || judged.length < submissions.length ||
      judged.some(({ isInterrupted }) => isInterrupted),
    startedAt: state.startedAt.toISOString(),
    durationMs: state.durationMs,
  };
}

/** Says what is odd about results that are as expected. */
function notesOn({ options }: JudgingState, judged: readonly JudgedSubmission[]): string[] {
  if (!options.verify) return [];
  return judged.flatMap(({ submission: { name, expected }, result: { verdict }, unmet }) => [
    ...unmet?.notes ?? [],
    ...verdict === "OLE" && expected && !expected.includes("OLE") && expected.includes("TLE")
      ? [`${name} got OLE, which is taken for TLE: it writes too much before its time is over`]
      : [],
  ]);
}

/** Says what is wrong with submissions and the package. */
function complaintsOf(
  { options: { verify, onlyTests, problem, submissions }, dataComplaints }: JudgingState,
  judged: readonly JudgedSubmission[],
): string[] {
  const complete = judged.filter(({ isInterrupted }) => !isInterrupted);
  const all = problem.whole?.submissions ?? submissions;
  const hasAccepted = all.some((one) => isReferenceSolution({ ...one, forTimeLimit: undefined }));
  return [
    ...verify || onlyTests ? problem.complaints ?? [] : [],
    ...dataComplaints,
    ...complete.flatMap(({ submission, result }) => submissionComplaint(submission, result) ?? []),
    ...verify ? complete.flatMap(({ unmet }) => unmet?.complaints ?? []) : [],
    ...verify && problem.format === "kattis" && !hasAccepted
      ? ["The package has no accepted submission (in submissions/accepted)"]
      : [],
  ];
}

/** Says where the time limit is too near to the times of submissions. */
function marginComplaints({ options, judged, timeLimit }: JudgingState): readonly string[] {
  if (!options.verify || !timeLimit) return [];
  const complete = judged.filter(({ isInterrupted }) => !isInterrupted);
  const accepted = complete.filter((one) => isReferenceSolution(one.submission) && givesTime(one));
  const tooSlow = complete.filter(({ submission, result }) =>
    mustBeTooSlow(submission) && result.verdict === "TLE"
  );
  return timeLimitComplaints(timeLimit.timeLimitMs, {
    limits: options.problem.limits,
    slowestAccepted: slowestTest(accepted.map(({ result }) => result)),
    tooSlow: tooSlow.flatMap(({ slowest }) => slowest ?? []),
  });
}

/** Tells whether the times of a reference solution count. */
export function givesTime(
  { submission: { forTimeLimit }, result: { verdict } }: JudgedSubmission,
): boolean {
  return verdict === "AC" || forTimeLimit === "lower";
}
