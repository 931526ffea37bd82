/**
 * Groups of tests: which tests are needed, and what verdict and score come of them.
 *
 * The rules are those of the problem package format: the members of a group are judged in order; where
 * a group says `on_reject: break` everything in it after the first member that is not accepted is
 * left out. Tests may be run in any order and many at once; the result is the same as if they had been
 * run one by one, because what a judge who runs them one by one would have left out does not count.
 */

import { aggregate, type MemberResult } from "./aggregate.ts";
import type { GroupResult, Problem, TestCase, TestGroup, Verdict } from "../types.ts";

/** What grading needs to know of a test. */
export interface TestGrade {
  /** What is said of it. */
  readonly verdict: Verdict;
  /** The score that the validator gave; undefined: that of its group. */
  readonly score?: number | undefined;
}

/** A test in its place. */
export interface PlannedTest {
  /** Its place among all tests, from 0. */
  readonly index: number;
  /** The test. */
  readonly test: TestCase;
  /** The group that it belongs to. */
  readonly group: TestGroup;
}

/** What came of all tests. */
export interface Grades {
  /** The verdict of the topmost group. */
  readonly verdict: Verdict;
  /** For scoring problems: its score, if it is accepted. */
  readonly score: number | undefined;
  /** The test that decided the verdict; undefined if it is accepted or no test was run. */
  readonly decidedBy: PlannedTest | undefined;
  /** The tests that count, in order. */
  readonly counted: readonly PlannedTest[];
  /** The scores of the tests that count, for scoring problems. */
  readonly scores: ReadonlyMap<number, number>;
  /** All groups that were judged, the topmost first. */
  readonly groups: readonly GroupResult[];
  /** What is odd, a sentence each: scores that a group cannot have. */
  readonly warnings: readonly string[];
}

/** A group in its place. */
interface Node {
  readonly group: TestGroup;
  readonly parent: Node | undefined;
  readonly members: readonly Member[];
  /** Its tests are those from `from` up to, but without, `to`. */
  readonly from: number;
  readonly to: number;
  /** Its tests from here on are not needed any more. */
  cut: number;
}

type Member =
  | { readonly kind: "test"; readonly planned: PlannedTest }
  | { readonly kind: "group"; readonly node: Node };

/** The tests of a problem, in order. */
export function planTests(data: TestGroup): PlannedTest[] {
  const tests: PlannedTest[] = [];
  build(data, undefined, { tests, leaves: [] });
  return tests;
}

/**
 * The grading of one submission: says which test is to be run next, takes the results in whatever
 * order they come, and tells in the end what came of it.
 */
export class Grading {
  /** All tests in order. */
  readonly tests: readonly PlannedTest[];
  readonly #hasScores: boolean;
  readonly #root: Node;
  /** The group of each test. */
  readonly #leaves: readonly Node[];
  readonly #grades: (TestGrade | undefined)[];
  /** The first test that was not handed out yet, unless it is not needed. */
  #cursor = 0;
  /** Every test before it has a grade or is not needed. */
  #frontier = 0;

  /** Begins to grade. */
  constructor(problem: Pick<Problem, "data" | "kind">) {
    const tests: PlannedTest[] = [];
    const leaves: Node[] = [];
    this.#root = build(problem.data, undefined, { tests, leaves });
    this.tests = tests;
    this.#leaves = leaves;
    this.#hasScores = problem.kind === "scoring";
    this.#grades = new Array(tests.length).fill(undefined);
  }

  /** The test that is to be run next; each is handed out once. */
  next(): PlannedTest | undefined {
    for (let cut; (cut = this.#cutAt(this.#cursor));) this.#cursor = cut.to;
    return this.tests[this.#cursor++];
  }

  /** Whether a test may still be needed. */
  isNeeded({ index }: PlannedTest): boolean {
    return this.#cutAt(index) === undefined;
  }

  /** Whether every test that is needed has its result. */
  get isComplete(): boolean {
    return this.#frontier >= this.tests.length;
  }

  /** Takes the result of a test; that of one that is not needed any more is ignored. */
  add(planned: PlannedTest, grade: TestGrade): void {
    if (!this.isNeeded(planned)) return;
    const { index } = planned;
    this.#grades[index] = grade;
    if (grade.verdict !== "AC") this.#reject(this.#leaves[index]!, index + 1);
    this.#advance();
  }

  /** What came of all tests, or of those that are known. */
  conclude(): Grades {
    const record: Record = { groups: [], counted: [], scores: new Map(), warnings: [] };
    const { verdict, score, decidedBy } = this.#judge(this.#root, record);
    const isScored = this.#hasScores && verdict === "AC";
    return { ...record, verdict, score: isScored ? score : undefined, decidedBy };
  }

  /** A member of this group is not accepted: what comes after it may be left out. */
  #reject(node: Node, after: number): void {
    const { onReject, grading } = node.group;
    if (onReject === "break") node.cut = Math.min(node.cut, after);
    // Otherwise the group may be accepted nevertheless; that is known when all of it is.
    const isCertain = grading.verdictMode !== "always_accept" && !grading.acceptIfAnyAccepted &&
      !grading.ignoreSample;
    if (node.parent && isCertain) this.#reject(node.parent, node.to);
  }

  /** Moves the frontier over all that is known, and judges the groups that end there. */
  #advance(): void {
    while (this.#frontier < this.tests.length) {
      const cut = this.#cutAt(this.#frontier);
      if (!cut && this.#grades[this.#frontier] === undefined) return;
      const to = cut?.to ?? this.#frontier + 1;
      this.#frontier = to;
      for (let node: Node | undefined = this.#leaves[to - 1]; node?.to === to; node = node.parent) {
        const { verdict } = this.#judge(node);
        if (verdict !== "AC" && node.parent) this.#reject(node.parent, to);
      }
    }
  }

  /** The topmost group that leaves this test out, if one does. */
  #cutAt(index: number): Node | undefined {
    let cut: Node | undefined;
    for (let node = this.#leaves[index]; node; node = node.parent) {
      if (node.cut <= index) cut = node;
    }
    return cut;
  }

  /** Judges a group as if its tests had been run one by one. */
  #judge(node: Node, record?: Record): MemberResult<PlannedTest> {
    const { group } = node;
    const place = record?.groups.length ?? 0;
    const countedBefore = record?.counted.length ?? 0;
    const results: MemberResult<PlannedTest>[] = [];
    for (const member of node.members) {
      const result = member.kind === "group"
        ? this.#judgeGroup(member.node, record)
        : this.#judgeTest(member.planned, record);
      if (result) results.push(result);
      if (result && result.verdict !== "AC" && group.onReject === "break") break;
    }
    const whole = aggregate(group.grading, results);
    if (!record) return whole;
    const testsRun = record.counted.length - countedBefore;
    const [low, high] = group.grading.range;
    if (this.#hasScores && testsRun > 0 && (whole.score < low || whole.score > high)) {
      const name = group.name === "" ? "The whole" : `Group ${group.name}`;
      record.warnings.push(
        `${name} has the score ${whole.score}, which is not in ${low} to ${high}`,
      );
    }
    record.groups.splice(place, 0, {
      group: group.name,
      verdict: whole.verdict,
      score: this.#hasScores ? whole.score : undefined,
      testsRun,
      testsSkipped: node.to - node.from - testsRun,
    });
    return whole;
  }

  /** A group without tests that are known has no result. */
  #judgeGroup(node: Node, record: Record | undefined): MemberResult<PlannedTest> | undefined {
    const isEmpty = !this.#grades.slice(node.from, node.to).some((grade) => grade !== undefined);
    return isEmpty ? undefined : this.#judge(node, record);
  }

  #judgeTest(
    planned: PlannedTest,
    record: Record | undefined,
  ): MemberResult<PlannedTest> | undefined {
    const grade = this.#grades[planned.index];
    if (!grade) return undefined;
    const { acceptScore, rejectScore } = planned.group.grading;
    const score = grade.score ?? (grade.verdict === "AC" ? acceptScore : rejectScore);
    record?.counted.push(planned);
    if (this.#hasScores) record?.scores.set(planned.index, score);
    return { verdict: grade.verdict, score, decidedBy: planned };
  }
}

/** What is written down on the way through all groups. */
interface Record {
  readonly groups: GroupResult[];
  readonly counted: PlannedTest[];
  readonly scores: Map<number, number>;
  readonly warnings: string[];
}

function build(
  group: TestGroup,
  parent: Node | undefined,
  { tests, leaves }: { tests: PlannedTest[]; leaves: Node[] },
): Node {
  const members: Member[] = [];
  const node = { group, parent, members, from: tests.length, to: tests.length, cut: Infinity };
  for (const member of group.members) {
    if (member.kind === "group") {
      members.push({ kind: "group", node: build(member.group, node, { tests, leaves }) });
    } else {
      const planned = { index: tests.length, test: member.test, group };
      tests.push(planned);
      leaves.push(node);
      members.push({ kind: "test", planned });
    }
  }
  node.to = tests.length;
  return node;
}
