import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setColorEnabled, stripAnsiCode } from "../vendor/std/colors.ts";
import type {
  JudgeEvent,
  JudgeReport,
  Problem,
  SubmissionResult,
  TestResult,
} from "../judge/types.ts";
import { JudgeProgress } from "./judge_progress.ts";
import { resultTable, summaryText } from "./judge_table.ts";
import { columns } from "../text/columns.ts";

const compile = {
  ok: true,
  cached: false,
  language: "C++",
  message: "compiled",
  output: "",
  cpuTimeMs: 300,
};

function testResult(values: Partial<TestResult> = {}): TestResult {
  return {
    test: "secret/1",
    verdict: "AC",
    message: "accepted",
    cpuTimeMs: 412,
    wallTimeMs: 500,
    memoryKib: 2048,
    ...values,
  };
}

function submissionResult(values: Partial<SubmissionResult> = {}): SubmissionResult {
  return {
    submission: "accepted/sum.cpp",
    verdict: "AC",
    message: "accepted",
    expected: ["AC"],
    asExpected: true,
    decidedBy: undefined,
    compile,
    tests: [testResult()],
    groups: [],
    maxCpuTimeMs: 412,
    maxMemoryKib: 2048,
    ...values,
  };
}

/** Everything that is said, with a clock that moves on by `stepMs` at each look. */
function listen(width: number | undefined, verbosity: -1 | 0 | 1, stepMs = 1000) {
  setColorEnabled(false);
  const said: string[] = [];
  let nowMs = 0;
  const progress = new JudgeProgress({
    write: (text) => said.push(text),
    width: () => width,
    verbosity,
    nowMs: () => nowMs += stepMs,
  });
  const submission = "accepted/sum.cpp";
  const tell = (...events: JudgeEvent[]) => events.forEach((event) => progress.tell(event));
  tell({ kind: "compile", submission }, { kind: "compiled", submission, compile });
  return { said, tell, submission };
}

Deno.test("JudgeProgress prints a line for each submission into a pipe, and nothing else", () => {
  const { said, tell, submission } = listen(undefined, 0);
  tell({ kind: "test", submission, result: testResult(), done: 1, total: 2 });
  assertEquals(said, []);
  tell({ kind: "judged", result: submissionResult() });
  assertEquals(said.length, 1);
  assert(
    /^ok {2}accepted\/sum\.cpp +AC {3}0\.412 s {2}2 MiB {2}1 test\n$/.test(said[0]!),
    said[0],
  );
});

Deno.test("JudgeProgress prints a line for each test on request", () => {
  const { said, tell, submission } = listen(undefined, 1);
  const result = testResult({ verdict: "WA", message: "Line 3: no" });
  tell({ kind: "test", submission, result, done: 1, total: 2 });
  assertStringIncludes(said.join(""), "secret/1");
  assertStringIncludes(said.join(""), "WA   0.412 s  2 MiB  Line 3: no\n");
});

Deno.test("JudgeProgress prints nothing when it is quiet", () => {
  const { said, tell, submission } = listen(80, -1);
  tell({ kind: "test", submission, result: testResult(), done: 1, total: 2 });
  tell({ kind: "judged", result: submissionResult() });
  assertEquals(said, []);
});

Deno.test("JudgeProgress has a changing line that never is wider than the terminal", () => {
  for (const width of [20, 40, 80, 200]) {
    const { said, tell, submission } = listen(width, 0);
    tell({ kind: "test", submission, result: testResult({ verdict: "TLE" }), done: 7, total: 10 });
    const line = stripAnsiCode(said.at(-1)!).replace("\r", "");
    assert(columns(line) < width, `${line} in ${width} columns`);
    if (width >= 80) {
      assertStringIncludes(line, "██████████████░░░░░░ 7/10  worst 0.412 s  TLE so far");
    }
  }
});

Deno.test("JudgeProgress says how far all is, and how long it took", () => {
  const { said, tell, submission } = listen(100, 0);
  tell({ kind: "start", problem: {} as Problem, submissions: 13, tests: 10 });
  for (let i = 0; i < 2; i++) tell({ kind: "judged", result: submissionResult() });
  tell({ kind: "compile", submission });
  assertStringIncludes(said.at(-1)!, "3 of 13, 3 s  accepted/sum.cpp  compiling");
});

Deno.test("JudgeProgress begins the line of a submission without a promise with its verdict", () => {
  const { said, tell } = listen(undefined, 0);
  tell({ kind: "judged", result: submissionResult({ submission: "a.py", expected: undefined }) });
  assert(/^AC {3}a\.py +0\.412 s /.test(said[0]!), said[0]);
});

Deno.test("JudgeProgress does not redraw faster than the eye", () => {
  const { said, tell, submission } = listen(80, 0, 1);
  for (let done = 1; done <= 50; done++) {
    tell({ kind: "test", submission, result: testResult(), done, total: 50 });
  }
  assertEquals(said.length, 1);
});

Deno.test("JudgeProgress shows no control characters of a name", () => {
  const { said, tell } = listen(undefined, 0);
  tell({ kind: "judged", result: submissionResult({ submission: "\x1b]0;evil\x07.py" }) });
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f]/.test(said.join("")));
});

function report(values: Partial<JudgeReport> = {}): JudgeReport {
  return {
    problem: "sums",
    title: "Sums",
    kind: "pass-fail",
    timeLimitMs: 1000,
    timeLimitSource: "problem.yaml",
    memoryKib: 262144,
    outputKib: 8192,
    tests: ["secret/1"],
    submissions: [
      submissionResult(),
      submissionResult({
        submission: "wrong_answer/off-by-one.py",
        verdict: "TLE",
        asExpected: false,
        expected: ["WA"],
      }),
    ],
    complaints: ["wrong_answer/off-by-one.py got TLE instead of WA"],
    warnings: [],
    interrupted: false,
    startedAt: "2026-01-01T00:00:00Z",
    durationMs: 1500,
    ...values,
  };
}

Deno.test("resultTable() has a row for each submission and fits into the terminal", () => {
  setColorEnabled(false);
  for (const width of [60, 80, 120]) {
    const lines = resultTable(report(), width).trimEnd().split("\n");
    assertEquals(lines.length, 3);
    for (const line of lines) assert(columns(line) < width, `${line} in ${width} columns`);
  }
  assertEquals(
    resultTable(report(), 100).split("\n")[2],
    "wrong_answer/off-by-one.py  C++       TLE      WA        0.412 s   2 MiB",
  );
});

Deno.test("summaryText() ends with how many are as expected, and names what is not", () => {
  setColorEnabled(false);
  const text = summaryText(report({ warnings: ["odd"] }));
  assertStringIncludes(text, "note: odd\n");
  assertStringIncludes(text, "wrong: wrong_answer/off-by-one.py got TLE instead of WA\n");
  assert(text.endsWith("1 of 2 submissions as expected, 1.500 s\n"), text);
});

Deno.test("JudgeProgress says where a time limit comes from", () => {
  const { said, tell } = listen(undefined, 0);
  tell({ kind: "time-limit", timeLimitMs: 2000, source: "5 x the slowest, 0.310 s" });
  assertEquals(said, ["time limit: 2 s (5 x the slowest, 0.310 s)\n"]);
});
