/** Mistakes that authors make: each is named with its file, line and key, and what would be right. */

import { assertEquals } from "@std/assert";
import { complaintAbout, readFiles, SMALL_PACKAGE } from "../../tests/support/package.ts";

type Files = Readonly<Record<string, string>>;

const REFUSED: readonly [mistake: string, files: Files, sentence: string][] = [
  [
    "a limit with its unit",
    { "problem.yaml": "name: Sum\nlimits: {time_limit: 1s}\n" },
    "pack/problem.yaml:2: limits.time_limit: must be a number of seconds, at least 0.001 and at " +
    'most 86400, not "1s"',
  ],
  [
    "memory in bytes",
    { "problem.yaml": "name: Sum\nlimits: {memory: 268435456}\n" },
    "pack/problem.yaml:2: limits.memory: must be a number of MiB, more than 0 and at most 1048576, " +
    'not "268435456"',
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
