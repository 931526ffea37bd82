import { assertEquals, assertThrows } from "@std/assert";
import { readFiles } from "../../tests/support/package.ts";
import type { TestGroup } from "../types.ts";
import { PackageError } from "./errors.ts";
import { partOfProblem, type PartOptions } from "./narrow.ts";

const PACKAGE = {
  "problem.yaml": "name: Parts\n",
  "data/sample/1.in": "1\n",
  "data/sample/1.ans": "1\n",
  "data/secret/a/01.in": "2\n",
  "data/secret/a/01.ans": "2\n",
  "data/secret/a/02.in": "3\n",
  "data/secret/a/02.ans": "3\n",
  "data/secret/b/01.in": "4\n",
  "data/secret/b/01.ans": "4\n",
  "submissions/accepted/a.py": "",
  "submissions/wrong_answer/b.py": "",
  "submissions/wrong_answer/c.sh": "",
};

const problem = await readFiles(PACKAGE);

function names({ members }: TestGroup): string[] {
  return members.flatMap((member) =>
    member.kind === "test" ? member.test.name : names(member.group)
  );
}

function parts(options: PartOptions): { tests: string[]; submissions: string[] } {
  const part = partOfProblem(problem, options);
  return { tests: names(part.data), submissions: part.submissions.map(({ name }) => name) };
}

Deno.test("partOfProblem() takes tests by names, folders, paths and patterns", () => {
  const cases: [string[], string[]][] = [
    [["secret/a"], ["secret/a/01", "secret/a/02"]],
    [["01"], ["secret/a/01", "secret/b/01"]],
    [["data/secret/a/02.in"], ["secret/a/02"]],
    [["{a,sample}/"], ["sample/1", "secret/a/01", "secret/a/02"]],
    [["b", "sample"], ["sample/1", "secret/b/01"]],
    [["0*"], ["secret/a/01", "secret/a/02", "secret/b/01"]],
  ];
  for (const [tests, expected] of cases) assertEquals(parts({ tests }).tests, expected);
});

Deno.test("partOfProblem() takes submissions by folders and patterns", () => {
  const [a, b, c] = ["accepted/a.py", "wrong_answer/b.py", "wrong_answer/c.sh"];
  assertEquals(parts({ submissions: ["wrong_answer"] }).submissions, [b, c]);
  assertEquals(parts({ submissions: ["*.py"] }).submissions, [a, b]);
  assertEquals(parts({ submissions: ["submissions/accepted/a.py"] }).submissions, [a]);
  // All tests can still show what is promised.
  const part = partOfProblem(problem, { submissions: ["wrong_answer"] });
  assertEquals([part.submissions[0]!.expected, names(part.data).length], [["WA"], 4]);
});

Deno.test("partOfProblem() expects of some tests only what they can show", () => {
  const part = partOfProblem(problem, { tests: ["sample"] });
  const expected = part.submissions.map(({ expected }) => expected);
  assertEquals(expected, [["AC"], ["WA", "AC"], ["WA", "AC"]]);
  assertEquals(part.whole, problem);
  assertEquals(
    part.warnings.at(-1),
    "Only 1 of 4 tests are judged: what should fail may be accepted",
  );
});

Deno.test("partOfProblem() of a part knows the whole problem", () => {
  const part = partOfProblem(partOfProblem(problem, { tests: ["a"] }), { tests: ["02"] });
  assertEquals([names(part.data), part.whole], [["secret/a/02"], problem]);
});

Deno.test("partOfProblem() counts the tests that are left where samples do not count", async () => {
  const scoring = await readFiles({
    ...PACKAGE,
    "problem.yaml": "name: Parts\ntype: scoring\n",
    "data/testdata.yaml": "grader_flags: ignore_sample\n",
  });
  const ignores = (tests: string[]) => partOfProblem(scoring, { tests }).data.grading.ignoreSample;
  assertEquals([ignores(["sample", "a"]), ignores(["a"])], [true, false]);
});

Deno.test("partOfProblem() refuses patterns that match nothing, and says what there is", () => {
  const message = (options: PartOptions) =>
    assertThrows(() => partOfProblem(problem, options), PackageError).message.replace(/^.*?: /, "");
  assertEquals(
    message({ tests: ["secret/c"] }),
    'no test matches "secret/c"; it has sample/1, secret/a/01, secret/a/02, secret/b/01',
  );
  assertEquals(
    message({ submissions: ["*.py", "*.java"] }),
    'no submission matches "*.java"; it has accepted/a.py, wrong_answer/b.py, wrong_answer/c.sh',
  );
});
