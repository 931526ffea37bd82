/** Answers and example outputs are checked with the package's own output validator. */

import { assertEquals, assertMatch } from "@std/assert";
import { CHECKED, complaintsOf } from "../support/data_checks.ts";
import { type Files, needsJudge, SUM } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

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
