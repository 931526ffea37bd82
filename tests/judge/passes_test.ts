/** Problems whose submissions run several times on each test. */

import { assertEquals } from "@std/assert";
import { type Files, needsJudge, resultOf, verdicts, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const YAML = "problem_format_version: 2025-09\nname: Passes\n" +
  "limits: {time_limit: 1, memory: 128, output: 1, validation_passes: 3}\n";

/** Asks for twice the number, then for four times, then for eight times the first one. */
const VALIDATOR = `import os, sys
data, answer, feedback = sys.argv[1:4]
number = int(open(data).read())
seen = feedback + "seen.txt"
before = open(seen).read().split() if os.path.exists(seen) else []
assert not os.path.exists(feedback + "nextpass.in")
if sys.stdin.read().split() != [str(2 * number)]:
    open(feedback + "judgemessage.txt", "w").write(f"wrong after {len(before)} passes")
    sys.exit(43)
with open(seen, "a") as file: file.write(f"{number} ")
if len(before) < int(open(answer).read()) - 1: open(feedback + "nextpass.in", "w").write(str(2 * number))
sys.exit(42)
`;

const DOUBLE = "print(2 * int(input()))\n";

const DOUBLING: Files = {
  "problem.yaml": `${YAML}type: multi-pass\n`,
  "data/secret/1.in": "5\n",
  "data/secret/1.ans": "3\n",
  "data/secret/2.in": "7\n",
  "data/secret/2.ans": "1\n",
  "output_validator/check.py": VALIDATOR,
};

testWith(needsJudge, "a submission runs as often as the validator has another input", async () => {
  const files = {
    ...DOUBLING,
    "submissions/accepted/double.py": DOUBLE,
    "submissions/wrong_answer/small.py": "n = int(input())\nprint(2 * n if n < 15 else 0)\n",
    "submissions/run_time_error/crash.py": `n = int(input())\nassert n < 15\nprint(2 * n)\n`,
    // Each pass has its own time limit: together they take more than one.
    "submissions/accepted/slow.py": `import time\nwhile time.process_time() < 0.5: pass\n${DOUBLE}`,
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    assertEquals(report.complaints.filter((text) => !text.includes("time limit")), []);
    assertEquals(
      verdicts(report)["wrong_answer/small.py"],
      "WA: Wrong answer: wrong after 2 passes",
    );
    assertEquals(resultOf(report, "run_time_error/crash.py").decidedBy, "secret/1");
    assertEquals(verdicts(report)["accepted/slow.py"], "AC: Accepted");
  });
});

testWith(
  needsJudge,
  "a validator that asks for too many passes, or for one and rejects, is at fault",
  async () => {
    const files = { ...DOUBLING, "submissions/accepted/double.py": DOUBLE };
    const many = { ...files, "data/secret/1.ans": "4\n" };
    await withPackage(many, async (judge) => {
      assertEquals(
        verdicts(await judge.judge())["accepted/double.py"],
        "JE: The output validator asks for pass 4, but limits.validation_passes in problem.yaml is 3",
      );
    });
    const rejecting = {
      ...files,
      "output_validator/check.py": VALIDATOR.replace("sys.exit(42)", "sys.exit(43)"),
    };
    await withPackage(rejecting, async (judge) => {
      assertEquals(
        verdicts(await judge.judge())["accepted/double.py"],
        "JE: The output validator wrote nextpass.in, but rejects the output",
      );
    });
  },
);

testWith(needsJudge, "a conversation can be followed by others", async () => {
  const interactor = VALIDATOR
    .replace("if sys.stdin", "print(number, flush=True)\nif sys.stdin")
    .replace("sys.stdin.read()", "sys.stdin.readline()");
  const files = {
    ...DOUBLING,
    "problem.yaml": `${YAML}type: [multi-pass, interactive]\n`,
    "output_validator/check.py": interactor,
    "submissions/accepted/double.py": DOUBLE,
    "submissions/wrong_answer/small.py": "n = int(input())\nprint(2 * n if n < 15 else 0)\n",
  };
  await withPackage(files, async (judge) => {
    const all = verdicts(await judge.judge());
    assertEquals(all["accepted/double.py"], "AC: Accepted");
    assertEquals(all["wrong_answer/small.py"], "WA: Wrong answer: wrong after 2 passes");
  });
});
