/** Writes the report as JUnit XML, which continuous integration shows. */

import { visibleText } from "../../text/visible.ts";
import type { ContestReport } from "../contest/types.ts";
import type { JudgeReport, SubmissionResult, TestResult } from "../types.ts";
import { VERDICTS } from "../verdicts.ts";
import { type Content, type Markup, markup } from "./markup.ts";

const KINDS = {
  tests: undefined,
  failures: "failure",
  errors: "error",
  skipped: "skipped",
} as const;

/** A `<testcase>`. */
interface CaseElement {
  readonly name: string;
  readonly seconds: number;
  readonly kind: "passed" | "failure" | "error" | "skipped";
  readonly message: string;
  readonly detail?: string;
}

/**
 * Writes a report as JUnit XML: a test suite for each submission with a test case for each test. Where
 * a submission is not as expected, the test that decided its verdict has failed (`error` for an error
 * of the judge), or a test case named `verdict` if no test did. Times are CPU times.
 */
export function junitReport(report: JudgeReport): string {
  const { suites, cases } = suitesOf(report, "");
  return document(`${report.problem}: ${report.title}`, { suites, cases });
}

/**
 * Writes the report of a contest as JUnit XML: the test suites of all packages, whose names begin with
 * that of the package; one with a single error for a package that could not be judged.
 */
export function contestJunit({ contest, problems, startedAt }: ContestReport): string {
  const all = problems.map(({ name, report, failure = "not judged" }) => {
    if (report) return suitesOf(report, `${name}: `);
    const one: CaseElement = { name: "package", seconds: 0, kind: "error", message: failure };
    return {
      suites: [suite(name, { cases: [one], timestamp: timestampOf(startedAt) })],
      cases: [one],
    };
  });
  return document(contest, {
    suites: all.flatMap(({ suites }) => suites),
    cases: all.flatMap(({ cases }) => cases),
  });
}

function timestampOf(startedAt: string): string {
  return startedAt.replace(/(\.\d+)?Z$/, "");
}

function suitesOf(
  report: JudgeReport,
  prefix: string,
): { suites: Markup[]; cases: CaseElement[] } {
  const timestamp = timestampOf(report.startedAt);
  const all: CaseElement[] = [];
  const suites = report.submissions.map((submission) => {
    const cases = casesOf(submission, report.tests);
    all.push(...cases);
    return suite(`${prefix}${submission.submission}`, { cases, timestamp });
  });
  return { suites, cases: all };
}

function suite(
  name: string,
  { cases, timestamp }: { cases: readonly CaseElement[]; timestamp: string },
): Markup {
  return markup`  <testsuite name="${visibleText(name)}"${sums(cases)} timestamp="${timestamp}">
${cases.map((one) => caseElement(one, name))}  </testsuite>
`;
}

function document(
  name: string,
  { suites, cases }: { suites: readonly Markup[]; cases: readonly CaseElement[] },
): string {
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="${visibleText(name)}"${sums(cases)}>
${suites}</testsuites>
`.code;
}

/** Lists all tests in order, also those that were skipped; and the verdict itself if no test decided it. */
function casesOf(submission: SubmissionResult, tests: readonly string[]): CaseElement[] {
  const { asExpected, decidedBy, verdict } = submission;
  const run = new Map(submission.tests.map((result) => [result.test, result]));
  const cases = tests.map((name): CaseElement => {
    const result = run.get(name);
    if (!result) return { name, seconds: 0, kind: "skipped", message: "not run" };
    const seconds = result.cpuTimeMs / 1000;
    if (!asExpected && decidedBy === name) {
      return { name, seconds, ...complaint(submission, result) };
    }
    return { name, seconds, kind: "passed", message: `${result.verdict}: ${result.message}` };
  });
  if (asExpected || cases.some(({ kind }) => kind === VERDICTS[verdict].junit)) return cases;
  return [...cases, { name: "verdict", seconds: 0, ...complaint(submission) }];
}

function complaint(
  { verdict, expected, message, compile }: SubmissionResult,
  result?: TestResult,
): Pick<CaseElement, "kind" | "message" | "detail"> {
  const { name, junit } = VERDICTS[verdict];
  const wanted = expected?.map((one) => VERDICTS[one].name).join(" or ");
  const { difference, judgeMessage, stderr } = result ?? {};
  const details = result
    ? [message, result.message, difference?.reason, judgeMessage, stderr]
    : [message, ...compile.ok ? [] : [compile.message, compile.output]];
  return {
    kind: junit,
    message: wanted === undefined ? message : `expected ${wanted}, got ${name}`,
    detail: [...new Set(details.filter(Boolean))].join("\n"),
  };
}

function caseElement(one: CaseElement, submission: string): Markup {
  const { name, seconds, kind, message, detail } = one;
  const attribute = markup` message="${visibleText(message)}"`;
  const inner = kind === "passed"
    ? markup`<system-out>${message}</system-out>`
    : kind === "skipped"
    ? markup`<skipped${attribute}/>`
    : markup`<${kind}${attribute} type="${kind}">${detail}</${kind}>`;
  return markup`    <testcase name="${visibleText(name)}" classname="${
    visibleText(submission)
  }" time="${seconds.toFixed(3)}">
      ${inner}
    </testcase>
`;
}

/** Writes the attributes that sum up some cases. */
function sums(cases: readonly CaseElement[]): Content {
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0);
  const counts = Object.entries(KINDS).map(([name, kind]) =>
    markup` ${name}="${cases.filter((one) => !kind || one.kind === kind).length}"`
  );
  return [counts, markup` time="${seconds.toFixed(3)}"`];
}
