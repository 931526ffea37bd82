/** Mistakes that authors make: each is named with its file, line and key, and what would be right. */

import { assertEquals } from "@std/assert";
import { complaintAbout, readFiles, SMALL_PACKAGE } from "../../tests/support/package.ts";

type Files = Readonly<Record<string, string>>;

const REFUSED: readonly [mistake: string, files: Files, sentence: string][] = [
  [
    "a limit with its unit",
    { "problem.yaml": "name: Sum\nlimits: {time_limit: 1s}\n" },
    "pack/problem.yaml:2: limits.time_limit: must be a number of seconds, at least 0.001 and at " +
    'most 86400, not "1s"; leave out the unit',
  ],
  [
    "memory in bytes",
    { "problem.yaml": "name: Sum\nlimits: {memory: 268435456}\n" },
    "pack/problem.yaml:2: limits.memory: must be a number of MiB, more than 0 and at most 1048576, " +
    'not "268435456"',
  ],
  [
    "memory with its unit",
    { "problem.yaml": "name: Sum\nlimits: {memory: 256MB}\n" },
    "pack/problem.yaml:2: limits.memory: must be a number of MiB, more than 0 and at most 1048576, " +
    'not "256MB"; leave out the unit',
  ],
  [
    "a decimal comma",
    { "problem.yaml": "name: Sum\nlimits: {time_limit: '1,5'}\n" },
    "pack/problem.yaml:2: limits.time_limit: must be a number of seconds, at least 0.001 and at " +
    'most 86400, not "1,5"; write 1.5',
  ],
  [
    "a name with a colon",
    { "problem.yaml": "limits: {}\nname: Sum: the easy one\n" },
    "pack/problem.yaml:2: not valid YAML: Cannot read block as explicit mapping pair is incomplete: " +
    "a key node is missed or followed by a non-tabulated empty line (column 10); quote a value that " +
    'has ": " in it',
  ],
  [
    "keys that are indented for no reason",
    { "problem.yaml": "name: Sum\n  limits:\n    time_limit: 2\n" },
    "pack/problem.yaml:2: not valid YAML: Cannot read block: bad indentation of a mapping entry " +
    "(column 9)",
  ],
  [
    "a tolerance without its number",
    { "problem.yaml": "name: Sum\nvalidator_flags: float_tolerance\n" },
    "pack/problem.yaml:2: validator_flags: The validator flag float_tolerance needs a number after " +
    "it, such as 1e-6",
  ],
  [
    "an answer that is called an output",
    { "data/secret/3.in": "1 2\n", "data/secret/3.out": "3\n" },
    "pack/data/secret/3.in: has no answer 3.ans; rename 3.out",
  ],
  [
    "an answer with capital letters in its ending",
    { "data/secret/3.in": "1 2\n", "data/secret/3.ANS": "3\n" },
    "pack/data/secret/3.in: has no answer 3.ans; rename 3.ANS",
  ],
  [
    "a misspelled value of a group",
    { "data/secret/testdata.yaml": "on_reject: contineu\n" },
    "pack/data/secret/testdata.yaml:1: on_reject: must be break or continue, not " +
    '"contineu"; did you mean continue?',
  ],
  [
    "a folder of a submission without files",
    { "submissions/accepted/mine/": "" },
    "pack/submissions/accepted/mine: is empty, but must hold the files of a program",
  ],
  [
    "a test without an answer",
    { "data/secret/3.in": "1 2\n" },
    "pack/data/secret/3.in: has no answer 3.ans",
  ],
  [
    "an answer without a test",
    { "data/secret/3.ans": "3\n" },
    "pack/data/secret/3.ans: has no input 3.in",
  ],
  [
    "tests in no group",
    { "data/5.in": "1 2\n", "data/5.ans": "3\n" },
    "pack/data/5.ans: must be in data/sample or data/secret",
  ],
];

for (const [mistake, files, sentence] of REFUSED) {
  Deno.test(`readPackage() refuses ${mistake}`, async () => {
    assertEquals(await complaintAbout({ ...SMALL_PACKAGE, ...files }), sentence);
  });
}

const NAMED: readonly [mistake: string, files: Files, sentence: string][] = [
  [
    "a limit that is not indented",
    { "problem.yaml": "name: Sum\nlimits:\ntime_limit: 2\n" },
    "pack/problem.yaml:3: time_limit: ignored; it belongs below limits: indent it",
  ],
  [
    "a key that is there twice",
    { "problem.yaml": "name: Sum\nname: Product\n" },
    "pack/problem.yaml:2: the key name is there twice; the last one counts",
  ],
  [
    "a folder of submissions with another name",
    { "submission/accepted/a.py": "print(1)\n" },
    "pack/submission: ignored; did you mean submissions?",
  ],
  [
    "a folder of input validators with another name",
    { "input_validator/a.py": "print(1)\n" },
    "pack/input_validator: ignored; did you mean input_validators?",
  ],
  [
    "a folder of tests with another name",
    { "data/secrets/1.in": "1\n", "data/secrets/1.ans": "1\n" },
    "pack/data/secrets: ignored; tests belong in data/sample and data/secret",
  ],
  [
    "settings with another ending",
    { "data/secret/testdata.yml": "on_reject: continue\n" },
    "pack/data/secret/testdata.yml: ignored; did you mean testdata.yaml?",
  ],
  [
    "an output validator that nobody asks for",
    { "output_validators/check.py": "" },
    "pack/output_validators: ignored, as problem.yaml does not say validation: custom",
  ],
  [
    "a time limit in milliseconds",
    { "problem.yaml": "name: Sum\nlimits: {time_limit: 1000}\n" },
    "pack/problem.yaml:2: limits.time_limit: is in seconds: 1000 is very much; did you mean 1?",
  ],
  [
    "a memory limit in KiB",
    { "problem.yaml": "name: Sum\nlimits:\n  memory: 262144\n" },
    "pack/problem.yaml:3: limits.memory: is in MiB: 262144 is very much; did you mean 256?",
  ],
  [
    "a misspelled key",
    { "problem.yaml": "name: Sum\nvalidaton: custom\n" },
    "pack/problem.yaml:2: validaton: unknown key; did you mean validation?",
  ],
  [
    "a submission in no folder",
    { "submissions/b.py": "print(1)\n" },
    "pack/submissions/b.py: ignored; submissions belong in folders named after verdicts",
  ],
  [
    "a submission in a misspelled folder",
    { "submissions/acepted/b.py": "print(1)\n" },
    "pack/submissions/acepted: promises no verdict that is known; did you mean accepted?",
  ],
  [
    "a test with capital letters in its ending",
    { "data/secret/3.IN": "1 2\n" },
    "pack/data/secret/3.IN: ignored; inputs end in .in, answers in .ans",
  ],
];

for (const [mistake, files, sentence] of NAMED) {
  Deno.test(`readPackage() names ${mistake}`, async () => {
    const { warnings, complaints = [] } = await readFiles({ ...SMALL_PACKAGE, ...files });
    const found = [...warnings, ...complaints].map((text) => text.replace(/^.*?(?=pack\/)/, ""));
    assertEquals(found.filter((text) => text === sentence), [sentence], found.join("\n"));
  });
}

Deno.test("readPackage() reads a problem.yaml with the line ends of Windows and a byte order mark", async () => {
  const text = "\ufeffname: Sum\r\nlimits:\r\n  time_limit: 2\r\n";
  const { title, limits, warnings } = await readFiles({ ...SMALL_PACKAGE, "problem.yaml": text });
  assertEquals([title, limits.timeLimitMs, warnings], ["Sum", 2000, []]);
});
