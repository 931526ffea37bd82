import { assertAlmostEquals, assertEquals } from "@std/assert";
import { complaintAbout, readFiles, SMALL_TASK } from "../../tests/support/package.ts";
import type { GroupMember, Problem, TestGroup } from "../types.ts";

/** Reads the small task with another `task.yaml` and more files. */
function read(yaml: string, more: Readonly<Record<string, string>> = {}): Promise<Problem> {
  return readFiles({ ...SMALL_TASK, "task.yaml": yaml, ...more });
}

function names(members: readonly GroupMember[]): string[] {
  return members.map((member) => member.kind === "test" ? member.test.name : member.group.name);
}

function groupOf(member: GroupMember | undefined): TestGroup {
  if (member?.kind !== "group") throw new TypeError("not a group");
  return member.group;
}

/** Inputs with their answers. */
function tests(...paths: string[]): Record<string, string> {
  return Object.fromEntries(paths.flatMap((path) => [[`${path}.in`, ""], [`${path}.ans`, ""]]));
}

Deno.test("readPackage() needs nothing but a folder of tests beside an empty task.yaml", async () => {
  const problem = await read("");
  assertEquals([problem.format, problem.title, problem.kind], ["task", "pack", "pass-fail"]);
  assertEquals(problem.validation, { kind: "default" });
  assertEquals(problem.data.onReject, "break");
  assertEquals(problem.data.members, [{
    kind: "test",
    test: {
      name: "tests/1",
      inputFile: `${problem.directory}/tests/1.in`,
      answerFile: `${problem.directory}/tests/1.ans`,
      isSample: false,
    },
  }]);
  const { timeLimitMs, timeLimitSource, memoryKib, outputKib } = problem.limits;
  assertEquals([timeLimitMs, timeLimitSource], [1000, "task.yaml has none"]);
  assertEquals([memoryKib, outputKib], [262144, 8192]);
  assertEquals(problem.warnings, []);
});

Deno.test("readPackage() leaves the time limit to accepted submissions where there are some", async () => {
  const { limits, submissions } = await read("", { "submissions/accepted/a.py": "" });
  assertEquals([limits.timeLimitMs, limits.timeLimitSource], [undefined, undefined]);
  assertEquals(submissions.map(({ name, expected }) => [name, expected]), [["accepted/a.py", [
    "AC",
  ]]]);
});

Deno.test("readPackage() reads all limits of a task, with units", async () => {
  const { limits } = await read(
    "limits:\n  time: 1.1s\n  memory: 64 MB\n  output: 512KiB\n  code: 1\n  compile_time: 2min\n" +
      "  compile_memory: 1g\n  checker_time: 250 ms\n  checker_memory: 2097152B\n",
  );
  assertEquals(limits.timeLimitSource, "task.yaml: limits.time");
  assertEquals(
    [limits.timeLimitMs, limits.memoryKib, limits.outputKib, limits.codeKib],
    [1100, 65536, 512, 1024],
  );
  assertEquals([limits.compileTimeMs, limits.compileMemoryKib], [120_000, 1048576]);
  assertEquals([limits.validationTimeMs, limits.validationMemoryKib], [250, 2048]);
  assertEquals((await read("limits: {time: 2, memory: 32}")).limits.timeLimitMs, 2000);
});

Deno.test("readPackage() takes a folder, a pattern, a pair of patterns or a list of tests", async () => {
  const files = {
    ...tests("more/a1", "more/a2", "more/b1"),
    "pairs/in-1.txt": "",
    "pairs/in-2.txt": "",
    "out/1.dat": "",
    "out/2.dat": "",
    "more/c.in": "",
    "more/c.out": "",
  };
  const list = async (yaml: string) => names((await read(`tests: ${yaml}\n`, files)).data.members);
  assertEquals(await list("more"), ["more/a1", "more/a2", "more/b1", "more/c"]);
  assertEquals(await list("./more/"), ["more/a1", "more/a2", "more/b1", "more/c"]);
  assertEquals(await list("more/a*.in"), ["more/a1", "more/a2"]);
  const pair = "{input: pairs/in-*.txt, answer: out/*.dat}";
  assertEquals(await list(pair), ["pairs/in-1.txt", "pairs/in-2.txt"]);
  assertEquals(await list("[{input: more/c.in}, {input: pairs/in-1.txt, answer: out/1.dat}]"), [
    "more/c",
    "pairs/in-1.txt",
  ]);
  const { data, directory } = await read(`tests: ${pair}\n`, files);
  const [first] = data.members;
  assertEquals(first?.kind === "test" && first.test.answerFile, `${directory}/out/1.dat`);
});

Deno.test("readPackage() runs samples first", async () => {
  const { data } = await read("samples: samples\n", tests("samples/1"));
  assertEquals(names(data.members), ["samples", "tests"]);
  const [first] = groupOf(data.members[0]).members;
  assertEquals(first?.kind === "test" && first.test.isSample, true);
  assertEquals([data.onReject, data.grading.ignoreSample], ["break", false]);
});

Deno.test("readPackage() gives points for groups: for all tests, or for each", async () => {
  const problem = await read(
    "samples: samples\ngroups:\n- {name: small, tests: a, points: 30}\n" +
      "- {tests: b, points_each: 2.5}\n",
    { ...tests("samples/1", "a/1", "a/2", "b/1", "b/2"), "submissions/partially_accepted/x.c": "" },
  );
  assertEquals([problem.kind, problem.objective], ["scoring", "max"]);
  const { data } = problem;
  assertEquals([data.grading.ignoreSample, data.onReject], [true, "continue"]);
  const main = groupOf(data.members[1]);
  assertEquals(names(main.members), ["small", "2"]);
  assertEquals([main.grading.scoreMode, main.grading.acceptIfAnyAccepted], ["sum", true]);
  const [small, each] = main.members.map(groupOf);
  assertEquals([small!.onReject, small!.grading.scoreMode], ["break", "min"]);
  assertEquals([small!.grading.acceptScore, small!.grading.acceptIfAnyAccepted], [30, false]);
  assertEquals([each!.onReject, each!.grading.scoreMode], ["continue", "sum"]);
  assertEquals([each!.grading.acceptScore, each!.grading.acceptIfAnyAccepted], [2.5, true]);
  // 30 and twice 2.5.
  assertAlmostEquals(problem.submissions[0]!.expectedScore![1], 35, 1e-6);
});

Deno.test("readPackage() gives points for single tests", async () => {
  const { data, kind } = await read(
    "tests:\n- {input: a/1.in, points: 1}\n- {input: a/2.in, points: 9}\n",
    tests("a/1", "a/2"),
  );
  assertEquals([kind, data.onReject, data.grading.acceptIfAnyAccepted], [
    "scoring",
    "continue",
    true,
  ]);
  assertEquals(data.members.map((member) => groupOf(member).grading.acceptScore), [1, 9]);
});

Deno.test("readPackage() takes groups without points for a problem without scores", async () => {
  const { data, kind } = await read("groups: [{tests: a}, {tests: b}]", tests("a/1", "b/1"));
  assertEquals([kind, names(data.members)], ["pass-fail", ["1", "2"]]);
  assertEquals(data.onReject, "break");
});

Deno.test("readPackage() takes flags of the default checker, or a program", async () => {
  const flags = await read("checker: case_sensitive float_tolerance 1e-6\n");
  assertEquals(flags.validation.kind, "default");
  assertEquals(flags.data.validatorFlags, ["case_sensitive", "float_tolerance", "1e-6"]);
  assertEquals((await read("checker: space_change_sensitive")).validation.kind, "default");
  assertEquals((await read("checker: {flags: case_sensitive}")).validation.kind, "default");
  const program = await read("checker: tools/check.py\n", { "tools/check.py": "" });
  assertEquals(
    program.validation.kind === "custom" && [
      program.validation.program.name,
      program.validation.interactive,
      program.validation.score,
    ],
    ["check.py", false, false],
  );
  const full = await read("checker: {program: check, flags: [a b, c], scores: true}\n", {
    "check/main.c": "",
  });
  assertEquals([full.kind, full.data.validatorFlags], ["scoring", ["a b", "c"]]);
  assertEquals(full.validation.kind === "custom" && full.validation.score, true);
});

Deno.test("readPackage() takes an interactor, and the input if there is no answer", async () => {
  const problem = await read("interactor: talk.py\ntests: only\n", {
    "talk.py": "",
    "only/1.in": "",
  });
  assertEquals(problem.validation.kind === "custom" && problem.validation.interactive, true);
  const [first] = problem.data.members;
  assertEquals(first?.kind === "test" && first.test.answerFile, `${problem.directory}/only/1.in`);
});

const MESSAGES: [yaml: string, message: string, more?: Record<string, string>][] = [
  ["titel: x\n", "pack/task.yaml:1: titel: unknown key; did you mean title?"],
  [
    "title: x\nlimits:\n  tiem: 1\n",
    "pack/task.yaml:3: limits.tiem: unknown key; did you mean time?",
  ],
  [
    "title: a\ntitle: b\n",
    "pack/task.yaml:2: not valid YAML: the key title is there twice",
  ],
  ["title: [a]\n", "pack/task.yaml:1: title: must be a single value"],
  ["just text\n", "pack/task.yaml:1: must be a mapping of keys to values"],
  ...["0", "-1s", "1h", "fast", "2d", "99999"].map((time): [string, string] => [
    `limits:\n  time: ${time}\n`,
    "pack/task.yaml:2: limits.time: must be a time of at most a day, such as 1.5s or 300ms, not " +
    `"${time}"`,
  ]),
  ...["0", "much", "5 TB", "1 B", "2048GiB"].map((memory): [string, string] => [
    `limits: {memory: ${memory}}\n`,
    "pack/task.yaml:1: limits.memory: must be a size from 1KiB to 1024GiB, such as 256MiB, not " +
    `"${memory}"`,
  ]),
  ["tests: none\n", "pack/task.yaml:1: tests: names the folder none, which is missing"],
  ["tests: empty\n", "pack/task.yaml:1: tests: must give at least one test", {
    "empty/": "",
  }],
  ["tests: []\n", "pack/task.yaml:1: tests: must give at least one test"],
  [
    "tests: ../other\n",
    "pack/task.yaml:1: tests: must be a relative path in the package, without ..",
  ],
  [
    "tests: /etc\n",
    "pack/task.yaml:1: tests: must be a relative path in the package, without ..",
  ],
  [
    "tests: a/*/*.in\n",
    "pack/task.yaml:1: tests: must have one * in the file name, such as tests/*.in",
  ],
  [
    "tests: tests/*.txt\n",
    "pack/task.yaml:1: tests: must end in .in, or be a pair of patterns: {input: …, answer: …}",
  ],
  ["tests: {answer: a*}\n", "pack/task.yaml:1: tests: must have an input, such as tests/*.in"],
  ["tests: lone\n", "pack/lone/1.in: has no answer 1.ans or 1.out", {
    "lone/1.in": "",
  }],
  ["tests: lone\n", "pack/lone/2.ans: has no input 2.in", {
    ...tests("lone/1"),
    "lone/2.ans": "",
  }],
  ["tests: two\n", "pack/two/1.out: is a second answer for 1.in", {
    ...tests("two/1"),
    "two/1.out": "",
  }],
  [
    "tests: {input: tests/*.in, answer: other/*.txt}\n",
    "pack/tests/1.in: has no answer other/1.txt",
    { "other/2.txt": "" },
  ],
  ["tests: [{answer: x}]\n", "pack/task.yaml:1: tests[1]: must have an input, the name of a file"],
  [
    "tests:\n- {input: tests/1.in}\n- input: tests/2.in\n",
    "pack/task.yaml:3: tests[2].input: names tests/2.in, which is missing",
  ],
  [
    "tests: [{input: x.txt}]\n",
    "pack/task.yaml:1: tests[1]: must have an answer, the name of a file",
    { "x.txt": "" },
  ],
  [
    "tests: [{input: tests/1.in, points: 1}, {input: a.in}]\n",
    "pack/task.yaml:1: tests: must give points to all tests or to none; a has none",
    tests("a"),
  ],
  [
    "tests: [{input: tests/1.in, points: all}]\n",
    'pack/task.yaml:1: tests[1].points: must be a number of points, such as 10, not "all"',
  ],
  [
    "tests: [{input: tests/1.in}, {input: tests/1.in}]\n",
    "pack/task.yaml:1: tests: lists the test tests/1 again",
  ],
  [
    "tests: tests\ngroups: []\n",
    "pack/task.yaml:1: tests: cannot be combined with groups: each group has its own tests",
  ],
  ["groups: []\n", "pack/task.yaml:1: groups: must have at least one group"],
  ["groups: {}\n", "pack/task.yaml:1: groups: must be a list, such as [a, b]"],
  ["groups:\n- name: a\n", "pack/task.yaml:2: groups[1]: must have tests"],
  [
    "groups:\n- {name: a, tests: tests}\n- {name: a, tests: tests}\n",
    "pack/task.yaml:3: groups[2].name: needs another name: a is taken",
  ],
  [
    "groups: [{tests: tests, points: 1, points_each: 1}]\n",
    "pack/task.yaml:1: groups[1].points_each: cannot be combined with points",
  ],
  [
    "groups:\n- {tests: tests, points: 1}\n- {tests: a}\n",
    "pack/task.yaml:3: groups[2]: must have points or points_each, as other groups have",
    tests("a/1"),
  ],
  [
    "groups: [{tests: [{input: tests/1.in, points: 5}]}]\n",
    "pack/task.yaml:1: groups[1].tests: cannot give points to single tests; use points or " +
    "points_each",
  ],
  [
    "samples: [{input: a.in, points: 1}]\n",
    "pack/task.yaml:1: samples: cannot have points: samples are examples",
    tests("a"),
  ],
  ["checker: check.py\n", "pack/task.yaml:1: checker: names check.py, which is missing"],
  [
    "checker: case_sensitiv x\n",
    "pack/task.yaml:1: checker: must be flags of the default checker, or the name of a program: " +
    'Unknown validator flag "case_sensitiv"; known flags: case_sensitive, space_change_sensitive, ' +
    "float_tolerance, float_absolute_tolerance, float_relative_tolerance",
  ],
  [
    "checker: {scores: true}\n",
    "pack/task.yaml:1: checker.scores: needs a program: only a program gives scores",
  ],
  [
    "checker: a\ninteractor: b\n",
    "pack/task.yaml:2: interactor: cannot be combined with checker: an interactor judges by itself",
  ],
  [
    "interactor: {flags: a}\n",
    "pack/task.yaml:1: interactor: must have a program, the name of a file",
  ],
  [
    "submissions: solutions\n",
    "pack/task.yaml:1: submissions: names solutions, which must be a folder with a folder for each " +
    "verdict in it",
  ],
];

for (const [yaml, message, more] of MESSAGES) {
  Deno.test(`readPackage() says of ${JSON.stringify(yaml)}: ${message}`, async () => {
    assertEquals(await complaintAbout({ ...SMALL_TASK, "task.yaml": yaml, ...more }), message);
  });
}

Deno.test("readPackage() says where it looked for tests if a task has none", async () => {
  assertEquals(
    await complaintAbout({ "task.yaml": "title: x\n" }),
    "pack/task.yaml: needs tests or groups, or a folder tests beside it",
  );
});
