/** Packages whose own program grades groups of tests. */

import { assertEquals } from "@std/assert";
import { type Files, needsJudge, resultOf, verdicts, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

/** At least half of the tests must be accepted, and count ten points each. */
const GRADER = `import sys
lines = [line.split() for line in sys.stdin]
good = sum(verdict == "AC" for verdict, score in lines)
assert all(float(score) == (2 if verdict == "AC" else 0) for verdict, score in lines), lines
assert sys.argv[1:] == ["half"], sys.argv
print("AC" if 2 * good >= len(lines) else next(v for v, s in lines if v != "AC"), 10 * good)
`;

const GRADED: Files = {
  "problem.yaml": "name: Half\ntype: scoring\nlimits: {time_limit: 1, memory: 128}\n",
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap((
      n,
    ) => [[`data/secret/${n}.in`, `${n}\n`], [`data/secret/${n}.ans`, `${n}\n`]]),
  ),
  "data/secret/testdata.yaml":
    "grading: custom\ngrader_flags: half\non_reject: continue\naccept_score: 2\n",
  "graders/half.py": GRADER,
};

testWith(needsJudge, "a grader of the package gives groups their verdict and score", async () => {
  const upTo = (n: number, otherwise: string) =>
    `n = int(input())\nif n <= ${n}: print(n)\nelse: ${otherwise}\n`;
  const files = {
    ...GRADED,
    "submissions/accepted/all.py": "print(input())\n",
    "submissions/accepted/half.py": upTo(2, "print(0)"),
    "submissions/run_time_error/one.py": upTo(1, "exit(1)"),
    "submissions/submissions.yaml": "accepted/half.py: {score: 20, permitted: [AC, WA]}\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    assertEquals(report.complaints, []);
    const all = report.submissions.map(({ submission, verdict, score, decidedBy }) =>
      [submission, verdict, score, decidedBy].join(" ")
    );
    assertEquals(all, [
      "accepted/all.py AC 40 ",
      "accepted/half.py AC 20 ",
      "run_time_error/one.py RTE  secret/2",
    ]);
    assertEquals(resultOf(report, "accepted/half.py").tests.length, 4);
  });
});

testWith(needsJudge, "a grader that is broken off gives no verdict", async () => {
  const files = {
    ...GRADED,
    "graders/half.py": "import time\ntime.sleep(100)\n",
    "submissions/accepted/all.py": "print(input())\n",
  };
  await withPackage(files, async (judge) => {
    const stop = new AbortController();
    const report = await judge.judge({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === "test" && event.done === 4) setTimeout(() => stop.abort(), 300);
      },
    });
    assertEquals([report.interrupted, report.complaints], [true, []]);
    const message = "JE: Judging was interrupted after 4 of 4 tests";
    assertEquals(verdicts(report)["accepted/all.py"], message);
  });
});

for (
  const [text, message] of [
    ["print('fine')\n", 'must print a verdict and a score, such as AC 10, not "fine"'],
    ["", 'must print a verdict and a score, such as AC 10, not ""'],
    ["print('AC 5')\nexit(3)\n", "failed: Exit status 3"],
  ] as const
) {
  testWith(needsJudge, `a grader is at fault that ${message}`, async () => {
    const files = {
      ...GRADED,
      "graders/half.py": text,
      "submissions/accepted/all.py": "print(input())\n",
    };
    await withPackage(files, async (judge) => {
      assertEquals(verdicts(await judge.judge())["accepted/all.py"], `JE: The grader ${message}`);
    });
  });
}
