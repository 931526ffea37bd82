/** The tests of a package are checked with its own validators where the package is verified. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withFolder } from "../support/folder.ts";
import { isolate } from "../support/isolate.ts";
import { CHECKED, complaintsOf, INPUT_VALIDATOR } from "../support/data_checks.ts";
import { JUDGE_BOXES, needsJudge, withPackage, writeFiles } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

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
