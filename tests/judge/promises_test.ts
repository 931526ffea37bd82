/** What a package says of its submissions is held against what they get. */

import { assertEquals, assertMatch } from "@std/assert";
import { type Files, needsJudge, resultOf, SUM, withPackage } from "../support/judging.ts";
import { needs, testWith } from "../support/skip.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

const QUICK: Files = {
  ...SUM,
  "problem.yaml": "name: Sum\nlimits: {time_limit: 0.3, time_safety_margin: 1, memory: 128}\n",
  "submissions/accepted/a.py": GOOD,
};

testWith(needsJudge, "a misspelled folder of submissions is a complaint", async () => {
  await withPackage({ ...QUICK, "submissions/acepted/b.py": "print(7)\n" }, async (judge) => {
    const { complaints } = await judge.judge({ verify: true });
    assertEquals(complaints.length, 1);
    assertMatch(
      complaints[0]!,
      /submissions\/acepted: promises no verdict that is known; did you mean accepted\?$/,
    );
    // It says nothing about a submission that somebody hands in.
    assertEquals((await judge.judge({ verify: false })).complaints, []);
  });
});

testWith(needsJudge, "a wrong answer that is also too slow on a later test is noted", async () => {
  const slow = "a, b = input().split()\nif a == '20':\n  while True: pass\nprint(7)\n";
  await withPackage({ ...QUICK, "submissions/wrong_answer/b.py": slow }, async (judge) => {
    const report = await judge.judge({ verify: true });
    assertEquals(resultOf(report, "wrong_answer/b.py").verdict, "WA");
    assertEquals(report.complaints, []);
    assertEquals(report.warnings, [
      "wrong_answer/b.py also gets TLE on secret/2, where only AC or WA or OLE is expected",
    ]);
  });
});

testWith(needsJudge, "endless output may stand for a program that is too slow", async () => {
  const files = {
    ...QUICK,
    "problem.yaml": "name: Sum\nlimits: {time_limit: 1, memory: 128, output: 1}\n",
    "submissions/time_limit_exceeded/b.py": "while True: print('x' * 65536)\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    const { verdict, asExpected } = resultOf(report, "time_limit_exceeded/b.py");
    assertEquals([verdict, asExpected, report.complaints], ["OLE", true, []]);
    assertMatch(
      report.warnings.join(),
      /time_limit_exceeded\/b\.py got OLE, which is taken for TLE/,
    );
  });
});

testWith(needsJudge, "submissions.yaml is held against each test", async () => {
  const files = {
    ...QUICK,
    "submissions/submissions.yaml": `
wrong_answer/good_first.py:
  secret/1: {permitted: [AC]}
  secret/2: {permitted: [WA], required: [WA]}
wrong_answer/bad_first.py:
  secret/1: {permitted: [AC]}
wrong_answer/crashes_too.py: {permitted: [AC, WA, RTE], required: [RTE]}
`,
    "submissions/wrong_answer/good_first.py": "print(3)\n",
    "submissions/wrong_answer/bad_first.py": "print(42)\n",
    // Wrong on the first test already, which decides the verdict.
    "submissions/wrong_answer/crashes_too.py":
      "a, b = input().split()\nprint(1 // (20 - int(a)))\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    assertEquals(report.submissions.map(({ verdict }) => verdict), ["AC", "WA", "WA", "WA"]);
    assertEquals(report.complaints, [
      "wrong_answer/bad_first.py also gets WA on secret/1, where only AC is expected",
    ]);
  });
});

testWith(
  needsJudge,
  "a limit in .timelimit is not held against factors that nobody asked for",
  async () => {
    const files = {
      ...SUM,
      "problem.yaml": "name: Sum\nlimits: {memory: 128}\n",
      ".timelimit": "1\n",
      "submissions/accepted/a.py": `import time\nwhile time.process_time() < 0.3: pass\n${GOOD}`,
    };
    await withPackage(files, async (judge) => {
      const { complaints, warnings } = await judge.judge({ verify: true });
      assertEquals(complaints, []);
      assertMatch(
        warnings.join(),
        /^The time limit of 1 s is less than 5 times the CPU time of /,
      );
      await Deno.writeTextFile(
        `${judge.folder}/problem.yaml`,
        "name: Sum\nlimits: {memory: 128, time_multiplier: 5}\n",
      );
      assertMatch((await judge.judge({ verify: true })).complaints.join(), /is less than 5 times /);
    });
  },
);

testWith(needsJudge, "languages that the problem does not take are a compile error", async () => {
  const files = {
    ...QUICK,
    "problem.yaml": "name: Sum\nproblem_format_version: 2023-07\nlanguages: [cpp, python3]\n" +
      "limits: {time_limit: 1, memory: 128}\n",
    "submissions/accepted/b.sh": "read a b; echo $((a + b))\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    const { verdict, message } = resultOf(report, "accepted/b.sh");
    assertEquals(verdict, "CE");
    assertMatch(message, / is not allowed: the problem takes cpp, python3$/);
    assertEquals(resultOf(report, "accepted/a.py").verdict, "AC");
  });
});

testWith(needsJudge, "a score that nobody asked for is noted", async () => {
  const files = {
    ...QUICK,
    "problem.yaml": "name: Sum\nvalidation: custom\nlimits: {time_limit: 1, memory: 128}\n",
    "output_validators/check.py":
      "import sys\nopen(sys.argv[3] + 'score.txt', 'w').write('5')\nsys.exit(42)\n",
  };
  await withPackage(files, async (judge) => {
    const { warnings } = await judge.judge({ verify: true });
    assertMatch(warnings.join(), /check\.py writes score\.txt, which does not count/);
  });
});

testWith(
  needsJudge,
  "the score that a source expects of itself is held against what it gets",
  async () => {
    const files = {
      ...QUICK,
      "problem.yaml": "name: Sum\ntype: scoring\nlimits: {time_limit: 1, memory: 128}\n",
      "data/testdata.yaml": "on_reject: continue\ngrader_flags: accept_if_any_accepted\n",
      "data/secret/testdata.yaml": "on_reject: continue\naccept_score: 15\n" +
        "grader_flags: accept_if_any_accepted\n",
      "submissions/partially_accepted/right.py": "# @EXPECTED_SCORE@: 15\nprint(3)\n",
      "submissions/partially_accepted/wrong.py": "# @EXPECTED_SCORE@: 20\nprint(3)\n",
    };
    await withPackage(files, async (judge) => {
      const { submissions, complaints } = await judge.judge({ verify: true });
      assertEquals(submissions.map(({ score }) => score), [30, 15, 15]);
      assertEquals(complaints, ["partially_accepted/wrong.py got the score 15, expected 20"]);
    });
  },
);

testWith(
  [...needsJudge, needs.command("javac")],
  "of two classes with a main method, the one that is run is told",
  async () => {
    const main = (sum: string) =>
      "{ public static void main(String[] a) { var in = new java.util.Scanner(System.in); " +
      `System.out.println(${sum}); } }\n`;
    const files = {
      ...QUICK,
      "problem.yaml": "name: Sum\nlimits: {time_limit: 5, memory: 512}\n",
      "submissions/accepted/two/A.java": `class A ${main("in.nextInt() + in.nextInt()")}`,
      "submissions/accepted/two/B.java": `class B ${main("0")}`,
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(resultOf(report, "accepted/two").verdict, "AC");
      assertEquals(report.warnings, ["accepted/two: A is run; B has a main method, too"]);
    });
  },
);
