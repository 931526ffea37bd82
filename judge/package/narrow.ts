/** Takes a part of a problem: only some of its submissions, on only some of its tests. */

import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import type { GroupMember, Problem, Submission, TestGroup } from "../types.ts";
import { PackageError } from "./errors.ts";
import { matchesBelow } from "./glob.ts";

const SHOWN_MAX = 5;
const NAME_LENGTH = 60;

/** Nothing is what was asked for. */
export class NoMatchError extends PackageError {}

/** Which part of a problem is wanted. */
export interface PartOptions {
  /** Patterns of submissions; undefined: all. */
  readonly submissions?: readonly string[] | undefined;
  /** Patterns of tests; undefined: all. */
  readonly tests?: readonly string[] | undefined;
}

/**
 * Takes a part of a problem. A pattern is a path or its last names, with `*` and `{a,b}`; that of a
 * folder takes all that is in it: `secret/group1`, `03*`, `wrong_answer`, `*.py`. It may begin with
 * `data/` or `submissions/` and end with `.in`, as paths of files do.
 *
 * Some tests cannot show what all of them would: a submission that should fail may also be accepted.
 * The time limit still follows from the whole problem.
 *
 * @param problem the problem
 * @param options patterns of submissions and tests
 * @returns the part, with the whole problem in `whole`
 * @throws {NoMatchError} if a pattern matches nothing
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { partOfProblem, readPackage } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.makeDirectory(`${directory}/tests`);
 * for (const name of ["1", "2"]) {
 *   host.write(`${directory}/tests/${name}.in`, name);
 *   host.write(`${directory}/tests/${name}.ans`, name);
 * }
 * host.write(`${directory}/task.yaml`, "title: Echo\n");
 * const part = partOfProblem(await readPackage(host, directory), { tests: ["tests/2.in"] });
 * assertEquals(part.data.members.length, 1);
 * host.removeTree(directory);
 * ```
 */
export function partOfProblem(problem: Problem, { submissions, tests }: PartOptions): Problem {
  const chosen = submissions
    ? choose(problem, { what: "submission", patterns: submissions, all: problem.submissions })
    : problem.submissions;
  if (!tests) return { ...problem, submissions: chosen, whole: problem.whole ?? problem };
  const all = testsOf(problem.data);
  const kept = new Set(choose(problem, { what: "test", patterns: tests, all }));
  const { checks } = problem;
  const isKept = ({ name }: { name: string }) => matches(tests, name);
  return {
    ...problem,
    submissions: chosen.map(onSomeTests),
    data: narrowGroup(problem.data, (test) => kept.has(test)),
    ...checks && {
      checks: {
        ...checks,
        invalidInputs: checks.invalidInputs.filter(isKept),
        outputs: checks.outputs.filter(({ test }) => isKept(test)),
      },
    },
    warnings: [
      ...problem.warnings,
      `Only ${kept.size} of ${all.length} tests are judged: what should fail may be accepted`,
    ],
    whole: problem.whole ?? problem,
  };
}

/** Chooses what any pattern matches; each must match something. */
function choose<T extends { readonly name: string }>(
  { directory }: Problem,
  { what, patterns, all }: {
    what: "test" | "submission";
    patterns: readonly string[];
    all: readonly T[];
  },
): T[] {
  for (const pattern of patterns) {
    if (all.some(({ name }) => matches([pattern], name))) continue;
    const names = all.slice(0, SHOWN_MAX).map(({ name }) => cut(visibleText(name), NAME_LENGTH));
    if (all.length > names.length) names.push("…");
    const has = names.length === 0 ? `it has no ${what}s` : `it has ${names.join(", ")}`;
    throw new NoMatchError(`no ${what} matches ${JSON.stringify(pattern)}; ${has}`, {
      file: directory,
    });
  }
  return all.filter(({ name }) => matches(patterns, name));
}

function matches(patterns: readonly string[], name: string): boolean {
  const names = name.split("/");
  return patterns.some((pattern) => {
    const plain = pattern.replace(/^(\.\/)?(data|submissions)\//, "").replace(/\/+$/, "")
      .replace(/\.(in|ans)$/, "");
    return names.some((_, i) => matchesBelow(plain, names.slice(i).join("/")));
  });
}

/** Promises of a submission, as far as some tests can break them. */
function onSomeTests({ name, source, language, entrypoint, ...promised }: Submission): Submission {
  const { expected, expectations } = promised;
  const kept = expectations?.flatMap(({ tests, permitted, onlyNoted }) =>
    permitted ? [{ tests, permitted, onlyNoted }] : []
  );
  return {
    name,
    source,
    language,
    entrypoint,
    expected: expected && [...new Set([...expected, "AC" as const])],
    expectations: kept,
    // Times of some tests say nothing about the limit.
    forTimeLimit: false,
  };
}

function testsOf(group: TestGroup) {
  const tests: Extract<GroupMember, { kind: "test" }>["test"][] = [];
  for (const member of group.members) {
    if (member.kind === "test") tests.push(member.test);
    else tests.push(...testsOf(member.group));
  }
  return tests;
}

/** Leaves out tests, and groups that have none left. */
function narrowGroup(
  group: TestGroup,
  isKept: (test: ReturnType<typeof testsOf>[number]) => boolean,
): TestGroup {
  const members = group.members.flatMap((member): GroupMember[] => {
    if (member.kind === "test") return isKept(member.test) ? [member] : [];
    const narrowed = narrowGroup(member.group, isKept);
    return narrowed.members.length > 0 ? [{ kind: "group", group: narrowed }] : [];
  });
  const [first] = group.members;
  const [left] = members;
  const hasFirst = first?.kind === "group" && left?.kind === "group"
    ? first.group.name === left.group.name
    : first === left;
  // The samples are the first member: without them the next one must count.
  const grading = { ...group.grading, ignoreSample: group.grading.ignoreSample && hasFirst };
  return { ...group, grading, members };
}
