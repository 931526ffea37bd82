/** The verdict and the score of a group, from those of its members. */

import type { GroupGrading, Verdict } from "../types.ts";
import { VERDICTS_BEST_FIRST } from "../verdicts.ts";

/** What came of a group or a test. */
export interface MemberResult<Test> {
  /** What is said of it. */
  readonly verdict: Verdict;
  /** Its score; without a meaning where there are none. */
  readonly score: number;
  /** The test that decided; undefined if it is accepted. */
  readonly decidedBy: Test | undefined;
}

/** Grades a group. */
export function aggregate<Test>(
  grading: GroupGrading,
  all: readonly MemberResult<Test>[],
): MemberResult<Test> {
  // The samples come first; who fails there under `break` has no other result.
  const results = grading.ignoreSample ? all.slice(-1) : all;
  const score = aggregateScore(grading.scoreMode, results.map((result) => result.score));
  const { verdict, decidedBy } = decide(grading, { all, results });
  return { verdict, score, decidedBy: verdict === "AC" ? undefined : decidedBy };
}

function decide<Test>(
  { verdictMode, acceptIfAnyAccepted }: GroupGrading,
  { all, results }: {
    all: readonly MemberResult<Test>[];
    results: readonly MemberResult<Test>[];
  },
): Pick<MemberResult<Test>, "verdict" | "decidedBy"> {
  const accepted = { verdict: "AC", decidedBy: undefined } as const;
  // Nothing makes up for an error of the judge.
  const judgeError = all.find((result) => result.verdict === "JE");
  if (judgeError) return judgeError;
  if (acceptIfAnyAccepted && results.some((result) => result.verdict === "AC")) return accepted;
  if (verdictMode === "always_accept") return accepted;
  const errors = results.filter((result) => result.verdict !== "AC");
  if (verdictMode === "first_error") return errors[0] ?? accepted;
  const worst = VERDICTS_BEST_FIRST.findLast((verdict) =>
    errors.some((error) => error.verdict === verdict)
  );
  return errors.find((error) => error.verdict === worst) ?? accepted;
}

function aggregateScore(mode: GroupGrading["scoreMode"], scores: readonly number[]): number {
  if (scores.length === 0) return 0;
  if (mode === "min") return scores.reduce((least, score) => Math.min(least, score));
  if (mode === "max") return scores.reduce((most, score) => Math.max(most, score));
  const sum = scores.reduce((total, score) => total + score, 0);
  return tidy(mode === "sum" ? sum : sum / scores.length);
}

/** 0.1 + 0.2 is 0.3 for people. */
function tidy(score: number): number {
  return Number(score.toPrecision(12));
}
