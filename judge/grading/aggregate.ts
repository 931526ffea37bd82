/** Combines the verdicts and scores of a group's members to those of the group. */

import type { GroupGrading, TestResult, Verdict } from "../types.ts";
import { VERDICTS_BEST_FIRST } from "../verdicts.ts";

/** The verdict and score of a test or a group. */
export interface Grade {
  readonly verdict: Verdict;
  /** Meaningless for a pass-fail problem. */
  readonly score: number;
  /** The test that decided the verdict; undefined if the group is accepted. */
  readonly decidedBy: TestResult | undefined;
  /** One sentence for people where no test decided the verdict. */
  readonly message?: string | undefined;
}

/** Grades a group. */
export function aggregate(grading: GroupGrading, all: readonly Grade[]): Grade {
  // The samples come first. A submission that fails them under `break` has no other grade.
  const grades = grading.ignoreSample ? all.slice(-1) : all;
  // Nothing makes up for an error of the judge.
  const decisive = all.find(({ verdict }) => verdict === "JE") ?? decisiveError(grading, grades);
  const score = grading.scoreMode === "pass-fail"
    ? (decisive ? 0 : grading.range[1])
    : aggregateScore(grading.scoreMode, grades.map((grade) => grade.score));
  const { verdict = "AC", decidedBy, message } = decisive ?? {};
  return { verdict, score, decidedBy, message };
}

function decisiveError(
  { verdictMode, acceptIfAnyAccepted }: GroupGrading,
  grades: readonly Grade[],
): Grade | undefined {
  const errors = grades.filter(({ verdict }) => verdict !== "AC");
  if (verdictMode === "always_accept") return undefined;
  if (acceptIfAnyAccepted && errors.length < grades.length) return undefined;
  if (verdictMode === "first_error") return errors[0];
  const verdicts = errors.map(({ verdict }) => verdict);
  const worst = VERDICTS_BEST_FIRST.findLast((verdict) => verdicts.includes(verdict));
  return errors.find(({ verdict }) => verdict === worst);
}

function aggregateScore(
  mode: Exclude<GroupGrading["scoreMode"], "pass-fail">,
  scores: readonly number[],
): number {
  if (scores.length === 0) return 0;
  if (mode === "min") return scores.reduce((least, score) => Math.min(least, score));
  if (mode === "max") return scores.reduce((most, score) => Math.max(most, score));
  const sum = scores.reduce((total, score) => total + score, 0);
  // 0.1 + 0.2 is 0.3 for people.
  return Number((mode === "sum" ? sum : sum / scores.length).toPrecision(12));
}
