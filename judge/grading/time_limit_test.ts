import { assertEquals } from "@std/assert";
import {
  FALLBACK_LIMIT_MS,
  findTimeLimit,
  isReferenceSolution,
  mustBeTooSlow,
  slowestTest,
  timeLimitComplaints,
} from "./time_limit.ts";
import type { TestResult, Verdict } from "../types.ts";

const LIMITS = { acceptedToLimit: 2, limitToRejected: 1.5, timeResolutionMs: 100 };

function slow(submission: string, cpuTimeMs: number) {
  return { submission, test: "secret/1", cpuTimeMs };
}

Deno.test("the slowest test of all submissions", () => {
  const result = (test: string, cpuTimeMs: number): TestResult => ({
    test,
    verdict: "AC",
    message: "Accepted",
    cpuTimeMs,
    wallTimeMs: cpuTimeMs,
    memoryKib: 1,
  });
  const results = [
    { submission: "a", tests: [result("1", 5), result("2", 7)] },
    { submission: "b", tests: [result("1", 9), result("2", 1)] },
  ];
  assertEquals(slowestTest(results), { submission: "b", test: "1", cpuTimeMs: 9 });
  assertEquals(slowestTest([]), undefined);
});

Deno.test("a time limit is a multiple of the slowest accepted time, rounded up", () => {
  assertEquals(findTimeLimit(slow("a", 120), LIMITS).timeLimitMs, 300);
  assertEquals(findTimeLimit(slow("a", 150), LIMITS).timeLimitMs, 300);
  assertEquals(findTimeLimit(slow("a", 0), LIMITS).timeLimitMs, 100);
  assertEquals(
    findTimeLimit(slow("a", 120), LIMITS).source,
    "2 times the CPU time of a (0.120 s on secret/1), rounded up",
  );
});

Deno.test("without accepted submissions there is a time limit all the same", () => {
  assertEquals(findTimeLimit(undefined, LIMITS).timeLimitMs, FALLBACK_LIMIT_MS);
});

Deno.test("the time limit must have a margin to the slowest accepted submission", () => {
  const check = (cpuTimeMs: number) =>
    timeLimitComplaints(1000, {
      limits: LIMITS,
      slowestAccepted: slow("a", cpuTimeMs),
      tooSlow: [],
    });
  assertEquals(check(500), []);
  assertEquals(check(612), [
    "The time limit of 1 s is less than 2 times the CPU time of a (0.612 s on secret/1): 1.300 s " +
    "would be enough",
  ]);
});

Deno.test("a submission that must be too slow must be so with a margin", () => {
  const check = (cpuTimeMs: number) =>
    timeLimitComplaints(1000, {
      limits: LIMITS,
      slowestAccepted: undefined,
      tooSlow: [slow("b", cpuTimeMs)],
    });
  assertEquals(check(1500), []);
  assertEquals(check(1400), [
    "b (1.400 s on secret/1) should be slower: its CPU time is less than 1.5 times the time limit of 1 s",
  ]);
  // Its verdict is wrong already, which is another complaint.
  assertEquals(check(900), []);
});

Deno.test("only those that must be accepted on the whole decide about the time limit", () => {
  const submission = (name: string, expected: Verdict[] | undefined) => ({
    name,
    source: { name, files: [] },
    expected,
  });
  assertEquals(isReferenceSolution(submission("accepted/a", ["AC"])), true);
  assertEquals(isReferenceSolution(submission("partially_accepted/a", ["AC"])), false);
  assertEquals(isReferenceSolution(submission("mixed/a", ["AC", "TLE"])), false);
  assertEquals(isReferenceSolution(submission("a", undefined)), false);
  assertEquals(mustBeTooSlow(submission("time_limit_exceeded/a", ["TLE"])), true);
  assertEquals(mustBeTooSlow(submission("a", ["TLE", "RTE"])), false);
});
