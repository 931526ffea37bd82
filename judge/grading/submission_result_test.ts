import { assertEquals } from "@std/assert";
import { isAsExpected, submissionComplaint } from "./submission_result.ts";

Deno.test("a submission must get one of the verdicts that were promised", () => {
  const expected = ["TLE", "RTE"] as const;
  assertEquals(isAsExpected({ expected }, { verdict: "RTE" }), true);
  assertEquals(isAsExpected({ expected }, { verdict: "WA" }), false);
});

Deno.test("where nothing was promised all is well but an error of the judge", () => {
  assertEquals(isAsExpected({ expected: undefined }, { verdict: "WA" }), true);
  assertEquals(isAsExpected({ expected: undefined }, { verdict: "JE" }), false);
});

Deno.test("a score must be in the range that was promised", () => {
  const promised = { expected: ["AC"], expectedScore: [1, 99] } as const;
  assertEquals(isAsExpected(promised, { verdict: "AC", score: 99 }), true);
  assertEquals(isAsExpected(promised, { verdict: "AC", score: 100 }), false);
  assertEquals(isAsExpected(promised, { verdict: "AC", score: 0 }), false);
});

const RESULT = { message: "Line 1: expected 2, got 3", decidedBy: "secret/1", score: undefined };

Deno.test("a complaint names the submission, what it got, what it should, and why", () => {
  const submission = { name: "accepted/a.py", expected: ["AC"] } as const;
  assertEquals(submissionComplaint(submission, { verdict: "AC", ...RESULT }), undefined);
  assertEquals(
    submissionComplaint(submission, { verdict: "WA", ...RESULT }),
    "accepted/a.py got WA, expected AC (secret/1: Line 1: expected 2, got 3)",
  );
  assertEquals(
    submissionComplaint(submission, { verdict: "JE", ...RESULT, decidedBy: undefined }),
    "accepted/a.py could not be judged (Line 1: expected 2, got 3)",
  );
});

Deno.test("a complaint about a score says which were right", () => {
  const complaint = (expectedScore: readonly [number, number]) =>
    submissionComplaint(
      { name: "a", expected: ["AC"], expectedScore },
      { verdict: "AC", message: "Accepted", decidedBy: undefined, score: 7 },
    );
  assertEquals(complaint([0, 5]), "a got the score 7, expected 0 to 5");
  assertEquals(complaint([8, Infinity]), "a got the score 7, expected at least 8");
  assertEquals(complaint([-Infinity, 5]), "a got the score 7, expected at most 5");
  assertEquals(complaint([8, 8]), "a got the score 7, expected 8");
  assertEquals(complaint([0, 7]), undefined);
});

Deno.test("a file of an unknown language is not the compile error that an author expects", () => {
  const compile = { ok: false, cached: false, language: undefined, output: "", cpuTimeMs: 0 };
  const result = { verdict: "CE", ...RESULT, compile: { ...compile, message: "no" } } as const;
  const submission = { name: "compile_error/a.txt", expected: ["CE"] as const };
  assertEquals(isAsExpected(submission, result), false);
  assertEquals(
    submissionComplaint(submission, { ...result, message: "Cannot tell the language of a.txt" }),
    "compile_error/a.txt could not be compiled: Cannot tell the language of a.txt",
  );
});
