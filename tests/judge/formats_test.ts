/** What version 2025-09 of the package format has and older ones have not. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { JudgeReport } from "isolate/judge/types.ts";
import {
  type Files,
  needsJudge,
  resultOf,
  SUM,
  verdicts,
  withPackage,
} from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const LIMITS = "limits: {time_limit: 1, memory: 128, output: 1}\n";
const YAML = `problem_format_version: 2025-09\nname: New\n${LIMITS}`;
const SCORING = `${YAML}type: scoring\n`;
const ADD = "print(sum(map(int, input().split())))\n";
/** Adds only what is small, with another exit status beyond. */
const ADD_SMALL = "a, b = map(int, input().split())\nprint(a + b if a < 10 else 0)\n";

/** Tests of sums: the answer is that of `a b`. */
function sums(tests: Readonly<Record<string, readonly [number, number]>>): Files {
  return Object.fromEntries(
    Object.entries(tests).flatMap(([name, [a, b]]) => [
      [`data/${name}.in`, `${a} ${b}\n`],
      [`data/${name}.ans`, `${a + b}\n`],
    ]),
  );
}

/** The scores and verdicts of groups. */
function groupsOf(report: JudgeReport, submission: string): Record<string, string> {
  const { groups } = resultOf(report, submission);
  return Object.fromEntries(
    groups.map(({ group, verdict, score, testsRun }) => [
      group,
      `${verdict} ${score ?? "-"} of ${testsRun}`,
    ]),
  );
}

testWith(
  needsJudge,
  "a scoring problem of 2025-09 gives each group its points, and skips what requires a failed one",
  async () => {
    const files = {
      "problem.yaml": SCORING,
      ...sums({
        ...{ "sample/1": [1, 2], "secret/a/1": [3, 4], "secret/a/2": [5, 6] },
        ...{ "secret/b/1": [7, 8], "secret/b/2": [20, 1], "secret/c/1": [1, 1] },
        ...{ "secret/d/1": [30, 1], "secret/d/2": [1, 30] },
      }),
      "data/secret/a/test_group.yaml": "max_score: 10\nrequire_pass: sample\n",
      "data/secret/b/test_group.yaml": "max_score: 20\n",
      "data/secret/c/test_group.yaml": "max_score: 30\nrequire_pass: [secret/b]\n",
      "data/secret/d/test_group.yaml": "max_score: 40\nscore_aggregation: sum\n",
      "submissions/accepted/add.py": ADD,
      "submissions/wrong_answer/small.py": ADD_SMALL,
      "submissions/submissions.yaml": "wrong_answer/small.py: {score: 30}\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.complaints, []);
      const all = resultOf(report, "accepted/add.py");
      assertEquals([all.verdict, all.score], ["AC", 100]);
      const some = resultOf(report, "wrong_answer/small.py");
      assertEquals([some.verdict, some.score, some.decidedBy], ["WA", 30, "secret/b/2"]);
      assertEquals(groupsOf(report, "wrong_answer/small.py"), {
        "": "WA 30 of 7",
        "sample": "AC 0 of 1",
        "secret": "WA 30 of 6",
        "secret/a": "AC 10 of 2",
        "secret/b": "WA 0 of 2",
        "secret/c": "WA 0 of 0",
        "secret/d": "WA 20 of 2",
      });
    });
  },
);

const VALIDATOR = `import sys
data, answer, feedback, *flags = sys.argv[1:]
word = sys.stdin.read().strip()
want = open(answer).read().strip()
if word != want and word != "half": sys.exit(43)
if "plain" in flags: open(feedback + "score.txt", "w").write("7.5")
elif word == "half": open(feedback + "score_multiplier.txt", "w").write("0.5")
sys.exit(42)
`;

testWith(needsJudge, "validators of 2025-09 give scores as numbers or as parts", async () => {
  const files = {
    "problem.yaml": SCORING,
    ...sums({ "secret/a/1": [1, 2], "secret/a/2": [2, 2], "secret/b/1": [3, 3] }),
    "data/secret/test_group.yaml": "max_score: unbounded\n",
    "data/secret/a/test_group.yaml": "max_score: 60\nscore_aggregation: sum\n",
    "data/secret/b/test_group.yaml":
      "max_score: unbounded\nscore_aggregation: min\noutput_validator_args: [plain]\n",
    "output_validator/check.py": VALIDATOR,
    "submissions/accepted/add.py": ADD,
    "submissions/accepted/half.py": "print('half')\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge();
    const scores = report.submissions.map(({ submission, verdict, score }) =>
      `${submission} ${verdict} ${score}`
    );
    assertEquals(scores, ["accepted/add.py AC 67.5", "accepted/half.py AC 37.5"]);
  });
});

testWith(
  needsJudge,
  "a validator that breaks the rules for scores is at fault, not the submission",
  async () => {
    const files = {
      "problem.yaml": SCORING,
      ...sums({ "secret/1": [1, 2] }),
      "data/secret/test_group.yaml": "max_score: 5\noutput_validator_args: [plain]\n",
      "output_validator/check.py": VALIDATOR,
      "submissions/accepted/add.py": ADD,
    };
    await withPackage(files, async (judge) => {
      assertEquals(
        verdicts(await judge.judge())["accepted/add.py"],
        [
          "JE: The output validator wrote 7.5 to score.txt, more than the highest score 5 of the test",
        ].join(),
      );
    });
  },
);

testWith(
  needsJudge,
  "tests have arguments and files of their own, and those of their group",
  async () => {
    const program = `import os, sys
print(*sys.argv[1:], sorted(os.listdir()), open("in/words.txt").read().strip(), input(), sep="|")
`;
    const files = {
      "problem.yaml": YAML,
      "data/secret/test_group.yaml": "args: [of, 'the group']\n",
      "data/secret/1.in": "first\n",
      "data/secret/1.ans": "of|the group|['in']|some|first\n",
      "data/secret/1.files/in/words.txt": "some\n",
      "data/secret/2.in": "second\n",
      "data/secret/2.ans": "-x|['in', 'more']|others|second\n",
      "data/secret/2.files/in/words.txt": "others\n",
      "data/secret/2.files/more": "",
      "data/secret/2.yaml": "args: [-x]\noutput_validator_args: [case_sensitive]\n",
      "submissions/accepted/show.py": program,
      "submissions/wrong_answer/upper.py": program.replace("input()", "input().upper()"),
      // It sees the same, after its own arguments.
      "input_validators/look.py": `import os, sys
assert sys.argv[1:] in (["of", "the group"], ["-x"]), sys.argv
assert os.path.exists("in/words.txt")
sys.exit(42)
`,
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.complaints, []);
      assertEquals(verdicts(report)["accepted/show.py"], "AC: Accepted");
      assertEquals(resultOf(report, "wrong_answer/upper.py").decidedBy, "secret/2");
    });
  },
);

const WRITER = `import os
open("/tmp/other", "w").write("x")
try:
    open("made", "w").write("x")
    print("written")
except OSError as error:
    print(error.strerror)
`;

for (const files of [{}, { "data/secret/1.files/given": "" }] as Files[]) {
  const kind = Object.keys(files).length > 0 ? "with files of the test" : "in an empty folder";
  testWith(
    needsJudge,
    `a submission of 2025-09 writes only if that is allowed, ${kind}`,
    async () => {
      const package_ = (writing: string, answer: string): Files => ({
        "problem.yaml": YAML + writing,
        "data/secret/1.in": "",
        "data/secret/1.ans": answer,
        ...files,
        "submissions/accepted/write.py": WRITER,
      });
      for (
        const [writing, answer] of [
          ["", "Read-only file system\n"],
          ["allow_file_writing: true\n", "written\n"],
        ] as const
      ) {
        await withPackage(package_(writing, answer), async (judge) => {
          assertEquals(verdicts(await judge.judge())["accepted/write.py"], "AC: Accepted");
        });
      }
    },
  );
}

testWith(needsJudge, "constants stand in submissions, validators and included files", async () => {
  const files = {
    "problem.yaml": `${YAML}constants: {first: 20, second: '22', word: name}\n`,
    "data/secret/1.in": "{{first}}\n",
    "data/secret/1.ans": "42\n",
    "input_validators/look.py":
      "import sys\nsys.exit(42 if input() == '{' + '{first}' + '}' and {{first}} == 20 else 1)\n",
    "output_validator/check.py":
      "import sys\nsys.exit(42 if input() == str({{first}} + {{second}}) else 43)\n",
    "include/default/library.py": "number = {{second}}\n",
    "submissions/accepted/add.py": "from library import number\nprint({{first}} + number)\n",
    "submissions/wrong_answer/other.py": "print('{{first}}' + '{{third}}')\n",
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    assertEquals(report.complaints, []);
    assertEquals(Object.keys(verdicts(report)), ["accepted/add.py", "wrong_answer/other.py"]);
  });
});

testWith(
  needsJudge,
  "an entry point is run whatever it is called; one that is missing is named",
  async () => {
    const files = {
      ...SUM,
      "submissions/accepted/two/begin.py": `import helper\n${ADD}`,
      "submissions/accepted/two/helper.py": "",
      "submissions/submissions.yaml": "accepted/two: {entrypoint: begin.py}\n",
    };
    await withPackage(files, async (judge) => {
      assertEquals(verdicts(await judge.judge())["accepted/two"], "AC: Accepted");
    });
    const wrong = {
      ...files,
      "submissions/submissions.yaml": "accepted/two: {entrypoint: start.py}\n",
    };
    await withPackage(wrong, async (judge) => {
      assertEquals(
        verdicts(await judge.judge())["accepted/two"],
        "CE: Its entrypoint start.py is none of its files: begin.py, helper.py",
      );
    });
  },
);

testWith(
  needsJudge,
  "a static validator judges the files of a submission, once for each group",
  async () => {
    const files = {
      "problem.yaml": SCORING,
      ...sums({ "secret/1": [1, 2], "secret/2": [2, 2] }),
      "data/secret/test_group.yaml": "static_validation_score: 40\nstatic_validator_args: ['60']\n",
      "static_validator/length.py": `import os, sys
language, entry, feedback, limit = sys.argv[1:]
assert language == "python3" and os.path.exists(entry), sys.argv
size = os.path.getsize(entry)
if size > 200:
    open(feedback + "judgemessage.txt", "w").write(f"{size} bytes are too many")
    sys.exit(43)
if size > int(limit): open(feedback + "score_multiplier.txt", "w").write("0.25")
sys.exit(42)
`,
      "submissions/accepted/short.py": ADD,
      "submissions/accepted/longer.py": `# ${"long ".repeat(10)}\n${ADD}`,
      "submissions/wrong_answer/longest.py": `# ${"long ".repeat(100)}\n${ADD}`,
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.complaints, []);
      const scores = report.submissions.map(({ submission, score }) => `${submission} ${score}`);
      assertEquals(scores, [
        "accepted/longer.py 70",
        "accepted/short.py 100",
        "wrong_answer/longest.py 60",
      ]);
      assertMatch(
        resultOf(report, "wrong_answer/longest.py").message,
        /^Wrong answer: \d+ bytes are too many$/,
      );
    });
  },
);

testWith(needsJudge, "all of several output validators must accept", async () => {
  const files = {
    ...SUM,
    "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
    "output_validators/first.py":
      "import sys\nsys.exit(42 if sys.stdin.read().strip().isdigit() else 43)\n",
    "output_validators/second/check.py": `import sys
if sys.stdin.read().split() == open(sys.argv[2]).read().split(): sys.exit(42)
open(sys.argv[3] + "judgemessage.txt", "w").write("second says no")
sys.exit(43)
`,
    "submissions/accepted/add.py": ADD,
    "submissions/wrong_answer/no_number.py": "print('many')\n",
    "submissions/wrong_answer/wrong.py": "print(1)\n",
  };
  await withPackage(files, async (judge) => {
    const all = verdicts(await judge.judge());
    assertEquals(all["accepted/add.py"], "AC: Accepted");
    assertEquals(all["wrong_answer/no_number.py"], "WA: Wrong answer: no message");
    assertEquals(all["wrong_answer/wrong.py"], "WA: Wrong answer: second says no");
  });
});

testWith(
  needsJudge,
  "submissions say whether they count for the time limit, and as what",
  async () => {
    const files = {
      ...SUM,
      "problem.yaml":
        "problem_format_version: 2025-09\nname: Time\nlimits: {memory: 128, time_resolution: 0.001}\n",
      "submissions/accepted/add.py": ADD,
      "submissions/wrong_answer/slow.py":
        "import time\nwhile time.process_time() < 0.3: pass\nprint(0)\n",
      "submissions/submissions.yaml": "wrong_answer/slow.py: {use_for_time_limit: lower}\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.complaints, []);
      assertStringIncludes(report.timeLimitSource, "2 times the CPU time of wrong_answer/slow.py");
    });
  },
);

testWith(
  needsJudge,
  "Python is run by PyPy where the package takes no other one, or on request",
  async () => {
    const files = { ...SUM, "submissions/accepted/add.py": ADD };
    const languageIn = async (languages: string, options: { pypy?: boolean } = {}) => {
      const yaml = `${SUM["problem.yaml"]}${languages}`;
      let name: string | undefined;
      await withPackage({ ...files, "problem.yaml": yaml }, async (judge) => {
        const { submissions: [result] } = await judge.judge(options);
        name = result!.compile.language;
        // Where there is no PyPy that is said, and nothing else is run instead.
        if (!result!.compile.ok) {
          assertMatch(result!.message, /^Python 3 \(PyPy\) is not set up: install/);
        }
      });
      return name;
    };
    assertEquals(await languageIn(""), "Python 3");
    assertEquals(await languageIn("languages: [python3, pypy3]\n"), "Python 3");
    assertEquals(await languageIn("languages: [cpp, pypy3]\n"), "Python 3 (PyPy)");
    assertEquals(await languageIn("languages: [python3]\n", { pypy: true }), "Python 3 (PyPy)");
  },
);

testWith(needsJudge, "what is Python 2 is told", async () => {
  const files = {
    ...SUM,
    "submissions/accepted/add.py": "print sum(map(int, raw_input().split()))\n",
  };
  await withPackage(files, async (judge) => {
    assertEquals(
      verdicts(await judge.judge())["accepted/add.py"],
      "CE: This is Python 2, which is for files that end in .py2",
    );
  });
});
