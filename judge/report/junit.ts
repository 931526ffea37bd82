/** The report as JUnit XML, which continuous integration shows. */

import type { JudgeReport, SubmissionResult, TestResult } from "../types.ts";
import { escapeText } from "./markup.ts";
import { visibleLines } from "../../text/visible.ts";
import { VERDICTS } from "../verdicts.ts";

/** Something that counts in a test suite. */
interface Case {
  name: string;
  seconds: number;
  /** An element for what is wrong. */
  problem?: { element: "failure" | "error" | "skipped"; message: string; detail: string };
  /** What is told of one that is as expected. */
  remark?: string;
}

function text(value: string): string {
  return escapeText(visibleLines(value));
}

/** White space in attributes is turned into spaces unless it is written as references. */
function attribute(value: string): string {
  return text(value).replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${attribute(String(value))}"`).join("");
}

function caseOf(submission: SubmissionResult, result: TestResult): Case {
  const item: Case = {
    name: result.test,
    seconds: result.cpuTimeMs / 1000,
    remark: `${result.verdict}: ${result.message}`,
  };
  if (submission.asExpected || submission.decidedBy !== result.test) return item;
  return { ...item, problem: problemOf(submission, result) };
}

function problemOf(
  submission: SubmissionResult,
  result?: TestResult,
): NonNullable<Case["problem"]> {
  const { verdict, expected } = submission;
  const wanted = expected?.map((one) => VERDICTS[one].name).join(" or ");
  const message = wanted === undefined
    ? submission.message
    : `expected ${wanted}, got ${VERDICTS[verdict].name}`;
  const detail = [submission.message];
  if (result) {
    detail.push(result.message);
    if (result.difference) detail.push(result.difference.reason);
    if (result.judgeMessage) detail.push(result.judgeMessage);
    if (result.stderr) detail.push(result.stderr);
  } else if (!submission.compile.ok) {
    detail.push(submission.compile.message, submission.compile.output);
  }
  const element = VERDICTS[verdict].junit;
  return { element, message, detail: [...new Set(detail)].join("\n") };
}

/** All tests in order, those that were left out too; and the verdict itself if no test decided it. */
function casesOf(submission: SubmissionResult, tests: readonly string[]): Case[] {
  const run = new Map(submission.tests.map((result) => [result.test, result]));
  const cases = tests.map((test): Case => {
    const result = run.get(test);
    if (result) return caseOf(submission, result);
    const message = "was not run";
    return { name: test, seconds: 0, problem: { element: "skipped", message, detail: "" } };
  });
  if (submission.asExpected || cases.some(({ problem }) => isBad(problem?.element))) return cases;
  return [...cases, { name: "verdict", seconds: 0, problem: problemOf(submission) }];
}

function isBad(element: string | undefined): boolean {
  return element === "failure" || element === "error";
}

function caseElement({ name, seconds, problem, remark }: Case, submission: string): string {
  const head = `    <testcase${
    attributes({ name, classname: submission, time: seconds.toFixed(3) })
  }`;
  if (problem === undefined) {
    return `${head}>\n      <system-out>${text(remark ?? "")}</system-out>\n    </testcase>`;
  }
  const { element, message, detail } = problem;
  const inner = element === "skipped"
    ? `<skipped${attributes({ message })}/>`
    : `<${element}${attributes({ message, type: element })}>${text(detail)}</${element}>`;
  return `${head}>\n      ${inner}\n    </testcase>`;
}

/** The attributes that a list of tests is summed up with. */
function sums(cases: readonly Case[]): Record<string, string | number> {
  const number = (element: string) =>
    cases.filter(({ problem }) => problem?.element === element).length;
  return {
    tests: cases.length,
    failures: number("failure"),
    errors: number("error"),
    skipped: number("skipped"),
    time: cases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
  };
}

/**
 * Writes a report as JUnit XML: a test suite for each submission with a test case for each test. Where
 * a submission is not as expected, the test that decided its verdict has failed (`error` for an error
 * of the judge), or a test case named `verdict` if no test did. Times are CPU times.
 */
export function junitReport(report: JudgeReport): string {
  const suites = report.submissions.map((submission) => ({
    name: submission.submission,
    cases: casesOf(submission, report.tests),
  }));
  const timestamp = report.startedAt.replace(/\.\d+Z$|Z$/, "");
  const body = suites.map(({ name, cases }) =>
    [
      `  <testsuite${attributes({ name, ...sums(cases), timestamp })}>`,
      ...cases.map((item) => caseElement(item, name)),
      "  </testsuite>",
    ].join("\n")
  );
  const all = suites.flatMap(({ cases }) => cases);
  const name = `${report.problem}: ${report.title}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...sums(all) })}>`,
    ...body,
    "</testsuites>",
    "",
  ].join("\n");
}
