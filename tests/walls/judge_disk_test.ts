/** Submissions and validators that write as many files as they can. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Files,
  needsJudge,
  openWith,
  resultOf,
  SUM,
  withPackage,
} from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const BOXES = { first: 917, count: 4 };
const MIB = 1 << 20;

/** Writes files of 100 MiB wherever it can, and says how much fitted. */
const FILL = `
import os
total = 0
for folder in ["/box", "/tmp", "/dev/shm"]:
    try:
        for i in range(12):
            with open(f"{folder}/{i}", "wb", buffering=0) as f:
                for _ in range(100):
                    total += f.write(bytes(1 << 20))
    except OSError as error:
        pass
print(total)
`;

testWith(needsJudge, "without control groups a submission cannot fill the disk", async () => {
  const files: Files = { ...SUM, "submissions/wrong_answer/fill.py": FILL };
  await withPackage(files, async ({ judge }) => {
    const sandbox = await openWith({
      cgRoot: { kind: "directory", directory: "/sys/fs/cgroup/nowhere/at/all" },
    });
    const report = await judge({ ...sandbox, jobs: 1, boxIds: BOXES, timeLimitMs: 5000 });
    const { verdict, tests } = resultOf(report, "wrong_answer/fill.py");
    assertEquals(verdict, "WA", tests[0]?.message);
    const written = Number(/\d+/.exec(tests[0]!.difference?.actual[0] ?? "")?.[0]);
    assert(written > 200 * MIB && written <= 321 * MIB, JSON.stringify(tests[0]));
  });
});

testWith(needsJudge, "a validator that writes one file after the other is stopped", async () => {
  const files: Files = {
    ...SUM,
    "problem.yaml": "name: Sum\nvalidation: custom\nlimits:\n  {time_limit: 1, memory: 128, " +
      "validation_time: 60, validation_memory: 2048, validation_output: 64}\n",
    "output_validators/v.py": `
import sys, time
for i in range(9):
    with open(f"/box/{i}", "wb") as f: f.truncate(64 << 20)
time.sleep(5)
sys.exit(42)
`,
    "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
  };
  await withPackage(files, async ({ judge }) => {
    const report = await judge({ jobs: 1, boxIds: BOXES });
    const { verdict, message } = resultOf(report, "accepted/sum.py").tests[0]!;
    assertEquals(verdict, "JE");
    assertMatch(message, /The output validator wrote more than 512 MiB to files/);
  });
});
