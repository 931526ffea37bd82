/** Checkers of clients: programs that judge the outputs of other programs, in real boxes. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { JobError } from "isolate/server/engine/executor.ts";
import type { JobChecker, StageResult } from "isolate/server/engine/types.ts";
import {
  bytesOf,
  jobOf,
  LIMITS,
  openExecutor,
  runOf,
  textOf,
} from "isolate/tests/support/executor.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3"), needs.command("gcc")];
const test = (name: string, body: () => Promise<void>) => testWith(base, name, body);

function checkerOf(
  source: string,
  { language = "python3", kind = "validator" }: { language?: string; kind?: JobChecker["kind"] } =
    {},
): JobChecker {
  const files = [{ name: "checker", content: bytesOf(source) }];
  return { language, files, kind, limits: { ...LIMITS, wallTimeMs: 2000 } };
}

/** A program that answers the sum of its input, judged by a checker. */
async function check(checker: JobChecker, source = "print(sum(map(int, input().split())))") {
  await using executor = await openExecutor();
  const inputs = ["1 2", "20 22"];
  const runs = inputs.map((input, i) =>
    runOf({ stdin: bytesOf(`${input}\n`), expectedOutput: bytesOf(i === 0 ? "3\n" : "43\n") })
  );
  const result = await executor.execute(jobOf("python3", source, { runs, checker }));
  return result.runs;
}

function verdicts(runs: readonly StageResult[]): unknown[] {
  return runs.map(({ isAccepted, difference }) => [isAccepted, difference]);
}

const VALIDATOR = `
import sys
given = open(sys.argv[1]).read().split()
answer = open(sys.argv[2]).read().strip()
output = sys.stdin.read().strip()
open(sys.argv[3] + "judgemessage.txt", "w").write(f"{given} {output}\\nof {answer}")
sys.exit(42 if output == answer else 43)
`;

test("a validator has the input, the answer and the output, and leaves a message", async () => {
  assertEquals(verdicts(await check(checkerOf(VALIDATOR))), [
    [true, "['1', '2'] 3 of 3"],
    [false, "['20', '22'] 42 of 43"],
  ]);
});

test("a checker in the way of testlib is compiled, and told by its exit status", async () => {
  const source = `
    #include <stdio.h>
    int main(int count, char **args) {
      int a, b, output, answer;
      fscanf(fopen(args[1], "r"), "%d %d", &a, &b);
      fscanf(fopen(args[2], "r"), "%d", &output);
      fscanf(fopen(args[3], "r"), "%d", &answer);
      fprintf(stderr, "%d+%d: %d, %d\\n", a, b, output, answer);
      return output == answer ? 0 : 1;
    }`;
  assertEquals(verdicts(await check(checkerOf(source, { language: "c", kind: "testlib" }))), [
    [true, "1+2: 3, 3"],
    [false, "20+22: 42, 43"],
  ]);
});

test("a program leaves nothing for its checker, and its checker nothing for the program", async () => {
  const program = `
import os
print(os.listdir("/box") + os.listdir("/tmp"))
for folder in ("/box", "/tmp"):
    open(folder + "/left", "w").write("x")
`;
  const checker = `
import os, sys
seen = sorted(os.listdir("/box") + os.listdir("/tmp"))
open("/box/mine", "w").write("x")
print(seen, sys.stdin.read().strip(), file=sys.stderr)
sys.exit(42)
`;
  const seen = "['answer', 'feedback', 'input', 'output']";
  assertEquals(verdicts(await check(checkerOf(checker), program)), [
    [true, `${seen} ['main.py']`],
    [true, `${seen} ['main.py']`],
  ]);
});

test("a program that fails is not checked", async () => {
  const [run] = await check(checkerOf(VALIDATOR), "import sys; sys.exit(1)");
  assertEquals([run!.exitCode, run!.isAccepted], [1, undefined]);
});

test("a checker that says nothing is a failure with the reason, not one of the program", async () => {
  const cases = [
    ["import sys; sys.exit(7)", /^The checker failed: Exited with error status 7$/],
    ["raise ValueError('no')", /^The checker failed: .* status 1: Traceback .* ValueError: no$/],
    ["import time; time.sleep(60)", /^The checker failed: Time limit exceeded/],
    ["x = [0] * 10**9", /^The checker failed: .*[Mm]emory/],
    ["def", /^The checker cannot be compiled: /],
  ] as const;
  for (const [source, message] of cases) {
    const [run] = await check(checkerOf(source));
    assertEquals(run!.ending.kind, "failed");
    assertMatch(run!.message, message);
    assertEquals(run!.isAccepted, undefined);
  }
});

test("a run has files of its own in its working directory, and the next run other ones", async () => {
  await using executor = await openExecutor();
  const runs = ["a", "b"].map((text) =>
    runOf({ files: [{ name: `data/${text}.txt`, content: bytesOf(text) }] })
  );
  const source = 'import glob\nfor f in glob.glob("data/*"): print(f, open(f).read())\n';
  const result = await executor.execute(jobOf("python3", source, { runs }));
  const outputs = result.runs.map(({ stdout }) => textOf(stdout));
  assertEquals(outputs, ["data/a.txt a\n", "data/b.txt b\n"]);
  const compiled =
    '#include <stdio.h>\nint main() { puts(fopen("data/b.txt", "r") ? "b" : "-"); }\n';
  const { runs: ran } = await executor.execute(jobOf("c", compiled, { runs }));
  assertEquals(ran.map(({ stdout }) => textOf(stdout)), ["-\n", "b\n"]);
});

test("files of runs and checkers are checked as those of programs are", async () => {
  await using executor = await openExecutor();
  const file = (name: string) => ({ name, content: bytesOf("") });
  const wrong = (name: string) =>
    executor.execute(jobOf("python3", "", { runs: [runOf({ files: [file(name)] })] }));
  await assertRejects(() => wrong("../x"), JobError, "must not lead out of the folder");
  await assertRejects(() => wrong("main"), JobError, 'two files have the name "main"');
  const checker = { ...checkerOf(""), files: [file("/etc/passwd")] };
  await assertRejects(
    () => executor.execute(jobOf("python3", "", { checker })),
    JobError,
    "must be relative",
  );
  await assertRejects(
    () =>
      executor.execute(jobOf("python3", "", { checker: checkerOf("", { language: "klingon" }) })),
    JobError,
    "unknown language klingon",
  );
});
