/** Output validators of packages: what they say counts, and what they do wrong is a judge error. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  existingBoxes,
  needsJudge,
  resultOf,
  SUM,
  verdicts,
  withPackage,
} from "../support/judging.ts";
import type { Files } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const HEAD = `
import sys, os
files, feedback, flags = sys.argv[1:3], sys.argv[3], sys.argv[4:]
said = open(files[1]).read().split()
got = sys.stdin.read().split()
def say(name, text):
    with open(feedback + name, "w") as out: out.write(text)
`;

/** A package with this validator, and one submission that is right and one that is wrong. */
function custom(validator: string, more: Files = {}): Files {
  return {
    ...SUM,
    "problem.yaml": `
name: Sum
validation: custom
limits: {time_limit: 1, memory: 128, output: 1, validation_time: 1, validation_memory: 128}
`,
    "output_validators/check.py": HEAD + validator,
    "submissions/accepted/a.py": "print(sum(map(int, input().split())))\n",
    "submissions/wrong_answer/b.py": "print(0)\n",
    ...more,
  };
}

testWith(
  needsJudge,
  "a validator accepts with 42, rejects with 43, and its words are kept",
  async () => {
    const files = custom(`
say("teammessage.txt", "try again")
if got == said: sys.exit(42)
say("judgemessage.txt", "\\nnot the\\x1b right one\\nmore\\n")
sys.exit(43)
`);
    await withPackage(files, async (judge) => {
      const report = await judge.judge();
      const seen = verdicts(report);
      assertEquals(seen["accepted/a.py"], "AC: Accepted");
      // One line, and harmless on a terminal.
      assertMatch(seen["wrong_answer/b.py"]!, /^WA: Wrong answer: not the[^\p{Cc}]+ right one$/u);
      const [test] = resultOf(report, "wrong_answer/b.py").tests;
      assertEquals(test!.judgeMessage, "\nnot the\x1b right one\nmore\n");
      assertEquals(test!.teamMessage, "try again");
      assertEquals(report.complaints, []);
    });
    assertEquals(existingBoxes(), []);
  },
);

testWith(
  needsJudge,
  "a validator gets input, answer, feedback directory, flags, and the output",
  async () => {
    const files = custom(
      `
numbers = open(files[0]).read().split()
assert feedback.endswith("/") and os.listdir(feedback) == [], feedback
assert flags == ["a", "b=1"], flags
assert [str(int(numbers[0]) + int(numbers[1]))] == said
for path in files:
    # What only its owner could read is a copy.
    if path.startswith("/box/"): continue
    try:
        open(path, "w")
        sys.exit(1)
    except OSError: pass
open("/dev/stdin").read()
sys.exit(42 if got == said else 43)
`,
      { "data/testdata.yaml": "output_validator_flags: a b=1\n" },
    );
    await withPackage(files, async (judge) => {
      // What only its owner may read.
      await Deno.chmod(`${judge.folder}/data/secret/2.in`, 0o600);
      const seen = verdicts(await judge.judge());
      assertEquals(seen["accepted/a.py"], "AC: Accepted");
      assertMatch(seen["wrong_answer/b.py"]!, /^WA: /);
    });
  },
);

const BROKEN: readonly (readonly [what: string, validator: string, message: RegExp])[] = [
  ["exits with 0", "sys.exit(0)", /exited with status 0 instead of 42 or 43$/],
  ["crashes", "os.abort()", /failed: Killed by signal 6 \(SIGABRT\)$/],
  ["runs for ever", "while True: pass", /took more than 1 s of CPU time$/],
  [
    "takes too much memory",
    "x = bytearray(1 << 29)\nwhile True: x[0] = 1; x += x",
    /failed|status 1/,
  ],
  [
    "writes no number as its score",
    "say('score.txt', 'many')\nsys.exit(42)",
    /no number to score.txt: "many"$/,
  ],
  [
    "writes a score of which no sum can be made",
    "say('score.txt', '1e308')\nsys.exit(42)",
    /no number to score.txt: "1e308"$/,
  ],
  ["fills the feedback directory", "for i in range(3000): say(str(i), '')\nsys.exit(42)", /failed/],
];

for (const [what, validator, message] of BROKEN) {
  testWith(
    needsJudge,
    `a validator that ${what} is a judge error, and the rest goes on`,
    async () => {
      const files = custom(validator, {
        "problem.yaml": `
name: Sum
type: scoring
validation: custom score
limits: {time_limit: 1, memory: 128, output: 1, validation_time: 1, validation_memory: 128}
`,
        "submissions/run_time_error/c.py": "import sys; sys.exit(1)\n",
      });
      await withPackage(files, async (judge) => {
        const report = await judge.judge();
        const result = resultOf(report, "accepted/a.py");
        assertEquals(result.verdict, "JE");
        assertMatch(result.message, message);
        assertEquals(result.asExpected, false);
        assertEquals(resultOf(report, "run_time_error/c.py").verdict, "RTE");
        assert(report.complaints.some((complaint) => /accepted\/a\.py could not/.test(complaint)));
      });
    },
  );
}

testWith(
  needsJudge,
  "a validator that does not compile is a judge error for all that need it",
  async () => {
    await withPackage(custom("def ("), async (judge) => {
      const report = await judge.judge();
      assertMatch(
        verdicts(report)["accepted/a.py"]!,
        /^JE: The output validator check\.\w+ cannot be used: /,
      );
      assertEquals(report.submissions.map(({ verdict }) => verdict), ["JE", "JE"]);
    });
  },
);

testWith(needsJudge, "what a validator plants as its message is not followed", async () => {
  const files = custom(`
os.symlink("/etc/shadow", feedback + "judgemessage.txt")
os.mkdir(feedback + "teammessage.txt")
os.mkfifo(feedback + "other")
sys.exit(43)
`);
  await withPackage(files, async (judge) => {
    const [test] = resultOf(await judge.judge(), "accepted/a.py").tests;
    assertEquals([test!.verdict, test!.judgeMessage, test!.teamMessage], [
      "WA",
      undefined,
      undefined,
    ]);
  });
});

testWith(needsJudge, "a validator's score is the test's, and groups add up", async () => {
  const files = custom(
    `
say("score.txt", "%s\\n" % (int(said[0]) / 10))
sys.exit(42 if got == said else 43)
`,
    {
      "problem.yaml": `
name: Sum
type: scoring
validation: custom score
limits: {time_limit: 1, memory: 128}
`,
      "data/testdata.yaml": "on_reject: continue\nrange: 0 100\n",
    },
  );
  await withPackage(files, async (judge) => {
    const report = await judge.judge();
    const result = resultOf(report, "accepted/a.py");
    assertEquals([result.verdict, result.score], ["AC", 4.5]);
    assertEquals(result.tests.map(({ score }) => score), [0.3, 4.2]);
    assertEquals(resultOf(report, "wrong_answer/b.py").score, undefined);
  });
});
