import { assertEquals } from "@std/assert";
import { sharedSandbox } from "../../box/sandbox.ts";
import { HostFiles } from "../../host/files.ts";
import { testNames } from "../grading/grading.ts";
import { readPackage } from "./read.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;

interface Expectation {
  format: "kattis" | "task";
  kind: "pass-fail" | "scoring";
  validation: "default" | "custom" | "interactive";
  timeLimitMs: number | undefined;
  tests: number;
  submissions: number;
}

const EXPECTED: Readonly<Record<string, Expectation>> = {
  guess: {
    format: "kattis",
    kind: "pass-fail",
    validation: "interactive",
    timeLimitMs: 1000,
    tests: 6,
    submissions: 8,
  },
  inversions: {
    format: "kattis",
    kind: "scoring",
    validation: "default",
    timeLimitMs: undefined,
    tests: 12,
    submissions: 5,
  },
  pairs: {
    format: "kattis",
    kind: "pass-fail",
    validation: "default",
    timeLimitMs: 1000,
    tests: 9,
    submissions: 13,
  },
  plainpairs: {
    format: "task",
    kind: "pass-fail",
    validation: "default",
    timeLimitMs: 1000,
    tests: 5,
    submissions: 4,
  },
  primesum: {
    format: "kattis",
    kind: "pass-fail",
    validation: "custom",
    timeLimitMs: 1000,
    tests: 7,
    submissions: 7,
  },
};

Deno.test("there is an expectation for each example", async () => {
  const entries = await Array.fromAsync(Deno.readDir(EXAMPLES));
  const names = entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(names.sort(), Object.keys(EXPECTED));
});

for (const [name, expected] of Object.entries(EXPECTED)) {
  Deno.test(`readPackage() reads the example ${name} without a warning`, async () => {
    const host = new HostFiles(await sharedSandbox());
    const problem = await readPackage(host, `${EXAMPLES}${name}`);
    const { validation } = problem;
    const isInteractive = validation.kind === "custom" && validation.interactive;
    const read: Expectation = {
      format: problem.format,
      kind: problem.kind,
      validation: isInteractive ? "interactive" : validation.kind,
      timeLimitMs: problem.limits.timeLimitMs,
      tests: testNames(problem.data).length,
      submissions: problem.submissions.length,
    };
    assertEquals(read, expected);
    assertEquals(problem.warnings, []);
    assertEquals(problem.submissions.every((submission) => submission.expected), true);
  });
}
