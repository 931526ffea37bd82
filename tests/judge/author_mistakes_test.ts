/** Mistakes of authors that show only when the package is judged: each is named, and the rest goes on. */

import { assertEquals, assertMatch } from "@std/assert";
import { CHECKED, complaintsOf } from "../support/data_checks.ts";
import { needsJudge, resultOf, SUM, verdicts, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

testWith(needsJudge, "how the lines of tests end is noted, and judged as it is", async () => {
  const { "input_validators/numbers.py": _, ...plain } = CHECKED;
  const { complaints, warnings } = await complaintsOf({
    ...plain,
    "data/secret/1.in": "1 2",
    "data/secret/1.ans": "3",
    "data/secret/2.in": "20 22\r\n",
    "data/secret/3.in": "\ufeff1 1\n",
    "data/secret/3.ans": "2",
    "submissions/accepted/a.py": "print(sum(map(int, input().strip('\\ufeff').split())))\n",
  });
  assertEquals(complaints, []);
  assertEquals(warnings, [
    "secret/1.in and 2 more files do not end with a newline",
    "secret/2.in has the line ends of Windows (CR LF)",
    "secret/3.in begins with a byte order mark",
  ]);
});

testWith(
  needsJudge,
  "sources with the line ends of Windows and a byte order mark run",
  async () => {
    const windows = `\ufeff# A comment\r\nif True:\r\n    ${GOOD.trim()}\r\n`;
    await withPackage({ ...SUM, "submissions/accepted/a.py": windows }, async (judge) => {
      assertEquals(verdicts(await judge.judge()), { "accepted/a.py": "AC: Accepted" });
    });
  },
);

testWith(needsJudge, "a validator that reads the wrong argument refuses the answers", async () => {
  const { complaints } = await complaintsOf({
    ...CHECKED,
    "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
    "data/sample/1.in": "3 4\n",
    "data/sample/1.ans": "7\n",
    // The first argument is the input.
    "output_validators/check.py":
      "import sys\nsys.exit(42 if sys.stdin.read() == open(sys.argv[1]).read() else 43)\n",
  });
  assertEquals(complaints, [
    "sample/1.ans is refused by the output validator: Wrong answer: no message",
    "accepted/a.py got WA, expected AC (sample/1: Wrong answer: no message)",
  ]);
});

testWith(needsJudge, "a validator that expects its argument and gets none is named", async () => {
  const { complaints } = await complaintsOf({
    ...CHECKED,
    "input_validators/numbers.py": "import sys\nlimit = int(sys.argv[1])\nsys.exit(42)\n",
  });
  assertMatch(
    complaints[0]!,
    /^secret\/1\.in is refused by the input validator numbers\.py: Exit status 1: IndexError: /,
  );
});

testWith(
  needsJudge,
  "a submission in the wrong folder is named, and the others are judged",
  async () => {
    const files = {
      ...SUM,
      "submissions/accepted/a.py": GOOD,
      "submissions/accepted/wrong.py": "print(1)\n",
      "submissions/wrong_answer/right.py": GOOD,
      "submissions/time_limit_exceeded/fast.py": GOOD,
      "submissions/run_time_error/wrong.py": "print(1)\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(resultOf(report, "accepted/a.py").asExpected, true);
      assertEquals(report.complaints.map((text) => text.replace(/ \(.*/, "")), [
        "accepted/wrong.py got WA, expected AC",
        "run_time_error/wrong.py got WA, expected RTE or MLE",
        "time_limit_exceeded/fast.py got AC, expected TLE",
        "wrong_answer/right.py got AC, expected WA",
      ]);
    });
  },
);

testWith(
  needsJudge,
  "files of a submission that were forgotten are a compile or run-time error",
  async () => {
    const files = { ...SUM, "submissions/accepted/a.py": `from library import *\n${GOOD}` };
    await withPackage(files, async (judge) => {
      const result = resultOf(await judge.judge({ verify: true }), "accepted/a.py");
      assertEquals(result.verdict, "RTE");
      assertMatch(result.tests[0]!.stderr!, /No module named 'library'/);
    });
  },
);
