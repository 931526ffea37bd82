/**
 * Decides which tests are needed, and grades a submission by their results.
 *
 * The rules are those of the problem package format: the members of a group are judged in order, and
 * `on_reject: break` skips the rest of a group after the first member that is not accepted. Tests may
 * run in any order and many at once. The grades are the same as if they had run one by one, because
 * results that a sequential judge would not have seen do not count.
 */

import type { GroupResult, Problem, TestGroup, TestResult, Verdict } from "../types.ts";
import { aggregate, type Grade } from "./aggregate.ts";
import { build, descendants, type Leaf, type Node, type PlannedTest } from "./test_tree.ts";

export type { PlannedTest };

/** The grades of a submission. */
export interface Grades {
  /** That of the topmost group; judge error if tests are missing. */
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly message: string;
  /** Undefined unless the problem has scores and the submission is accepted. */
  readonly score: number | undefined;
  /** The test that decided the verdict; undefined if it is accepted or no test was run. */
  readonly decidedBy: TestResult | undefined;
  /** The tests that count, in order. */
  readonly tests: readonly TestResult[];
  /** All groups that were judged, the topmost first. */
  readonly groups: readonly GroupResult[];
  /** Scores that a group cannot have, a sentence each. */
  readonly warnings: readonly string[];
  /** Whether every test that is needed has its result. */
  readonly isComplete: boolean;
}

/** Collects what a report says of groups and tests. */
interface Details {
  readonly tests: TestResult[];
  readonly groups: GroupResult[];
  readonly warnings: string[];
}

/** Names all tests of a group in order. */
export function testNames({ members }: TestGroup): string[] {
  return members.flatMap((member) =>
    member.kind === "test" ? member.test.name : testNames(member.group)
  );
}

/** Grades one submission: hands out its tests, and takes their results in whatever order they come. */
export class Grading {
  /** All tests in order. */
  readonly tests: readonly PlannedTest[];
  readonly #leaves: Leaf[] = [];
  readonly #hasScores: boolean;
  readonly #root: Node;
  /** The groups that require another one. */
  readonly #dependent: Node[] = [];
  readonly #results: (TestResult | undefined)[];
  /** The first test that was not handed out yet, unless it is not needed. */
  #cursor = 0;
  /** Every test before it has a result or is not needed. */
  #frontier = 0;

  /** Takes the tests of a problem. */
  constructor(problem: Pick<Problem, "data" | "kind">) {
    this.#root = build(problem.data, { parent: undefined, leaves: this.#leaves });
    this.#dependent = descendants(this.#root).filter(({ group }) => group.requires);
    this.tests = this.#leaves;
    this.#hasScores = problem.kind === "scoring";
    this.#results = new Array(this.#leaves.length).fill(undefined);
  }

  /** Hands out the test to be run next, each once. */
  next(): PlannedTest | undefined {
    for (let cut; (cut = this.#cutAt(this.#cursor));) this.#cursor = cut.to;
    return this.tests[this.#cursor++];
  }

  /** Tells whether a test may still be needed. */
  isNeeded({ index }: PlannedTest): boolean {
    return this.#cutAt(index) === undefined;
  }

  /** Whether every test that is needed has its result. */
  get isComplete(): boolean {
    return this.#frontier >= this.tests.length;
  }

  /** Takes the result of a test; ignores that of a test that is not needed any more. */
  add({ index }: PlannedTest, result: TestResult): void {
    if (this.#cutAt(index)) return;
    this.#results[index] = result;
    if (result.verdict !== "AC") this.#reject(this.#leaves[index]!.parent, index + 1);
    this.#advance();
  }

  /** Lets a program grade the groups that want it, the inner ones first, before the conclusion. */
  async applyGrader(
    grade: (group: TestGroup, grades: readonly Grade[]) => Promise<Grade>,
  ): Promise<void> {
    for (const node of [this.#root, ...descendants(this.#root)].reverse()) {
      if (node.group.grading.graderFlags === undefined) continue;
      const grades = this.#gradesOf(node);
      // Nothing makes up for an error of the judge.
      if (grades.length === 0 || grades.some(({ verdict }) => verdict === "JE")) continue;
      node.graded = await grade(node.group, grades);
    }
  }

  /** Grades by the results so far; `isGraded`: no program that grades groups was interrupted. */
  conclude({ isGraded = true }: { isGraded?: boolean } = {}): Grades {
    const details: Details = { tests: [], groups: [], warnings: [] };
    const { verdict, score, decidedBy, message } = this.#judge(this.#root, details);
    const isComplete = this.isComplete && isGraded;
    if (!isComplete) {
      const count = `${details.tests.length} of ${this.tests.length} tests`;
      const message = `Judging was interrupted after ${count}`;
      return {
        ...details,
        isComplete,
        verdict: "JE",
        message,
        score: undefined,
        decidedBy: undefined,
      };
    }
    return {
      ...details,
      isComplete,
      verdict,
      message: decidedBy?.message ?? message ?? "Accepted",
      score: this.#hasScores && (verdict === "AC" || this.#root.group.grading.scoresRejected)
        ? score
        : undefined,
      decidedBy,
    };
  }

  /** Skips what comes after a member of this group that is not accepted, where that is allowed. */
  #reject(node: Node, after: number): void {
    const { onReject, grading } = node.group;
    if (onReject === "break") node.cut = Math.min(node.cut, after);
    this.#block(node);
    // Otherwise the group may still be accepted; that is known when all of it is.
    const isCertain = grading.graderFlags === undefined &&
      grading.verdictMode !== "always_accept" && !grading.acceptIfAnyAccepted &&
      !grading.ignoreSample;
    if (node.parent && isCertain) this.#reject(node.parent, node.to);
  }

  /** Skips the groups that require this one, as they come after it, and those that require them. */
  #block(node: Node): void {
    for (const other of this.#dependent) {
      if (other.blockedBy || !other.group.requires?.includes(node.group.name)) continue;
      other.blockedBy = node;
      other.cut = other.from;
      this.#block(other);
    }
  }

  /** Moves the frontier over all that is known, and judges the groups that end there. */
  #advance(): void {
    while (this.#frontier < this.tests.length) {
      const cut = this.#cutAt(this.#frontier);
      if (!cut && this.#results[this.#frontier] === undefined) return;
      const to = cut?.to ?? this.#frontier + 1;
      this.#frontier = to;
      for (let node = this.#nodeOf(to - 1); node?.to === to; node = node.parent) {
        if (node.isOpen) continue;
        const { verdict } = this.#judge(node);
        if (verdict !== "AC" && node.parent) this.#reject(node.parent, to);
      }
    }
  }

  #nodeOf(index: number): Node | undefined {
    return this.#leaves[index]?.parent;
  }

  /** Finds the topmost group that skips this test. */
  #cutAt(index: number): Node | undefined {
    let cut: Node | undefined;
    for (let node = this.#nodeOf(index); node; node = node.parent) {
      if (node.cut <= index) cut = node;
    }
    return cut;
  }

  /** Judges a group as if its tests had been run one by one. */
  #judge(node: Node, details?: Details): Grade {
    const { group, from, to } = node;
    const place = details?.groups.length ?? 0;
    const testsBefore = details?.tests.length ?? 0;
    const grades = this.#gradesOf(node, details);
    const grade = node.graded ?? aggregate(group.grading, grades);
    if (!details) return grade;
    const { verdict, score } = grade;
    const testsRun = details.tests.length - testsBefore;
    const [low, high] = group.grading.range;
    if (this.#hasScores && testsRun > 0 && (score < low || score > high)) {
      const name = group.name === "" ? "The topmost group" : `Group ${group.name}`;
      details.warnings.push(`${name} has the score ${score}, which is not in ${low} to ${high}`);
    }
    details.groups.splice(place, 0, {
      group: group.name,
      verdict,
      score: this.#hasScores ? score : undefined,
      testsRun,
      testsSkipped: to - from - testsRun,
    });
    return grade;
  }

  /** The grades of a group's members that a judge would have seen who judges one by one. */
  #gradesOf({ group, members }: Node, details?: Details): Grade[] {
    const grades: Grade[] = [];
    for (const member of members) {
      const grade = "members" in member
        ? this.#judgeMember(member, details)
        : this.#judgeTest(member, details);
      if (grade) grades.push(grade);
      if (grade && grade.verdict !== "AC" && group.onReject === "break") break;
    }
    return grades;
  }

  /** A group without any result has no grade. */
  #judgeMember(node: Node, details?: Details): Grade | undefined {
    if (node.blockedBy) return this.#judgeBlocked(node, node.blockedBy, details);
    const isEmpty = this.#results.slice(node.from, node.to).every((result) => !result);
    return isEmpty ? undefined : this.#judge(node, details);
  }

  /** A group whose required group is not accepted is worth nothing, and fails for the same reason. */
  #judgeBlocked(node: Node, by: Node, details?: Details): Grade {
    const { verdict, decidedBy } = this.#judgeMember(by) ?? { verdict: "JE", decidedBy: undefined };
    details?.groups.push({
      group: node.group.name,
      verdict,
      score: this.#hasScores ? 0 : undefined,
      testsRun: 0,
      testsSkipped: node.to - node.from,
    });
    return { verdict, score: 0, decidedBy };
  }

  #judgeTest({ index, test, group }: Leaf, details?: Details): Grade | undefined {
    const result = this.#results[index];
    if (!result) return undefined;
    const { rejectScore } = group.grading;
    const acceptScore = test.scoreMax ?? group.grading.acceptScore;
    const score = result.score ?? (result.verdict === "AC" ? acceptScore : rejectScore);
    details?.tests.push(this.#hasScores ? { ...result, score } : result);
    return { verdict: result.verdict, score, decidedBy: result };
  }
}
