/** Holds single tests of a submission against what the package says of them. */

import { matchesBelow } from "../package/glob.ts";
import type { GroupResult, Submission, TestExpectation, TestResult } from "../types.ts";

/** What was seen of a submission. */
export interface Seen {
  /** All tests that were run, also those that do not count. */
  readonly tests: readonly TestResult[];
  readonly groups: readonly GroupResult[];
}

/** What is not as expected, a sentence each. */
export interface Unmet {
  readonly complaints: string[];
  /** What the format says, but other judges do not check. */
  readonly notes: string[];
}

/** Tells whether more tests can change what is known of an expectation. */
export function isDecided(expectation: TestExpectation, tests: readonly TestResult[]): boolean {
  const own = testsOf(expectation, tests);
  if (own.some((test) => isForbidden(expectation, test))) return true;
  const { required, message } = expectation;
  if (required && !own.some(({ verdict }) => required.includes(verdict))) return false;
  if (message !== undefined && !own.some((test) => says(test, message))) return false;
  return expectation.permitted === undefined;
}

/** Says which expectations are not met. */
export function unmetExpectations(
  { name, expectations = [] }: Pick<Submission, "name" | "expectations">,
  seen: Seen,
): Unmet {
  const unmet: Unmet = { complaints: [], notes: [] };
  for (const expectation of expectations) {
    const sentence = unmetExpectation(name, expectation, seen);
    if (sentence === undefined) continue;
    (expectation.onlyNoted ? unmet.notes : unmet.complaints).push(sentence);
  }
  return unmet;
}

function unmetExpectation(
  name: string,
  expectation: TestExpectation,
  seen: Seen,
): string | undefined {
  const { permitted, required, message, score, tests } = expectation;
  const own = testsOf(expectation, seen.tests);
  const where = tests === undefined ? "" : ` in ${tests}`;
  const forbidden = own.find((test) => isForbidden(expectation, test));
  if (forbidden) {
    const { test, verdict } = forbidden;
    return `${name} also gets ${verdict} on ${test}, where only ${permitted!.join(" or ")} ` +
      "is expected";
  }
  if (required && own.length > 0 && !own.some(({ verdict }) => required.includes(verdict))) {
    return `${name} gets ${required.join(" or ")} on no test${where}, which is expected`;
  }
  if (message !== undefined && !own.some((test) => says(test, message))) {
    return `${name}: the validator says ${JSON.stringify(message)} on no test${where}`;
  }
  const group = score && seen.groups.find(({ group }) => group === tests);
  if (!score || !group || group.score === undefined) return undefined;
  if (score[0] - 1e-9 <= group.score && group.score <= score[1] + 1e-9) return undefined;
  return `${name} gets the score ${group.score}${where}, expected ${score.join(" to ")}`;
}

function testsOf({ tests }: TestExpectation, all: readonly TestResult[]): readonly TestResult[] {
  return tests === undefined ? all : all.filter(({ test }) => matchesBelow(tests, test));
}

function isForbidden({ permitted }: TestExpectation, { verdict }: TestResult): boolean {
  return permitted !== undefined && verdict !== "JE" && !permitted.includes(verdict);
}

function says({ judgeMessage }: TestResult, message: string): boolean {
  return judgeMessage?.includes(message) ?? false;
}
