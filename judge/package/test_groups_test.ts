import { assertEquals } from "@std/assert";
import { complaintAbout, readFiles } from "../../tests/support/package.ts";
import type { Problem, TestGroup } from "../types.ts";

const YAML = "problem_format_version: 2025-09\nname: Groups\n";
const SCORING = `${YAML}type: scoring\n`;

/** The files of tests. */
function tests(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => [[`data/${name}.in`, ""], [`data/${name}.ans`, ""]]),
  );
}

/** Finds a group by its name. */
function groupOf({ data }: Problem, name: string): TestGroup {
  const find = (group: TestGroup): TestGroup | undefined =>
    group.name === name ? group : group.members
      .map((member) => member.kind === "group" ? find(member.group) : undefined)
      .find((group) => group !== undefined);
  return find(data)!;
}

/** The names of the tests that are directly in a group. */
function testsOf(group: TestGroup): string[] {
  return group.members.flatMap((member) => member.kind === "test" ? member.test.name : []);
}

/** What the scores of a group follow from. */
function scoresOf({ grading, onReject }: TestGroup): unknown {
  const { scoreMode, acceptScore, range, testScores } = grading;
  return [scoreMode, onReject, acceptScore, range[1], testScores];
}

Deno.test("version 2025-09 has 100 points for all secret tests together, and none for samples", async () => {
  const problem = await readFiles({
    "problem.yaml": SCORING,
    ...tests("sample/1", "secret/1", "secret/2", "secret/3", "secret/4"),
  });
  assertEquals(scoresOf(groupOf(problem, "sample")), ["sum", "break", 0, 0, "ignored"]);
  assertEquals(scoresOf(groupOf(problem, "secret")), ["sum", "continue", 25, 100, 25]);
  assertEquals([problem.data.grading.range, problem.data.onReject], [[0, 100], "continue"]);
  assertEquals([problem.limits.acceptedToLimit, problem.warnings], [2, []]);
});

Deno.test("groups of version 2025-09 have scores, arguments and required groups", async () => {
  const problem = await readFiles({
    "problem.yaml": SCORING,
    ...tests("sample/1", "secret/a/1", "secret/a/2", "secret/b/1", "secret/b/2", "secret/c/1"),
    "data/secret/test_group.yaml": "args: [all]\n",
    "data/secret/a/test_group.yaml": "max_score: 20\nrequire_pass: sample\n",
    "data/secret/b/test_group.yaml":
      "max_score: 30\nscore_aggregation: sum\nrequire_pass: [sample, secret/a]\nargs: [x, y z]\n",
    "data/secret/c/test_group.yaml":
      "max_score: 50\nscore_aggregation: min\noutput_validator_args: [case_sensitive]\n",
    "data/secret/b/2.yaml": "args: [own]\noutput_validator_args: [float_tolerance, '1e-3']\n",
    "data/secret/b/2.files/in/more.txt": "",
  });
  assertEquals(scoresOf(groupOf(problem, "secret/a")), ["pass-fail", "break", 0, 20, "none"]);
  assertEquals(scoresOf(groupOf(problem, "secret/b")), ["sum", "continue", 15, 30, 15]);
  assertEquals(scoresOf(groupOf(problem, "secret/c")), ["min", "break", 50, 50, 50]);
  assertEquals(groupOf(problem, "secret/a").requires, ["sample"]);
  assertEquals(groupOf(problem, "secret/b").requires, ["sample", "secret/a"]);
  assertEquals(groupOf(problem, "secret/a").args, ["all"]);
  assertEquals(groupOf(problem, "secret/b").args, ["x", "y z"]);
  assertEquals(groupOf(problem, "secret/c").validatorFlags, ["case_sensitive"]);
  const member = groupOf(problem, "secret/b").members[1]!;
  const { args, validatorFlags, files } = member.kind === "test" ? member.test : {};
  assertEquals([args, validatorFlags], [["own"], ["float_tolerance", "1e-3"]]);
  assertEquals(files?.map(({ name }) => name), ["in/more.txt"]);
});

Deno.test("folders in groups of version 2025-09 only name tests", async () => {
  const problem = await readFiles({
    "problem.yaml": YAML,
    ...tests("secret/a/1", "secret/a/big/2", "secret/b/1"),
  });
  assertEquals(testsOf(groupOf(problem, "secret/a")), ["secret/a/1", "secret/a/big/2"]);
});

Deno.test("a static validation is the first test of its group, with a score of its own", async () => {
  const problem = await readFiles({
    "problem.yaml": SCORING,
    ...tests("secret/1", "secret/2"),
    "static_validator/check.py": "",
    "data/secret/test_group.yaml": "static_validation_score: 40\nstatic_validator_args: [short]\n",
  });
  const secret = groupOf(problem, "secret");
  assertEquals(testsOf(secret), ["secret/static_validation", "secret/1", "secret/2"]);
  const [first] = secret.members;
  const { staticFlags, scoreMax } = first?.kind === "test" ? first.test : {};
  assertEquals([staticFlags, scoreMax, secret.grading.acceptScore], [["short"], 40, 30]);
  assertEquals(problem.staticValidator?.name, "check.py");
});

Deno.test("readPackage() replaces constants in programs and settings, not in tests or problem.yaml", async () => {
  const problem = await readFiles({
    "problem.yaml": `${YAML.replace("Groups", "'{{n}}'")}constants: {n: 5, word: a b}\n`,
    ...tests("secret/1"),
    "data/secret/test_group.yaml": "args: ['{{n}}', '{{unknown}}']\n",
    "data/secret/1.files/{{n}}": "",
    "submissions/accepted/a.py": "",
    "include/default/b.py": "",
    "input_validators/c.py": "",
  });
  assertEquals(problem.title, "{{n}}");
  assertEquals(groupOf(problem, "secret").args, ["5", "{{unknown}}"]);
  const constants = { n: "5", word: "a b" };
  const [submission] = problem.submissions;
  assertEquals(submission?.source.files[0]?.constants, constants);
  assertEquals(problem.included?.["default"]?.[0]?.constants, constants);
  assertEquals(problem.checks?.inputValidators[0]?.files[0]?.constants, constants);
  const [member] = groupOf(problem, "secret").members;
  assertEquals(member?.kind === "test" && member.test.files?.[0]?.constants, undefined);
});

const MESSAGES: [files: Record<string, string>, message: string][] = [
  [tests("sample/1"), "data/secret: is missing; at least one test belongs in it"],
  [
    tests("secret/1", "secret/a/1"),
    "data/secret/1.in: must be in a group, too: there is the group a beside it",
  ],
  [tests("sample/a/1", "secret/1"), "data/sample/a: samples must not be in groups"],
  [
    { ...tests("sample/1", "secret/1"), "data/sample/test_group.yaml": "max_score: 5\n" },
    "data/sample/test_group.yaml:1: max_score: is not allowed for samples, which have no scores",
  ],
  [
    { ...tests("secret/a/1"), "data/secret/a/test_group.yaml": "score_aggregation: sum\n" },
    "data/secret/a/test_group.yaml: needs max_score, a number: without bound, an " +
    "output_validator must give each score",
  ],
  [
    tests("secret/a/1"),
    "data/secret/a: needs max_score, a number, as its score_aggregation is pass-fail",
  ],
  [
    {
      ...tests("secret/a/1"),
      "data/secret/a/test_group.yaml": "max_score: 120\n",
    },
    "data/secret: its groups have 120 points together, more than its max_score 100",
  ],
  [
    {
      ...tests("secret/a/1", "secret/b/1"),
      "data/secret/a/test_group.yaml": "max_score: 50\nrequire_pass: secret/b\n",
      "data/secret/b/test_group.yaml": "max_score: 50\n",
    },
    "data/secret/a/test_group.yaml:2: require_pass: secret/b must be sample or a group before " +
    "this one whose score_aggregation is pass-fail",
  ],
  [
    { ...tests("secret/1"), "data/secret/test_group.yaml": "max_score: 1.5\n" },
    "data/secret/test_group.yaml:1: max_score: must be the highest score, a whole number such as " +
    '40, or unbounded, not "1.5"',
  ],
  [
    { ...tests("secret/1"), "data/secret/test_group.yaml": "static_validation_score: 5\n" },
    "data/secret/test_group.yaml:1: static_validation_score: needs a program in the folder " +
    "static_validator",
  ],
  [
    {
      ...tests("secret/a/b/1"),
      "data/secret/a/test_group.yaml": "max_score: 100\n",
      "data/secret/a/b/test_group.yaml": "",
    },
    "data/secret/a/b/test_group.yaml: is in a group of a group, but there are only groups in " +
    "data/secret",
  ],
];

for (const [files, message] of MESSAGES) {
  Deno.test(`readPackage() says of version 2025-09: ${message}`, async () => {
    assertEquals(await complaintAbout({ "problem.yaml": SCORING, ...files }), `pack/${message}`);
  });
}

Deno.test("scores are only for scoring problems, and testdata.yaml is of older versions", async () => {
  const settings = { "data/secret/test_group.yaml": "max_score: 5\n" };
  assertEquals(
    await complaintAbout({ "problem.yaml": YAML, ...tests("secret/1"), ...settings }),
    "pack/data/secret/test_group.yaml:1: max_score: is only for problems with type: scoring",
  );
  const { complaints } = await readFiles({
    "problem.yaml": YAML,
    ...tests("secret/1"),
    "data/secret/testdata.yaml": "",
  });
  assertEquals(complaints?.map((text) => text.replace(/^.*\/pack/, "pack")), [
    "pack/data/secret/testdata.yaml: ignored: since 2025-09 it is called test_group.yaml",
  ]);
});
