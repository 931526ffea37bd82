/**
 * Gives the files of failed tests a second try, alone. Much is tested here that takes time on a machine
 * with two processors that runs guests beside: who comes too late there is not broken. What fails
 * alone, too, has failed, and what only failed beside others is named, so that somebody looks at it.
 */

import type { CaseResult, TestRun } from "./junit.ts";

/** More files than these do not fail by chance. */
const FILES_MAX = 6;

/** The files of failed tests that get a second try: none if a run itself went wrong. */
export function filesForSecondTry(runs: readonly TestRun[]): string[] {
  if (runs.some(({ problem }) => problem !== undefined)) return [];
  const failed = runs.flatMap(({ cases }) => cases).filter(({ outcome }) => outcome === "failed");
  const files = [...new Set(failed.map(({ file }) => file))];
  // Examples of the documentation have no file of their own.
  return files.length <= FILES_MAX && files.every((file) => file.endsWith("_test.ts")) ? files : [];
}

/**
 * Runs the files of failed tests once more.
 *
 * @param runs what has run, of one kind: here, through the service, or in guests
 * @param again runs some files of that kind
 * @returns the runs, in which a failed test that has passed now has the outcome of the second try
 */
export async function secondTry(
  runs: readonly TestRun[],
  again: (files: readonly string[]) => Promise<readonly TestRun[]>,
): Promise<TestRun[]> {
  const files = filesForSecondTry(runs);
  if (files.length === 0) return [...runs];
  console.log(`a second try, alone: ${files.join(", ")}`);
  const second = (await again(files)).flatMap(({ cases }) => cases);
  const passed = new Set(
    second.filter(({ outcome }) => outcome === "passed").map(identity)
      // A test of the same name may have failed.
      .filter((id) => !second.some((test) => test.outcome === "failed" && identity(test) === id)),
  );
  const decide = (test: CaseResult): CaseResult =>
    test.outcome === "failed" && passed.has(identity(test))
      ? { ...test, outcome: "passed", neededSecondTry: true }
      : test;
  return runs.map((run) => ({ ...run, cases: run.cases.map(decide) }));
}

function identity({ file, name }: CaseResult): string {
  return `${file}\n${name}`;
}
