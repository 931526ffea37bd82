/** Reports of judging, made by hand. */

import type { Outcome } from "isolate/box/outcome/outcome.ts";
import type {
  CompileResult,
  GroupResult,
  JudgeReport,
  SubmissionResult,
  TestResult,
  Verdict,
} from "isolate/judge/types.ts";

/** What a program might write to get out of a page. */
export const HOSTILE =
  "</script></pre><img src=x onerror=alert(1)>\"'<!--]]>&amp;\0\x1b[31m\ud800\u202eevil\ufffe";

const TESTS = [
  "sample/1",
  "sample/2",
  ...Array.from({ length: 6 }, (_, i) => `secret/group1/0${i + 1}-small`),
  ...Array.from({ length: 8 }, (_, i) => `secret/group2/${String(i + 1).padStart(2, "0")}-large`),
];

function outcome(verdict: Verdict, cpuTimeMs: number, maxRssKib: number): Outcome {
  const usage = {
    cpuTimeMs,
    wallTimeMs: cpuTimeMs * 1.1 + 2,
    maxRssKib,
    voluntaryContextSwitches: 3,
    forcedContextSwitches: 1,
    controlGroup: { peakMemoryKib: maxRssKib + 200, oomKills: verdict === "MLE" ? 1 : 0 },
  };
  if (verdict === "TLE") {
    return { kind: "time-limit", limit: "cpu", killed: true, ending: undefined, usage };
  }
  if (verdict === "MLE") {
    return { kind: "memory-limit", ending: { how: "signal", signal: 9 }, usage };
  }
  if (verdict === "OLE") return { kind: "output-limit", stream: "stdout", usage };
  if (verdict === "RTE") return { kind: "signal", signal: 11, usage };
  return { kind: "exit", exitCode: 0, usage };
}

const MESSAGES: Readonly<Record<Verdict, string>> = {
  AC: "Accepted",
  WA: 'Line 4, word 2: expected "1729", got "1730"',
  TLE: "More than 2 s of CPU time",
  MLE: "More than 256 MiB of memory",
  OLE: "More than 8 MiB of output",
  RTE: "Caught fatal signal 11",
  CE: "The compiler ended with exit status 1",
  JE: "The validator ended with exit status 1, which is neither 42 nor 43",
};

/** A test as it could have been. */
export function testResult(test: string, verdict: Verdict, cpuTimeMs: number): TestResult {
  const memoryKib = verdict === "MLE" ? 262_144 : 3_400 + Math.round(cpuTimeMs * 40);
  return {
    test,
    verdict,
    message: MESSAGES[verdict],
    cpuTimeMs,
    wallTimeMs: cpuTimeMs * 1.1 + 2,
    memoryKib,
    outcome: outcome(verdict, cpuTimeMs, memoryKib),
    ...(verdict === "WA"
      ? {
        difference: {
          reason: MESSAGES.WA,
          expectedFrom: 1,
          expected: ["3", "1 1", "12 144", "12 1729", "7 49", "8 64", "9 81"],
          actualFrom: 1,
          actual: ["3", "1 1", "12  144", "12 1730", "7 49"],
        },
      }
      : {}),
    ...(verdict === "RTE"
      ? { stderr: "thread 'main' panicked\nstack backtrace:\n\tmain.rs:12\n" }
      : {}),
    ...(verdict === "JE" ? { judgeMessage: "cannot open answer", teamMessage: "sorry" } : {}),
  };
}

function compileResult(language: string, more: Partial<CompileResult> = {}): CompileResult {
  return {
    ok: true,
    cached: false,
    language,
    version: `${language} 12.2.0`,
    message: "Compiled",
    output: "",
    cpuTimeMs: 812.5,
    ...more,
  };
}

/** A submission with the tests that it was run on. */
export function submissionResult(
  submission: string,
  tests: readonly TestResult[],
  more: Partial<SubmissionResult> = {},
): SubmissionResult {
  const decisive = tests.find(({ verdict }) => verdict !== "AC");
  const verdict = decisive?.verdict ?? "AC";
  const top: GroupResult = {
    group: "",
    verdict,
    testsRun: tests.length,
    testsSkipped: TESTS.length - tests.length,
  };
  return {
    submission,
    verdict,
    message: decisive === undefined ? "Accepted" : `${decisive.test}: ${decisive.message}`,
    expected: [verdict],
    asExpected: true,
    decidedBy: decisive?.test,
    compile: compileResult("C++"),
    tests,
    groups: [top],
    maxCpuTimeMs: Math.max(0, ...tests.map(({ cpuTimeMs }) => cpuTimeMs)),
    maxMemoryKib: Math.max(0, ...tests.map(({ memoryKib }) => memoryKib)),
    ...more,
  };
}

/** Test results up to the one at which something happens, and that one. */
function upTo(at: number, verdict: Verdict, timeMs: (i: number) => number): TestResult[] {
  return TESTS.slice(0, at + 1).map((test, i) =>
    testResult(test, i === at ? verdict : "AC", timeMs(i))
  );
}

/** A report of a package, one submission of each kind, one of them not as expected. */
export function exampleReport(more: Partial<JudgeReport> = {}): JudgeReport {
  const rising = (factor: number) => (i: number) => factor * (2 + i * i * 3.2);
  const end = TESTS.length - 1;
  return {
    problem: "taxicab",
    title: "Taxicab Numbers",
    kind: "pass-fail",
    timeLimitMs: 2000,
    timeLimitSource: "problem.yaml: limits.time_limit",
    memoryKib: 262_144,
    outputKib: 8192,
    tests: TESTS,
    submissions: [
      submissionResult("accepted/fast.cpp", upTo(end, "AC", rising(0.2))),
      submissionResult("accepted/slow.py", upTo(end, "AC", rising(1.9)), {
        compile: compileResult("Python 3", { cached: true, version: "Python 3.11.2" }),
      }),
      submissionResult("accepted/Main.java", upTo(11, "WA", (i) => 140 + 9 * i), {
        expected: ["AC"],
        asExpected: false,
        compile: compileResult("Java", {
          version: 'openjdk version "17.0.12"',
          output: "Note: Main.java uses unchecked or unsafe operations.\n",
        }),
      }),
      submissionResult("wrong_answer/overflow.c", upTo(5, "WA", rising(0.3))),
      submissionResult(
        "time_limit_exceeded/cubic.cpp",
        upTo(13, "TLE", (i) => i < 13 ? i ** 3 / 2 : 2312),
      ),
      submissionResult("memory_limit/greedy.cpp", upTo(9, "MLE", rising(1))),
      submissionResult("output_limit/chatty.cpp", upTo(2, "OLE", rising(4))),
      submissionResult("run_time_error/crash.rs", upTo(7, "RTE", rising(0.5)), {
        compile: compileResult("Rust"),
      }),
      submissionResult("compile_error/typo.cpp", [], {
        verdict: "CE",
        message: MESSAGES.CE,
        expected: ["CE"],
        compile: compileResult("C++", {
          ok: false,
          message: MESSAGES.CE,
          output:
            "typo.cpp: In function ‘int main()’:\ntypo.cpp:5:3: error: ‘cuot’ was not declared in this scope\n    5 |   cuot << answer;\n      |   ^~~~\n",
        }),
      }),
    ],
    complaints: [
      "accepted/Main.java: expected accepted, got wrong answer (secret/group2/04-large)",
    ],
    warnings: ["problem.yaml: the key `colour` is not known and was left out"],
    interrupted: false,
    startedAt: "2026-03-14T15:09:26.535Z",
    durationMs: 41_234.5,
    ...more,
  };
}

/** A report of a scoring, interactive problem, with everything that can be left out. */
export function scoringReport(): JudgeReport {
  const scored = (test: string, score: number): TestResult => ({
    ...testResult(test, score > 0 ? "AC" : "WA", 20 + score),
    score,
  });
  const tests = TESTS.map((test, i) => scored(test, i % 5 === 4 ? 0 : 10));
  tests[2] = {
    ...tests[2]!,
    transcript: [
      { from: "interactor", text: "100\n" },
      { from: "submission", text: "? 50\n" },
      { from: "interactor", text: "lower\n" },
      { from: "submission", text: "? 25\n? 12\n" },
      { from: "interactor", text: "higher\n" },
      { from: "submission", text: "! 37\n" },
    ],
  };
  const group = (name: string, score: number, verdict: Verdict): GroupResult => ({
    group: name,
    verdict,
    score,
    testsRun: 8,
    testsSkipped: 0,
  });
  return exampleReport({
    kind: "scoring",
    title: "Guess the Number",
    submissions: [submissionResult("partially_accepted/half.py", tests, {
      score: 62.5,
      expected: ["AC", "WA"],
      groups: [
        group("", 62.5, "WA"),
        group("secret/group1", 40, "AC"),
        group("secret/group2", 22.5, "WA"),
      ],
    })],
    complaints: [],
    warnings: [],
  });
}

/** A report in which everything that a program or a package could choose is hostile. */
export function hostileReport(): JudgeReport {
  const result: TestResult = {
    ...testResult(`secret/${HOSTILE}`, "WA", 5),
    message: HOSTILE,
    stderr: HOSTILE,
    judgeMessage: HOSTILE,
    teamMessage: HOSTILE,
    transcript: [{ from: "submission", text: HOSTILE }],
    difference: {
      reason: HOSTILE,
      expectedFrom: 1,
      expected: [HOSTILE],
      actualFrom: 1,
      actual: [`${HOSTILE}!`],
    },
  };
  const compile = compileResult(HOSTILE, { version: HOSTILE, message: HOSTILE, output: HOSTILE });
  const more = { compile, message: HOSTILE, asExpected: false, decidedBy: result.test };
  return exampleReport({
    problem: HOSTILE,
    title: HOSTILE,
    timeLimitSource: HOSTILE,
    tests: [result.test, HOSTILE],
    submissions: [
      submissionResult(HOSTILE, [result], { ...more, expected: ["AC"] }),
      submissionResult(HOSTILE, [], {
        ...more,
        verdict: "CE",
        decidedBy: undefined,
        compile: { ...compile, ok: false },
      }),
    ],
    complaints: [HOSTILE],
    warnings: [HOSTILE],
  });
}

/** A report with very many results. */
export function largeReport(tests: number, submissions: number): JudgeReport {
  const names = Array.from({ length: tests }, (_, i) => `secret/g${i % 7}/${i}`).sort();
  const noise = (i: number) => 40 + 1500 * Math.abs(Math.sin(i * 12.9898)) ** 3;
  const long = "0123456789 ".repeat(10_000);
  return exampleReport({
    tests: names,
    submissions: Array.from({ length: submissions }, (_, s) =>
      submissionResult(
        `accepted/solution${s}.cpp`,
        names.map((name, i) => ({
          ...testResult(name, i % 97 === s ? "WA" : "AC", noise(i + s)),
          stderr: long,
          judgeMessage: long,
        })),
      )),
  });
}
