import { assertEquals } from "@std/assert";
import { complaintAbout, readFiles } from "../../tests/support/package.ts";
import type { Problem, TestGroup } from "../types.ts";

const TEST = { "problem.yaml": "type: scoring\n", "data/secret/1.in": "", "data/secret/1.ans": "" };

/** The names of groups and tests, groups as lists. */
type Names = string | readonly Names[];

function namesIn(group: TestGroup): Names {
  return [
    group.name,
    ...group.members.map((member) =>
      member.kind === "group" ? namesIn(member.group) : member.test.name
    ),
  ];
}

function group(problem: Problem, name: string): TestGroup {
  const find = (group: TestGroup): TestGroup | undefined => {
    if (group.name === name) return group;
    for (const member of group.members) {
      const found = member.kind === "group" ? find(member.group) : undefined;
      if (found) return found;
    }
    return undefined;
  };
  const found = find(problem.data);
  if (!found) throw new TypeError(`There is no group ${name}`);
  return found;
}

function tests(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => [[`data/${name}.in`, ""], [`data/${name}.ans`, ""]]),
  );
}

/** The warnings without the temporary folder. */
function warnings(problem: Problem): string[] {
  return problem.warnings.map((text) => text.replace(/^.*?\/pack\//, "pack/"));
}

Deno.test("readPackage() takes no_errors for the default, and names files that belong to no test", async () => {
  const problem = await readFiles({
    ...TEST,
    "data/testdata.yaml": "grader_flags: no_errors\n",
    "data/secret/3.out": "",
    "data/secret/4.in.txt": "",
    "data/secret/1.desc": "",
  });
  assertEquals(problem.data.grading.verdictMode, "worst_error");
  assertEquals(warnings(problem), [
    "pack/data/secret/3.out: ignored; there is no 3.in",
    "pack/data/secret/4.in.txt: ignored; inputs end in .in, answers in .ans",
  ]);
});

Deno.test("readPackage() reads samples first, then groups and tests by their names", async () => {
  const problem = await readFiles({
    "problem.yaml": "",
    ...tests("secret/10", "secret/2", "secret/a/2", "secret/a/1", "secret/b/c/1", "sample/1"),
  });
  assertEquals(namesIn(problem.data), [
    "",
    ["sample", "sample/1"],
    [
      "secret",
      "secret/10",
      "secret/2",
      ["secret/a", "secret/a/1", "secret/a/2"],
      ["secret/b", ["secret/b/c", "secret/b/c/1"]],
    ],
  ]);
  const [first] = group(problem, "sample").members;
  assertEquals(first?.kind === "test" && first.test.isSample, true);
  assertEquals(problem.warnings, []);
});

Deno.test("readPackage() reads all that testdata.yaml says", async () => {
  const problem = await readFiles({
    ...TEST,
    "problem.yaml": "type: scoring\nvalidator_flags: case_sensitive\n",
    "data/testdata.yaml": "grader_flags: ignore_sample\n",
    "data/secret/testdata.yaml":
      "on_reject: continue\ngrading: default\ngrader_flags: first_error avg " +
      "accept_if_any_accepted\naccept_score: 2.5\nreject_score: -1\nrange: -5 +inf\n" +
      "output_validator_flags: float_tolerance 1e-6\ninput_validator_flags: n=5\n",
  });
  assertEquals(group(problem, "").grading.ignoreSample, true);
  const { onReject, grading, validatorFlags } = group(problem, "secret");
  assertEquals(onReject, "continue");
  assertEquals(validatorFlags, ["case_sensitive", "float_tolerance", "1e-6"]);
  assertEquals(grading, {
    verdictMode: "first_error",
    scoreMode: "avg",
    ignoreSample: false,
    acceptIfAnyAccepted: true,
    acceptScore: 2.5,
    rejectScore: -1,
    range: [-5, Infinity],
  });
});

Deno.test("readPackage() gives settings down to the groups below, all but ignore_sample", async () => {
  const problem = await readFiles({
    ...TEST,
    ...tests("secret/a/b/1"),
    "data/testdata.yaml": "on_reject: continue\ngrader_flags: ignore_sample always_accept min\n",
    "data/secret/a/testdata.yaml": "accept_score: 7\noutput_validator_flags: {flags: a}\n",
    "problem.yaml": "type: scoring\nvalidation: custom\n",
    "output_validators/check.py": "",
  });
  const { onReject, grading, validatorFlags } = group(problem, "secret/a/b");
  assertEquals([onReject, validatorFlags], ["continue", ["a"]]);
  const { verdictMode, scoreMode, acceptScore, ignoreSample } = grading;
  assertEquals([verdictMode, scoreMode, acceptScore], ["always_accept", "min", 7]);
  assertEquals([ignoreSample, group(problem, "").grading.ignoreSample], [false, true]);
});

Deno.test("readPackage() takes the last of several modes of a grader, and the rest by default", async () => {
  const problem = await readFiles({
    ...TEST,
    "data/testdata.yaml": "grader_flags: always_accept\n",
    "data/secret/testdata.yaml": "grader_flags: min max\n",
  });
  const { verdictMode, scoreMode } = group(problem, "secret").grading;
  assertEquals([verdictMode, scoreMode], ["worst_error", "max"]);
});

Deno.test("readPackage() reads validator flags of later versions, words as they are", async () => {
  const problem = await readFiles({
    ...TEST,
    "problem.yaml": "problem_format_version: 2023-07-draft\n",
    "output_validator/check.py": "",
    "data/secret/test_group.yaml": "output_validator_args: [a b, c]\n",
    "data/secret/1.yaml": "hint: think\noutput_validator_args: []\n",
  });
  assertEquals(group(problem, "secret").validatorFlags, ["a b", "c"]);
});

Deno.test("readPackage() accepts what may lie beside tests, and warns of the rest", async () => {
  const beside = ["1.hint", "1.desc", "1.png", "1.interaction", "README.md", ".hidden", "1.in~"];
  const problem = await readFiles({
    ...TEST,
    ...Object.fromEntries(beside.map((name) => [`data/secret/${name}`, ""])),
    "data/secret/1.out2": "",
    "data/secret/empty/": "",
    "data/invalid_inputs/1.in": "",
    "data/more/1.in": "",
  });
  assertEquals(warnings(problem), [
    "pack/data/more: ignored; tests belong in data/sample and data/secret",
    "pack/data/secret/1.out2: ignored; inputs end in .in, answers in .ans",
    "pack/data/secret/empty: has no tests",
  ]);
});

Deno.test("readPackage() warns if there are only samples", async () => {
  const problem = await readFiles({
    "problem.yaml": "",
    ...tests("sample/1"),
    "data/secret/": "",
  });
  assertEquals(warnings(problem), ["pack/data/secret: has no tests"]);
});

const MESSAGES: [files: Record<string, string>, message: string][] = [
  [{}, "pack/data: is missing; tests belong in data/sample and data/secret"],
  [{ "data": "" }, "pack/data: must be a folder"],
  [{ "data/": "" }, "pack/data: has no tests; they belong in data/sample and data/secret"],
  [
    { "data/secret/": "", "data/sample/": "" },
    "pack/data: has no tests; they belong in data/sample and data/secret",
  ],
  [{ "data/1.in": "", "data/1.ans": "" }, "pack/data/1.ans: must be in data/sample or data/secret"],
  [{ "data/secret/1.in": "" }, "pack/data/secret/1.in: has no answer 1.ans"],
  [{ "data/secret/a/1.ans": "" }, "pack/data/secret/a/1.ans: has no input 1.in"],
  [
    { "data/secret/1.in/": "", "data/secret/1.ans": "" },
    "pack/data/secret/1.in: must be a file, not a folder",
  ],
  [
    { "data/secret/1.in": "", "data/secret/1.ans/": "" },
    "pack/data/secret/1.ans: must be a file, not a folder",
  ],
  [
    { ...tests("secret/1"), "data/secret/2.files/x": "" },
    "pack/data/secret/2.files: has no input 2.in",
  ],
  [
    { ...tests("secret/1"), "data/secret/1.yaml": "args: {a: b}\n" },
    "pack/data/secret/1.yaml:1: args: must be a single value",
  ],
];

for (const [files, message] of MESSAGES) {
  Deno.test(`readPackage() says: ${message}`, async () => {
    assertEquals(await complaintAbout({ "problem.yaml": "", ...files }), message);
  });
}

const SETTINGS_MESSAGES: [yaml: string, message: string][] = [
  ["on_reject: stop\n", '1: on_reject: must be break or continue, not "stop"'],
  [
    "a: 1\ngrading: costum\n",
    '2: grading: must be default or custom, not "costum"; did you mean custom?',
  ],
  [
    "grader_flags: summ\n",
    '1: grader_flags: unknown flag "summ"; did you mean sum?',
  ],
  [
    "grader_flags: ignore_sample\n",
    "1: grader_flags: ignore_sample is allowed only in data/testdata.yaml",
  ],
  ["accept_score: much\n", '1: accept_score: must be a score, a number such as 10, not "much"'],
  ["reject_score: 1e99\n", '1: reject_score: must be a score, a number such as 10, not "1e99"'],
  ...["5", "1 2 3", "9 1", "a b"].map((range) =>
    [
      `range: ${range}\n`,
      "1: range: must be two numbers, the lowest and the highest score, such as 0 100",
    ] as [string, string]
  ),
  [
    "scoring: {score: 5}\n",
    "1: scoring: is not supported, as its meaning has changed since; problem_format_version: " +
    "2025-09 has score_aggregation, max_score and static_validation_score",
  ],
  ["[a, b]\n", "1: must be a mapping of keys to values"],
  [
    "a: b: c\n",
    "1: not valid YAML: Cannot read block as explicit mapping pair is incomplete: a key node is " +
    'missed or followed by a non-tabulated empty line (column 5); quote a value that has ": " in it',
  ],
];

for (const [yaml, message] of SETTINGS_MESSAGES) {
  Deno.test(`readPackage() says of a testdata.yaml: ${message}`, async () => {
    const files = { ...TEST, "data/secret/testdata.yaml": yaml };
    assertEquals(await complaintAbout(files), `pack/data/secret/testdata.yaml:${message}`);
  });
}

Deno.test("readPackage() finds the program that grades groups", async () => {
  const files = { ...TEST, "data/secret/testdata.yaml": "grading: custom\ngrader_flags: a b\n" };
  assertEquals(
    await complaintAbout(files),
    "pack/graders: is missing, but a testdata.yaml says grading: custom",
  );
  const { grader, data } = await readFiles({ ...files, "graders/half.py": "" });
  const [secret] = data.members;
  const { graderFlags } = secret?.kind === "group" ? secret.group.grading : {};
  assertEquals([grader?.name, graderFlags], ["half.py", ["a", "b"]]);
  assertEquals(warnings(await readFiles({ ...TEST, "graders/half.py": "" })), [
    "pack/graders: ignored, as no testdata.yaml says grading: custom",
  ]);
});

Deno.test("readPackage() complains about flags of a group that the default validator does not know", async () => {
  const files = { ...TEST, "data/secret/testdata.yaml": "output_validator_flags: abs 1e-6\n" };
  assertEquals(
    (await complaintAbout(files)).slice(0, 60),
    'pack/data/secret: Unknown validator flag "abs"; known flags:',
  );
});
