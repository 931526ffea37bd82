import { assertEquals, assertMatch } from "@std/assert";
import { complaintAbout, readFiles, SMALL_PACKAGE } from "../../tests/support/package.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

const VALIDATOR = { "output_validators/check.py": "import sys\nsys.exit(42)\n" };

/** Reads the small package with another `problem.yaml` and more files. */
function read(yaml: string, more: Readonly<Record<string, string>> = {}) {
  return readFiles({ ...SMALL_PACKAGE, "problem.yaml": yaml, ...more });
}

function complain(yaml: string, more: Readonly<Record<string, string>> = {}) {
  return complaintAbout({ ...SMALL_PACKAGE, "problem.yaml": yaml, ...more });
}

Deno.test("readPackage() understands the smallest package", async () => {
  const problem = await readFiles(SMALL_PACKAGE);
  assertEquals(problem.format, "kattis");
  assertEquals(problem.shortName, "pack");
  assertEquals(problem.title, "Small");
  assertEquals(problem.kind, "pass-fail");
  assertEquals(problem.limits, DEFAULT_LIMITS);
  assertEquals(problem.validation, { kind: "default" });
  assertEquals(problem.submissions, []);
  assertEquals(problem.warnings, []);
  const [member] = problem.data.members;
  const group = member?.kind === "group" ? member.group : undefined;
  assertEquals(group?.name, "secret");
  assertEquals(group?.members, [{
    kind: "test",
    test: {
      name: "secret/1",
      inputFile: `${problem.directory}/data/secret/1.in`,
      answerFile: `${problem.directory}/data/secret/1.ans`,
      isSample: false,
    },
  }]);
});

Deno.test("readPackage() takes an empty problem.yaml for a problem named like its folder", async () => {
  assertEquals((await read("")).title, "pack");
  assertEquals((await read("# nothing\n")).title, "pack");
});

Deno.test("readPackage() prefers the English name, and takes another if there is none", async () => {
  assertEquals((await read("name: {de: Kurz, en: Short}")).title, "Short");
  assertEquals((await read("name: {de: Kurz, fr: Bref}")).title, "Kurz");
});

Deno.test("readPackage() reads all limits of the legacy version", async () => {
  const { limits } = await read(
    "limits:\n  time_multiplier: 4\n  time_safety_margin: 1.5\n  memory: 64\n  output: 2\n" +
      "  code: 12\n  compilation_time: 10\n  compilation_memory: 512\n  validation_time: 2.5\n" +
      "  validation_memory: 128\n  validation_output: 1\n",
  );
  assertEquals(limits, {
    timeLimitMs: undefined,
    timeLimitSource: undefined,
    acceptedToLimit: 4,
    limitToRejected: 1.5,
    timeResolutionMs: 1000,
    memoryKib: 65536,
    outputKib: 2048,
    codeKib: 12,
    compileTimeMs: 10_000,
    compileMemoryKib: 524288,
    validationTimeMs: 2500,
    validationMemoryKib: 131072,
    validationOutputKib: 1024,
  });
});

Deno.test("readPackage() reads time limits and multipliers of the later version", async () => {
  const version = "problem_format_version: 2023-07-draft\n";
  const plain = (await read(version)).limits;
  assertEquals([plain.acceptedToLimit, plain.limitToRejected], [2, 1.5]);
  const { limits, warnings } = await read(
    version + "limits:\n  time_limit: 1.1\n  time_resolution: 0.1\n" +
      "  time_multipliers:\n    ac_to_time_limit: 3\n    time_limit_to_tle: 2\n",
  );
  assertEquals(warnings, []);
  assertEquals([limits.timeLimitMs, limits.timeResolutionMs], [1100, 100]);
  assertEquals([limits.acceptedToLimit, limits.limitToRejected], [3, 2]);
  assertEquals(limits.timeLimitSource, "problem.yaml: limits.time_limit");
});

for (
  const [file, content, source] of [
    [".timelimit", "3\n", ".timelimit"],
    ["domjudge-problem.ini", "name = x\ntimelimit = 3\n", "domjudge-problem.ini: timelimit"],
    ["domjudge-problem.ini", "timelimit='3'\n", "domjudge-problem.ini: timelimit"],
  ] as const
) {
  Deno.test(`readPackage() finds the time limit in ${JSON.stringify(content)} of ${file}`, async () => {
    const { limits } = await read("", { [file]: content });
    assertEquals([limits.timeLimitMs, limits.timeLimitSource], [3000, source]);
    const own = await read("limits: {time_limit: 2}", { [file]: content });
    assertEquals(own.limits.timeLimitMs, 2000);
  });
}

Deno.test("readPackage() goes by other files for the time limit only where they have one", async () => {
  assertEquals((await read("", { "domjudge-problem.ini": "x=1\n" })).limits.timeLimitMs, undefined);
});

Deno.test("readPackage() takes a validator of the package where validation says so", async () => {
  const { validation } = await read("validation: custom", VALIDATOR);
  if (validation.kind !== "custom") throw new TypeError("is not custom");
  assertEquals([validation.interactive, validation.score], [false, false]);
  assertEquals(validation.program.name, "check.py");
  const scored = await read("type: scoring\nvalidation: custom score interactive", VALIDATOR);
  if (scored.validation.kind !== "custom") throw new TypeError("is not custom");
  assertEquals([scored.validation.interactive, scored.validation.score], [true, true]);
});

Deno.test("readPackage() warns of a validator that nobody uses", async () => {
  const { validation, warnings } = await read("", VALIDATOR);
  assertEquals(validation.kind, "default");
  assertEquals(warnings.map((text) => text.replace(/^.*\/pack/, "pack")), [
    "pack/output_validators: ignored, as problem.yaml does not say validation: custom",
  ]);
});

Deno.test("readPackage() takes the validator of the later version where there is one", async () => {
  const version = "problem_format_version: 2023-07-draft\n";
  const one = await read(version, { "output_validator/check.py": "" });
  assertEquals(one.validation.kind === "custom" && one.validation.program.name, "check.py");
  const files = { "output_validator/build": "", "output_validator/lib/run.c": "" };
  const several = await read(version + "type: interactive\n", files);
  if (several.validation.kind !== "custom") throw new TypeError("is not custom");
  assertEquals(several.validation.interactive, true);
  assertEquals(several.validation.program.name, "output_validator");
  assertEquals(several.validation.program.files.map(({ name }) => name), ["build", "lib/run.c"]);
  assertEquals((await read(version)).validation.kind, "default");
});

Deno.test("readPackage() knows scoring problems and what is best in them", async () => {
  const problem = await read("type: scoring\ngrading: {objective: min}\n");
  assertEquals([problem.kind, problem.objective], ["scoring", "min"]);
});

Deno.test("readPackage() reads grading that older packages have in problem.yaml", async () => {
  const { data } = await read(
    "type: scoring\n" +
      "grading: {on_reject: continue, accept_score: 5, reject_score: 1, range: 0 +inf}\n",
  );
  assertEquals(data.onReject, "continue");
  const { acceptScore, rejectScore, range } = data.grading;
  assertEquals([acceptScore, rejectScore, range], [5, 1, [0, Infinity]]);
});

Deno.test("readPackage() warns of unknown keys, and suggests the one that was meant", async () => {
  const { warnings } = await read("nmae: x\nlimits:\n  memroy: 5\nsomething: 1\n");
  assertEquals(warnings.map((text) => text.replace(/^.*\/pack/, "pack").slice(0, 75)), [
    "pack/problem.yaml:1: nmae: unknown key; did you mean name?",
    "pack/problem.yaml:4: something: unknown key; known keys: problem_format_ver",
    "pack/problem.yaml:3: limits.memroy: unknown key; did you mean memory?",
  ]);
});

Deno.test("readPackage() takes the last of two keys, as other judges do, and names it", async () => {
  const { title, limits, warnings } = await read(
    "name: first\nlimits: {memory: 5}\nname: last\nlimits: {memory: 7}\n",
  );
  assertEquals([title, limits.memoryKib], ["last", 7 * 1024]);
  assertEquals(warnings.map((text) => text.replace(/^.*\/pack/, "pack")), [
    "pack/problem.yaml:3: the key name is there twice; the last one counts",
  ]);
});

Deno.test("readPackage() warns of a static validator that no group asks for", async () => {
  const { warnings } = await read("problem_format_version: 2025-09\n", {
    "static_validator/check.py": "",
  });
  assertEquals(warnings.map((text) => text.replace(/^.*\/pack/, "pack")), [
    "pack/static_validator: not run: no test_group.yaml has static_validation_score",
  ]);
});

const MESSAGES: [yaml: string, message: string, more?: Record<string, string>][] = [
  ["- a\n", "pack/problem.yaml:1: must be a mapping of keys to values"],
  [
    "problem_format_version: 1999\n",
    "pack/problem.yaml:1: problem_format_version: must be one of legacy, legacy-icpc, " +
    '2023-07-draft, 2023-07, 2025-09, 2025-09-draft, draft, not "1999"',
  ],
  [
    "type: pass-fali\n",
    "pack/problem.yaml:1: type: must be pass-fail or scoring or interactive or multi-pass or " +
    'submit-answer, not "pass-fali"; did you mean pass-fail?',
  ],
  [
    "type: [submit-answer, interactive]",
    "pack/problem.yaml:1: type: cannot be both submit-answer and interactive, which needs a program",
  ],
  [
    "type: multi-pass",
    "pack/output_validators: is missing, but a multi-pass problem needs a validator in it",
  ],
  [
    "type: multi-pass\nlimits: {validation_passes: 1}\n",
    "pack/problem.yaml:2: limits.validation_passes: must be a whole number of passes from 2 to " +
    '1000, not "1"',
  ],
  [
    "problem_format_version: 2025-09\nvalidation: custom\n",
    "pack/problem.yaml:2: validation: is no key since 2025-09: the type, output_validator/ and " +
    "test_group.yaml say it; remove it",
  ],
  [
    "constants: {a-b: 5}\n",
    "pack/problem.yaml:1: constants.a-b: the name of a constant must have letters, digits and " +
    "underscores only",
  ],
  [
    "type: [pass-fail, scoring]",
    "pack/problem.yaml:1: type: cannot be both pass-fail and scoring",
  ],
  [
    "name: x\nlimits:\n  memory: lots\n",
    "pack/problem.yaml:3: limits.memory: must be a number of MiB, more than 0 and at most 1048576, " +
    'not "lots"',
  ],
  [
    "limits:\n  memory: 0\n",
    "pack/problem.yaml:2: limits.memory: must be a number of MiB, more than 0 and at most 1048576, " +
    'not "0"',
  ],
  ["limits:\n  memory: [1]\n", "pack/problem.yaml:2: limits.memory: must be a single value"],
  ["limits: 5\n", "pack/problem.yaml:1: limits: must be a mapping of keys to values"],
  [
    "limits:\n  time_limit: -1\n",
    "pack/problem.yaml:2: limits.time_limit: must be a number of seconds, at least 0.001 and at " +
    'most 86400, not "-1"',
  ],
  [
    "limits:\n  time_multiplier: 0.5\n",
    "pack/problem.yaml:2: limits.time_multiplier: must be a number from 1 to 1000, such as 2, " +
    'not "0.5"',
  ],
  [
    "",
    'pack/.timelimit:1: must be a number of seconds, at most 86400, not "soon"',
    { ".timelimit": "soon\n" },
  ],
  [
    "",
    'pack/domjudge-problem.ini:2: timelimit: must be a number of seconds, at most 86400, not "x"',
    { "domjudge-problem.ini": "a=b\ntimelimit=x\n" },
  ],
  [
    "validation: costum\n",
    "pack/problem.yaml:1: validation: must be default, or custom with optional interactive and " +
    'score, not "costum"',
  ],
  [
    "validation: custom score\n",
    "pack/problem.yaml:1: validation: score needs type: scoring",
  ],
  [
    "validation: custom\n",
    "pack/output_validators: is missing, but validation: custom needs a validator in it",
  ],
  [
    "validation: custom\n",
    "pack/output_validators: is empty, but validation: custom needs a validator in it",
    { "output_validators/.keep": "" },
  ],
  [
    "problem_format_version: 2023-07-draft\ntype: interactive\n",
    "pack/output_validators: is missing, but an interactive problem needs a validator in it",
  ],
  [
    "validation: custom\n",
    "pack/output_validators/check: is empty, but must hold the files of a program",
    { "output_validators/check/.keep": "" },
  ],
  [
    "validation: custom interactive\n",
    "pack/output_validators: has 2 programs, but only one can talk to a submission or give it " +
    "another input; the files of one program belong in a folder of their own",
    { "output_validators/a.cc": "", "output_validators/b.cc": "", "output_validators/a.h": "" },
  ],
  [
    "validator_flags: case_insensitive\n",
    'pack/problem.yaml:1: validator_flags: Unknown validator flag "case_insensitive"; known flags: ' +
    "case_sensitive, space_change_sensitive, float_tolerance, float_absolute_tolerance, " +
    "float_relative_tolerance",
  ],
  [
    "grading: {objective: most}\n",
    'pack/problem.yaml:1: grading.objective: must be max or min, not "most"',
  ],
  [
    "grading:\n  custom_scoring: true\n",
    "pack/problem.yaml:2: grading.custom_scoring: must be false: a grader in graders/ is asked " +
    "where testdata.yaml says grading: custom",
  ],
  [
    "grading:\n  custom_scoring: maybe\n",
    'pack/problem.yaml:2: grading.custom_scoring: must be true or false, not "maybe"',
  ],
];

for (const [yaml, message, more] of MESSAGES) {
  Deno.test(`readPackage() says: ${message}`, async () => {
    assertEquals(await complain(yaml, more), message);
  });
}

Deno.test("readPackage() bounds what problem.yaml expands to, flags, titles and groups", async () => {
  assertMatch(
    await complain(`constants: {n: ${"n".repeat(1001)}}\n`),
    /n: is longer than 1000 char/,
  );
  const long = "x".repeat(300_000);
  const bomb = await complain(`name: &x ${long}\nvalidator_flags: [${"*x, ".repeat(3000)}]\n`);
  assertMatch(bomb, /problem\.yaml: has 3000 aliases/);
  assertMatch(await complain(`validator_flags: ${"a ".repeat(257)}\n`), /has 257 words/);
  assertMatch(await complain(`validator_flags: [${"a".repeat(20_000)}]\n`), /20000 characters/);
  assertMatch(await complain(`name: ${"n".repeat(1001)}\n`), /longer than 1000 characters/);
  const groups: Record<string, string> = {};
  for (let i = 0; i < 1001; i++) groups[`data/secret/g${i}/readme.md`] = "";
  assertMatch(await complain("", groups), /more than 1000 groups/);
});

Deno.test("readPackage() refuses a test that only seems small on the disk", async () => {
  const complaint = await complaintAbout(
    SMALL_PACKAGE,
    (folder) => Deno.truncateSync(`${folder}/data/secret/1.ans`, 2 ** 31),
  );
  assertMatch(complaint, /1\.ans: has 2 GiB; a file may have 1 GiB \(--file-size=MIB\)/);
});
