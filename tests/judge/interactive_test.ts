/** Interactive problems: whose fault it is when a conversation goes wrong. */

import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { existingBoxes, needsJudge, resultOf, verdicts, withPackage } from "../support/judging.ts";
import type { Files } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

/** Guess a number of 1 to 100; the input holds it. */
const INTERACTOR = `
import sys
number = int(open(sys.argv[1]).read())
feedback = sys.argv[3]
def wrong(why):
    open(feedback + "judgemessage.txt", "w").write(why)
    sys.exit(43)
for turn in range(10):
    line = sys.stdin.readline()
    if line == "": wrong("no guess")
    guess = int(line)
    if guess == number:
        print("right", flush=True)
        sys.exit(42)
    print("more" if guess < number else "less", flush=True)
wrong("too many guesses")
`;

const GOOD = `
low, high = 1, 100
while True:
    guess = (low + high) // 2
    print(guess, flush=True)
    answer = input()
    if answer == "right": break
    if answer == "more": low = guess + 1
    else: high = guess - 1
`;

function interactive(submissions: Files, interactor = INTERACTOR): Files {
  return {
    "problem.yaml": `
name: Guess
validation: custom interactive
limits: {time_limit: 0.3, memory: 128, validation_time: 1, validation_memory: 128}
`,
    "data/secret/1.in": "37\n",
    "data/secret/1.ans": "37\n",
    "data/secret/2.in": "100\n",
    "data/secret/2.ans": "100\n",
    "output_validators/talk.py": interactor,
    ...submissions,
  };
}

for (const transcriptBytes of [0, 4096]) {
  const how = transcriptBytes === 0 ? "" : ", also when the conversation is kept";
  testWith(needsJudge, `each submission that talks gets its verdict${how}`, async () => {
    const files = interactive({
      "submissions/accepted/good.py": GOOD,
      // Goes on writing after the verdict.
      "submissions/accepted/chatty.py":
        `${GOOD}\nwhile True:\n  try: print(1, flush=True)\n  except BrokenPipeError: break\n`,
      // Dies because nobody reads any more.
      "submissions/accepted/pipe.py": `${GOOD}\nwhile True: print(1, flush=True)\n`,
      "submissions/wrong_answer/linear.py":
        "for i in range(1, 101):\n  print(i, flush=True)\n  input()\n",
      "submissions/wrong_answer/silent.py": "pass\n",
      "submissions/run_time_error/crash.py": "print(1, flush=True)\ninput()\nraise Exception\n",
      "submissions/time_limit_exceeded/loop.py": "print(1, flush=True)\nwhile True: pass\n",
      // Both wait for each other.
      "submissions/time_limit_exceeded/flush.py": "import sys\nprint(1)\nsys.stdin.readline()\n",
    });
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ transcriptBytes });
      const seen = verdicts(report);
      assertEquals(seen["accepted/good.py"], "AC: Accepted");
      assertEquals(seen["accepted/chatty.py"], "AC: Accepted");
      assertEquals(seen["accepted/pipe.py"], "AC: Accepted");
      assertEquals(seen["wrong_answer/linear.py"], "WA: Wrong answer: too many guesses");
      assertEquals(seen["wrong_answer/silent.py"], "WA: Wrong answer: no guess");
      assertEquals(seen["run_time_error/crash.py"], "RTE: Exit status 1");
      assertMatch(
        seen["time_limit_exceeded/loop.py"]!,
        /^TLE: More than (0\.300 s of CPU|16 s) /,
      );
      assertMatch(
        seen["time_limit_exceeded/flush.py"]!,
        /^TLE: More than (1\.300|16) s of wall time/,
      );
      assertEquals(report.complaints, []);
      const { transcript } = resultOf(report, "accepted/good.py").tests[0]!;
      assertEquals(transcript !== undefined, transcriptBytes > 0);
    });
    assertEquals(existingBoxes(), []);
  });
}

testWith(needsJudge, "a conversation is kept on request, up to its limit", async () => {
  const files = interactive({ "submissions/accepted/good.py": GOOD });
  await withPackage(files, async (judge) => {
    const [result] = (await judge.judge({ transcriptBytes: 12 })).submissions;
    assertEquals(result!.verdict, "AC");
    const said = result!.tests[0]!.transcript!;
    assertEquals(said.slice(0, 3), [
      { from: "submission", text: "50\n" },
      { from: "interactor", text: "less\n" },
      { from: "submission", text: "25\n" },
    ]);
    assertEquals(said.map(({ text }) => text).join("").length, 12);
  });
});

for (const transcriptBytes of [0, 4096]) {
  const how = transcriptBytes === 0 ? "" : ", also when the conversation is kept";
  testWith(needsJudge, `an interactor may write after the submission has ended${how}`, async () => {
    // Reads to the end, and only then answers: more than a pipe holds, by a program of the shell's kind.
    const late = `
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
said = sys.stdin.read()
for _ in range(300): os.write(1, b"x" * 1024)
sys.exit(42 if said == "1\\n" else 43)
`;
    const files = interactive({
      "submissions/accepted/leaves.py": "print(1)\n",
      "submissions/wrong_answer/leaves.py": "print(2)\n",
    }, late);
    await withPackage(files, async (judge) => {
      const seen = verdicts(await judge.judge({ transcriptBytes }));
      assertEquals(seen["accepted/leaves.py"], "AC: Accepted");
      assertMatch(seen["wrong_answer/leaves.py"]!, /^WA: /);
    });
    assertEquals(existingBoxes(), []);
  });
}

const BROKEN: readonly (readonly [what: string, interactor: string, message: RegExp])[] = [
  ["dies first", "import os; os.abort()", /failed: Killed by signal 6 \(SIGABRT\)$/],
  ["ends with 0", "import sys; sys.exit(0)", /exited with status 0 instead of 42 or 43$/],
  ["never stops", "while True: pass", /took more than 1 s of CPU time$/],
];

for (const [what, interactor, message] of BROKEN) {
  testWith(needsJudge, `an interactor that ${what} is a judge error`, async () => {
    const files = interactive({ "submissions/accepted/good.py": GOOD }, interactor);
    await withPackage(files, async (judge) => {
      const [result] = (await judge.judge()).submissions;
      assertEquals(result!.verdict, "JE");
      assertMatch(result!.message, message);
    });
  });
}

testWith(needsJudge, "a deadlock ends soon, also on a busy machine", async () => {
  const files = interactive({
    "submissions/time_limit_exceeded/flush.py": "import sys\nprint(1)\nsys.stdin.readline()\n",
  });
  // They keep every CPU busy.
  const others = Array.from(
    { length: navigator.hardwareConcurrency },
    () => new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn(),
  );
  try {
    await withPackage(files, async (judge) => {
      const { tests } = resultOf(await judge.judge({ jobs: 1 }), "time_limit_exceeded/flush.py");
      assertEquals(tests[0]!.verdict, "TLE");
      // Idle for 1.3 s; what it waits for a CPU comes on top.
      assertLess(tests[0]!.wallTimeMs, 6000);
    });
  } finally {
    for (const other of others) other.kill("SIGKILL");
    await Promise.all(others.map((other) => other.status));
  }
});
