/** The tests of a package are checked with its own validators where the package is verified. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadLanguages } from "isolate/judge/mod.ts";
import { withFolder } from "../support/folder.ts";
import { isolate } from "../support/isolate.ts";
import {
  existingBoxes,
  type Files,
  JUDGE_BOXES,
  needsJudge,
  SUM,
  withPackage,
  writeFiles,
} from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

/** Inputs are two numbers up to a limit, with one blank between them and a newline at the end. */
const INPUT_VALIDATOR = `
import re, sys
text = sys.stdin.read()
limit = int(sys.argv[1]) if len(sys.argv) > 1 else 100
if not re.fullmatch(r"\\d+ \\d+\\n", text):
    print("line 1: not two numbers with one blank between them")
    sys.exit(43)
if max(map(int, text.split())) > limit:
    print("line 1: a number is more than", limit, file=sys.stderr)
    sys.exit(43)
sys.exit(42)
`;

const CHECKED: Files = {
  ...SUM,
  "submissions/accepted/a.py": GOOD,
  "input_validators/numbers.py": INPUT_VALIDATOR,
};

async function complaintsOf(files: Files): Promise<{ complaints: string[]; warnings: string[] }> {
  const found = { complaints: [] as string[], warnings: [] as string[] };
  await withPackage(files, async (judge) => {
    const { complaints, warnings } = await judge.judge({ verify: true });
    found.complaints.push(...complaints);
    found.warnings.push(...warnings);
    // Whoever hands in a submission does not wait for it.
    const others = (await judge.judge({ verify: false })).complaints;
    assertEquals(others.filter((text) => text.includes("validator ")), []);
  });
  assertEquals(existingBoxes(), []);
  return found;
}

testWith(
  needsJudge,
  "inputs that an input validator refuses are named, with what it says",
  async () => {
    const { complaints } = await complaintsOf({
      ...CHECKED,
      "data/secret/3.in": "1  2\n",
      "data/secret/3.ans": "3\n",
      "data/secret/small/testdata.yaml": "input_validator_flags: 5\n",
      "data/secret/small/4.in": "6 1\n",
      "data/secret/small/4.ans": "7\n",
      "data/secret/small/5.in": "5 1\n",
      "data/secret/small/5.ans": "6\n",
      "data/invalid_input/letters.in": "a b\n",
      "data/invalid_input/fine.in": "1 2\n",
    });
    assertEquals(complaints, [
      "secret/3.in is refused by the input validator numbers.py: Exit status 43: line 1: not two " +
      'numbers with one blank between them (line 1 is "1  2")',
      "secret/small/4.in is refused by the input validator numbers.py: Exit status 43: line 1: a " +
      'number is more than 5 (line 1 is "6 1")',
      "invalid_input/fine.in must be refused, but every input validator accepts it",
    ]);
  },
);

testWith(needsJudge, "an input validator that cannot be used is a complaint", async () => {
  const { complaints } = await complaintsOf({
    ...CHECKED,
    "input_validators/broken.py": "def (",
    "input_validators/old.viva": "{ a; }\n",
  });
  const [viva, broken, ...others] = complaints;
  assertMatch(viva!, /old\.viva: cannot be run: VIVA is not supported; write it for checktestdata/);
  assertMatch(broken!, /^The input validator broken\.py cannot be used: [^,]*$/);
  assertEquals(others, []);
});

/** Is called like the real one; for it, what is described is the whole input. */
const CHECKTESTDATA = `#!/bin/sh
[ "$1" = --version ] && { echo checktestdata 1; exit 0; }
cmp -s "$1" - || { echo "ERROR at line 1: not as described"; exit 1; }
`;

testWith(needsJudge, "an input validator in Checktestdata runs where that is set up", async () => {
  const { "input_validators/numbers.py": _, ...others } = CHECKED;
  const files = {
    ...others,
    "input_validators/numbers.ctd": "1 2\n",
    "tools/bin/checktestdata": CHECKTESTDATA,
  };
  await withPackage(files, async (judge) => {
    const complaints = async (path: string) => {
      const environment = new Map([["PATH", path]]);
      const languages = await loadLanguages(judge.host, { environment });
      return (await judge.judge({ onlyTests: true, submissions: [], languages })).complaints;
    };
    await Deno.chmod(judge.folder, 0o755);
    await Deno.chmod(`${judge.folder}/tools/bin/checktestdata`, 0o755);
    assertEquals(await complaints(`${judge.folder}/tools/bin:/usr/bin:/bin`), [
      "secret/2.in is refused by the input validator numbers.ctd: Exit status 1: ERROR at line 1: " +
      'not as described (line 1 is "20 22")',
    ]);
    const [missing] = await complaints("/nowhere");
    assertMatch(
      missing!,
      /numbers\.ctd cannot be used: Checktestdata is not set up: install check/,
    );
  });
});

const OUTPUT_VALIDATOR = `
import sys
said = open(sys.argv[2]).read().split()
sys.exit(42 if sys.stdin.read().split() == said and said[0] != "666" else 43)
`;

testWith(
  needsJudge,
  "answers and outputs are held against the package's own validator",
  async () => {
    const { complaints, warnings } = await complaintsOf({
      ...CHECKED,
      "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
      "output_validators/check.py": OUTPUT_VALIDATOR,
      "data/sample/1.in": "60 6\n",
      "data/sample/1.ans": "666\n",
      "data/secret/9.in": "60 7\n",
      "data/secret/9.ans": "666\n",
      "data/invalid_output/1.in": "1 2\n",
      "data/invalid_output/1.ans": "3\n",
      "data/invalid_output/1.out": "3\n",
      "data/invalid_output/2.in": "1 2\n",
      "data/invalid_output/2.ans": "3\n",
      "data/invalid_output/2.out": "4\n",
      "data/valid_output/3.in": "1 2\n",
      "data/valid_output/3.ans": "3\n",
      "data/valid_output/3.out": " 3 \n",
      "data/valid_output/4.in": "1 2\n",
      "data/valid_output/4.ans": "3\n",
      "data/valid_output/4.out": "5\n",
      "submissions/accepted/a.py":
        "a, b = map(int, input().split())\nprint(666 if a == 60 else a + b)\n",
    });
    assertEquals(complaints.slice(0, 3), [
      "sample/1.ans is refused by the output validator: Wrong answer: no message",
      "invalid_output/1.out must be refused, but the output validator accepts it",
      "valid_output/4.out must be accepted, but the output validator refuses it: Wrong answer: no " +
      "message",
    ]);
    assertEquals(warnings, [
      "secret/9.ans is refused by the output validator: Wrong answer: no message",
    ]);
  },
);

testWith(needsJudge, "the default validator is held against such outputs, too", async () => {
  const { complaints } = await complaintsOf({
    ...CHECKED,
    "data/valid_output/3.in": "1 2\n",
    "data/valid_output/3.ans": "3\n",
    "data/valid_output/3.out": "4\n",
  });
  assertMatch(complaints.join(), /^valid_output\/3\.out must be accepted, but .*: Line 1/);
});

testWith(
  needsJudge,
  "inputs that were checked are checked again only when something changes",
  async () => {
    await withFolder(async (cacheDirectory) => {
      await withPackage(CHECKED, async (judge) => {
        const options = { verify: true, cacheDirectory };
        assertEquals((await judge.judge(options)).complaints, []);
        const kept = async () => (await Array.fromAsync(Deno.readDir(cacheDirectory))).length;
        const before = await kept();
        assertEquals((await judge.judge(options)).complaints, []);
        assertEquals(await kept(), before);
        await Deno.writeTextFile(`${judge.folder}/data/secret/1.in`, "1 2");
        assertMatch((await judge.judge(options)).complaints.join(), /^secret\/1\.in is refused/);
        assertMatch((await judge.judge(options)).complaints.join(), /^secret\/1\.in is refused/);
        await Deno.writeTextFile(`${judge.folder}/data/secret/1.in`, "1 2\n");
        assertEquals((await judge.judge(options)).complaints, []);
      });
    });
  },
);

testWith(
  needsJudge,
  "isolate judge --check runs the validators on the tests, and no submission",
  async () => {
    await withFolder(async (folder) => {
      // It would be judged for minutes.
      const files = { ...CHECKED, "submissions/accepted/a.py": "while True: pass\n" };
      await writeFiles(`${folder}/sum`, files);
      const boxes = `--box-ids=${JUDGE_BOXES.first}-${JUDGE_BOXES.first + 9}`;
      const check = () => isolate(["judge", boxes, "--no-cache", "--check", `${folder}/sum`]);
      const fine = await check();
      assertEquals([fine.code, fine.stderr], [0, ""], fine.stdout);
      assertMatch(fine.stdout, /^2 tests checked, [\d.]+ s\n$/);
      await Deno.writeTextFile(`${folder}/sum/data/secret/2.in`, "1 200\n");
      const wrong = await check();
      assertEquals(wrong.code, 1, wrong.stdout);
      assertStringIncludes(
        wrong.stdout,
        "secret/2.in is refused by the input validator numbers.py",
      );
      await Deno.writeTextFile(`${folder}/sum/input_validators/numbers.py`, "if\n");
      const broken = await check();
      assertEquals(broken.code, 1, broken.stdout);
      assertStringIncludes(broken.stdout, "The input validator numbers.py cannot be used");
    });
  },
);

/** It reads only as many words as there are in the answer. */
const HASTY = `
import sys
said, words = open(sys.argv[2]).read().split(), sys.stdin.read().split()
sys.exit(42 if words[:len(said)] == said else 43)
`;

testWith(
  needsJudge,
  "validators that do not read to the end are noted, and only these",
  async () => {
    const hasty = {
      ...CHECKED,
      "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
      "output_validators/check.py": HASTY,
      "input_validators/numbers.py": "import sys\ninput()\nsys.exit(42)\n",
    };
    const noted = async (files: Files) => {
      const { complaints, warnings } = await complaintsOf(files);
      return [...complaints, ...warnings].filter((text) => text.includes("trailing"));
    };
    assertEquals(await noted(hasty), [
      "The input validators do not notice trailing input: they accept secret/1.in with a line more",
      "The output validator does not notice trailing output: it accepts secret/1.ans with a line more",
    ]);
    assertEquals(await noted({ ...hasty, ...CHECKED, "problem.yaml": hasty["problem.yaml"] }), [
      "The output validator does not notice trailing output: it accepts secret/1.ans with a line more",
    ]);
    const whole = { "output_validators/check.py": OUTPUT_VALIDATOR };
    assertEquals(await noted({ ...hasty, ...CHECKED, ...whole }), []);
  },
);

testWith(
  needsJudge,
  "what validators have accepted is known the next time, until it changes",
  async () => {
    // Each run takes a second, so the time tells how many there were.
    const files = {
      ...CHECKED,
      "input_validators/numbers.py": `import time\ntime.sleep(1)\n${INPUT_VALIDATOR}`,
      "data/invalid_input/letters.in": "a b\n",
    };
    await withPackage(files, async (judge) => {
      const cacheDirectory = `${judge.folder}/cache`;
      const check = async () => {
        const { complaints, durationMs } = await judge.judge({
          ...{ onlyTests: true, submissions: [], cacheDirectory },
        });
        assertEquals(complaints, []);
        return durationMs;
      };
      const first = await check();
      const second = await check();
      await Deno.writeTextFile(`${judge.folder}/data/invalid_input/letters.in`, "a c\n");
      const third = await check();
      // Four runs by two workers, and programs are compiled; none; one.
      assert(second < first - 1000 && third > 1000, `${first} ${second} ${third}`);
    });
  },
);

testWith(needsJudge, "tests that are not as generators.yaml says are noted", async () => {
  const generated = {
    ...CHECKED,
    "generators/generators.yaml": `
data:
  secret:
    data:
      "1": count.py 1 2
      "2":
        in: 20 22
      "3": file.py
      "4": count.py 4 {seed}
      "5": crash.py
`,
    "generators/count.py": "import sys\nprint(*[len(word) for word in sys.argv[1:]])\n",
    "generators/file.py": "open('testcase.in', 'w').write('3 3\\n')\nprint('no input')\n",
    "generators/crash.py": "raise SystemExit(4)\n",
    "data/secret/3.in": "3 3\n",
    "data/secret/3.ans": "6\n",
    "data/secret/5.in": "1 1\n",
    "data/secret/5.ans": "2\n",
    "data/secret/6.in": "1 1\n",
    "data/secret/6.ans": "2\n",
  };
  const { complaints, warnings } = await complaintsOf(generated);
  assertEquals(complaints, []);
  assertEquals(warnings.filter((text) => /generator|up to date/.test(text)), [
    "secret/1.in is not up to date: count.py 1 2",
    "secret/4.in is missing, but generators.yaml lists it",
    "secret/5: the generator crash.py fails: Exit status 4",
    "generators.yaml does not list secret/6",
  ]);
});
