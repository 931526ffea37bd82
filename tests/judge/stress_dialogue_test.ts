/** Searching for tests of problems whose submissions talk, or run several times. */

import { assertEquals, assertMatch } from "@std/assert";
import { readGenerator, stress, type StressReport } from "isolate/judge/mod.ts";
import { callerEnvironment } from "isolate/mod.ts";
import { loadLanguages, readPackage } from "isolate/judge/mod.ts";
import { type Files, JUDGE_BOXES, needsJudge, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const COMMON: Files = {
  "data/secret/1.in": "1\n",
  "data/secret/1.ans": "\n",
  "generators/one.py": "import sys\nprint(10 * int(sys.argv[1]) + 7)\n",
  "input_validators/number.py":
    "import re, sys\nsys.exit(42 if re.fullmatch(r'[1-9]\\d{0,2}\\n', sys.stdin.read()) else 43)\n",
};

/** Searches by the seeds from 1 on; the submission that should be right is the first. */
async function search(files: Files): Promise<StressReport> {
  const reports: StressReport[] = [];
  await withPackage({ ...COMMON, ...files }, async ({ host, folder, sandbox }) => {
    const problem = await readPackage(host, folder);
    const [against, ...submissions] = problem.submissions;
    const report = await stress({
      ...{ sandbox, host, problem, submissions, against: against!, jobs: 1 },
      generator: readGenerator(host, folder, "one.py"),
      languages: await loadLanguages(host, { environment: await callerEnvironment() }),
      seeds: { first: 1, count: 20 },
      boxIds: JUDGE_BOXES,
    });
    reports.push(report);
  });
  return reports[0]!;
}

function inputOf({ finding }: StressReport): string {
  return new TextDecoder().decode(finding?.input);
}

const INTERACTOR = `import sys
number = int(open(sys.argv[1]).read())
for line in sys.stdin:
    guess = int(line)
    if guess == number: sys.exit(42)
    print("more" if guess < number else "less", flush=True)
open(sys.argv[3] + "judgemessage.txt", "w").write(f"gave up on {number}")
sys.exit(43)
`;

const guess = (highest: number) =>
  `low, high = 1, ${highest}
try:
    while low <= high:
        guess = (low + high) // 2
        print(guess, flush=True)
        if input() == "more": low = guess + 1
        else: high = guess - 1
except EOFError: pass
`;

testWith(needsJudge, "a search finds what a submission that talks cannot guess", async () => {
  const report = await search({
    "problem.yaml": "name: Guess\nvalidation: custom interactive\nlimits: {time_limit: 2}\n",
    "output_validators/talk.py": INTERACTOR,
    "submissions/accepted/a.py": guess(999),
    "submissions/wrong_answer/b.py": guess(50),
  });
  // The numbers are 17, 27, 37, 47, 57; the last one is made smaller.
  assertEquals([report.finding?.seed, report.finding?.submission], [5, "wrong_answer/b.py"]);
  assertEquals(inputOf(report), "51\n");
  assertMatch(report.finding!.result.message, /gave up on 51$/);
});

const PASSES = `import os, sys
number = int(open(sys.argv[1]).read())
if sys.stdin.read().split() != [str(2 * number)]: sys.exit(43)
if number < 100: open(sys.argv[3] + "nextpass.in", "w").write(f"{2 * number}\\n")
sys.exit(42)
`;

testWith(needsJudge, "a search finds what is wrong in a later pass", async () => {
  const report = await search({
    "problem.yaml": "problem_format_version: 2025-09\nname: Passes\ntype: multi-pass\n" +
      "limits: {time_limit: 2, validation_passes: 10}\n",
    "output_validator/check.py": PASSES,
    "submissions/accepted/a.py": "print(2 * int(input()))\n",
    // Wrong from 136 on: in the first pass from there, or in the fourth from 17.
    "submissions/wrong_answer/b.py": "n = int(input())\nprint(2 * n if n < 136 else 0)\n",
  });
  assertEquals([report.finding?.seed, report.finding?.submission], [1, "wrong_answer/b.py"]);
  assertEquals(report.finding?.result.verdict, "WA");
  assertEquals(inputOf(report), "17\n");
});
