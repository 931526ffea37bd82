/** Problems whose submissions are outputs. */

import { assertEquals, assertMatch } from "@std/assert";
import { needsJudge, SUM, verdicts, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

testWith(
  needsJudge,
  "submissions are outputs where the problem takes them, or programs",
  async () => {
    const files = {
      ...SUM,
      "problem.yaml":
        "problem_format_version: 2025-09\nname: Sum\ntype: submit-answer\nlimits: {output: 1}\n",
      "submissions/accepted/both/1.out": "3\n",
      "submissions/accepted/both/secret/2.ans": "42\n",
      "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
      "submissions/wrong_answer/one/1.out": "3\n",
      "submissions/wrong_answer/one/7.out": "7\n",
      "submissions/wrong_answer/swapped/1.out": "42\n",
      "submissions/wrong_answer/swapped/2.out": "3\n",
      "submissions/output_limit_exceeded/large/1.out": "3 ".repeat(1 << 20),
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.complaints, []);
      assertEquals(verdicts(report), {
        "accepted/both": "AC: Accepted",
        "accepted/sum.py": "AC: Accepted",
        "output_limit_exceeded/large": "OLE: The output has more than 1 MiB",
        "wrong_answer/one": "WA: There is no output for this test",
        "wrong_answer/swapped": 'WA: Line 1, word 1: expected "3", got "42"',
      });
      assertMatch(
        report.warnings.join(),
        /wrong_answer\/one: 7\.out: for no test; an output is called/,
      );
    });
  },
);
