/** Whole submissions: each gets the verdict that it deserves, and a sentence that says why. */

import { assertEquals, assertLess, assertMatch } from "@std/assert";
import {
  existingBoxes,
  needsJudge,
  resultOf,
  SUM,
  verdicts,
  withPackage,
} from "../support/judging.ts";
import { needs, testWith } from "../support/skip.ts";

/** By wall time only if another program uses all of the CPU. */
const TOO_SLOW = /^TLE: More than (0\.500 s of CPU time|15 s of wall time, .*)$/;

const PYTHON = {
  "accepted/sum.py": "print(sum(map(int, input().split())))\n",
  "wrong_answer/less.py": "a, b = map(int, input().split())\nprint(a + b if a < 10 else 0)\n",
  "time_limit_exceeded/loop.py": "while True: pass\n",
  "time_limit_exceeded/sleep.py": "import time\ntime.sleep(1000)\n",
  "run_time_error/status.py": "import sys\nprint('oops', file=sys.stderr)\nsys.exit(3)\n",
  "run_time_error/signal.py": "import os\nos.kill(os.getpid(), 11)\n",
  "memory_limit_exceeded/much.py":
    "x = bytearray(1 << 29)\nfor i in range(0, 1 << 29, 4096): x[i] = 1\n",
  "output_limit_exceeded/much.py": "while True: print('x' * 1000)\n",
  "compile_error/syntax.py": "print(\n",
  "compile_error/unknown.xyz": "print(\n",
};

const PACKAGE = {
  ...SUM,
  ...Object.fromEntries(
    Object.entries(PYTHON).map(([name, text]) => [`submissions/${name}`, text]),
  ),
};

testWith(needsJudge, "each submission gets its verdict, with one sentence", async () => {
  await withPackage(PACKAGE, async (judge) => {
    const report = await judge.judge({ timeLimitMs: 500 });
    const seen = verdicts(report);
    assertEquals(seen["accepted/sum.py"], "AC: Accepted");
    assertEquals(
      seen["wrong_answer/less.py"],
      `WA: ${resultOf(report, "wrong_answer/less.py").tests[1]!.difference!.reason}`,
    );
    assertMatch(seen["time_limit_exceeded/loop.py"]!, TOO_SLOW);
    assertMatch(
      // The longer time on a busy machine.
      seen["time_limit_exceeded/sleep.py"]!,
      /^TLE: More than (1\.500|15) s of wall time, with [\d.]+ s of CPU time$/,
    );
    assertEquals(seen["run_time_error/status.py"], "RTE: Exit status 3");
    assertEquals(seen["run_time_error/signal.py"], "RTE: Killed by signal 11 (SIGSEGV)");
    assertEquals(seen["memory_limit_exceeded/much.py"], "MLE: More than 128 MiB of memory");
    assertEquals(
      seen["output_limit_exceeded/much.py"],
      "OLE: More than 1 MiB on standard output",
    );
    assertMatch(seen["compile_error/syntax.py"]!, /^CE: /);
    assertMatch(seen["compile_error/unknown.xyz"]!, /^CE: .*unknown\.xyz/);
    // Nobody means that by a compile error.
    assertMatch(report.complaints.join("\n"), /^compile_error\/unknown\.xyz could not be [^\n]*$/);
    const unexpected = report.submissions.filter(({ asExpected }) => !asExpected);
    assertEquals(unexpected.map(({ submission }) => submission), ["compile_error/unknown.xyz"]);
    assertEquals(resultOf(report, "wrong_answer/less.py").decidedBy, "secret/2");
    assertEquals(resultOf(report, "run_time_error/status.py").tests[0]!.stderr, "oops\n");
    assertEquals([report.interrupted, report.timeLimitMs], [false, 500]);
  });
  assertEquals(existingBoxes(), []);
});

testWith(
  needsJudge,
  "events come in order: start, then compile, tests and verdict of each",
  async () => {
    const files = { ...SUM, "submissions/accepted/sum.py": PYTHON["accepted/sum.py"] };
    await withPackage(files, async (judge) => {
      await judge.judge({ jobs: 1 });
      assertEquals(judge.events.map(({ kind }) => kind), [
        "start",
        "compile",
        "compiled",
        "test",
        "test",
        "judged",
      ]);
      const done = judge.events.flatMap((event) =>
        event.kind === "test" ? [[event.result.test, event.done, event.total]] : []
      );
      assertEquals(done, [["secret/1", 1, 2], ["secret/2", 2, 2]]);
    });
  },
);

const C_SUM = `
#include <stdio.h>
int main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); return 0; }
`;

testWith(
  [...needsJudge, needs.command("gcc")],
  "a submission cannot leave anything for the next test",
  async () => {
    const files = {
      ...SUM,
      "submissions/accepted/sum.c": C_SUM,
      // Each test must find an empty folder and an empty /tmp.
      "submissions/accepted/plant.py": `
import os
left = os.listdir("/box") + os.listdir("/tmp")
for path in ["/box/x", "/tmp/x"]:
    open(path, "w").write("left")
print(sum(map(int, input().split())) if not left else left)
`,
      "submissions/accepted/readonly.py": `
import os
try:
    open("/program/x", "w")
    print("writable")
except OSError:
    print(sum(map(int, input().split())))
`,
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ jobs: 1 });
      assertEquals(Object.values(verdicts(report)), [
        "AC: Accepted",
        "AC: Accepted",
        "AC: Accepted",
      ]);
    });
  },
);

testWith(needsJudge, "the result is the same with one and with three tests at a time", async () => {
  const tests = Array.from({ length: 12 }, (_, i) => [
    [`data/secret/${String(i).padStart(2, "0")}.in`, `${i} 1\n`],
    [`data/secret/${String(i).padStart(2, "0")}.ans`, `${i + 1}\n`],
  ]).flat();
  const files = {
    "problem.yaml": "name: Sum\nlimits:\n  time_limit: 1\n",
    ...Object.fromEntries(tests),
    "submissions/wrong_answer/a.py":
      "a, b = map(int, input().split())\nif a == 7: raise Exception\nprint(a + b if a < 5 else 0)\n",
  };
  await withPackage(files, async (judge) => {
    const seen = [];
    for (const jobs of [1, 3]) {
      const [result] = (await judge.judge({ jobs })).submissions;
      seen.push({
        verdict: result!.verdict,
        decidedBy: result!.decidedBy,
        tests: result!.tests.map(({ test, verdict }) => [test, verdict]),
        groups: result!.groups,
      });
    }
    assertEquals(seen[0]!.verdict, "WA");
    assertEquals(seen[0]!.decidedBy, "secret/05");
    assertEquals(seen[0]!.tests.length, 6);
    assertEquals(seen[1], seen[0]);
  });
});

testWith(
  needsJudge,
  "the memory of a test does not contain the files that earlier tests have read",
  async () => {
    const bytes = 48 << 20;
    const files = {
      ...SUM,
      "data/secret/1.ans": `${bytes}\n`,
      "data/secret/2.in": "12345\n",
      "data/secret/2.ans": "6\n",
      "submissions/accepted/count.sh": "cat | wc -c\n",
    };
    await withPackage(files, async (judge) => {
      const input = `${judge.folder}/data/secret/1.in`;
      await Deno.writeFile(input, new Uint8Array(bytes));
      // Whoever reads it next has to get it from the disk, and is charged for it.
      const args = [`of=${input}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
      await new Deno.Command("dd", { args, stderr: "null" }).output();
      const { verdict, tests } = resultOf(await judge.judge({ jobs: 1 }), "accepted/count.sh");
      assertEquals(verdict, "AC");
      assertLess(tests[1]!.memoryKib, 16 << 10);
    });
  },
);
