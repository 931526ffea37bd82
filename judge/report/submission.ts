/** Writes the part of the page that is about one submission. */

import { countText, cut, scoreText, sizeText, timeText } from "../../text/quantities.ts";
import type { GroupResult, JudgeReport, SubmissionResult, TestResult, Verdict } from "../types.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";
import { evidence, textFrame } from "./evidence.ts";
import { type Column, type Content, facts, folded, type Markup, markup, table } from "./markup.ts";
import { plot } from "./plot.ts";

/** The most tests of a submission that are shown with all details. */
const EVIDENCE_MAX = 8;
/** So many submissions are unfolded, whatever their verdict. */
const UNFOLDED_MAX = 3;

/** The column of scores. */
export const SCORE: Column<{ score?: number | undefined }> = {
  name: "Score",
  isAmount: true,
  show: ({ score }) => scoreText(score),
};

/** Writes a verdict as a coloured label; a failure that was expected is pale. */
export function badge(
  verdict: Verdict,
  { isExpected = false }: { isExpected?: boolean } = {},
): Markup {
  const { name } = VERDICTS[verdict];
  const classes = `badge ${verdict.toLowerCase()}${isExpected ? " expected" : ""}`;
  return markup`<abbr class="${classes}" title="${name}">${verdict}</abbr>`;
}

/** Writes the verdicts that were expected. */
export function expectedBadges(expected: readonly Verdict[] | undefined): Content {
  if (expected === undefined) return "–";
  return markup`<span class="badges">${expected.map((verdict) => badge(verdict))}</span>`;
}

/** Shows a submission: verdict, plots, the tests that were not accepted, all tests, groups, compiler. */
export function submissionSection(
  submission: SubmissionResult,
  { report, id }: { report: JudgeReport; id: string },
): Markup {
  const { tests, compile: { ok, output }, verdict, asExpected } = submission;
  const remark = asExpected ? undefined : markup` <span class="wrong">not as expected</span>`;
  const heading = markup`${badge(verdict)} ${cut(submission.submission, 200)}${remark}`;
  const parts = [
    summary(submission, report),
    tests.length > 0 ? plots(tests, report) : undefined,
    evidences(submission),
    groupTable(submission.groups, report),
    tests.length > 0 ? testTable(submission, report) : undefined,
    output.trim() === "" ? undefined : details("Compiler output", textFrame(output), !ok),
  ];
  const content = markup`<div id="${id}" class="inside">
<p>${cut(submission.message, 2000)}</p>
${parts}</div>
`;
  const isOpen = !asExpected || report.submissions.length <= UNFOLDED_MAX;
  return folded(heading, content, { className: "submission", level: 2, isOpen });
}

function summary({ compile, expected, tests }: SubmissionResult, report: JudgeReport): Markup {
  const how = compile.cached ? "cached" : `compiled in ${timeText(compile.cpuTimeMs)}`;
  const language = [compile.language ?? "unknown", compile.version].filter(Boolean).join(", ");
  const counts = VERDICTS_BEST_FIRST.map((verdict) => {
    const number = tests.filter((test) => test.verdict === verdict).length;
    return number > 0 ? markup`<span class="count">${badge(verdict)} ${number}</span>` : undefined;
  });
  const left = report.tests.length - tests.length;
  return facts([
    ["Expected", expectedBadges(expected)],
    ["Language", cut(language, 200)],
    ["Compiler", compile.ok ? how : cut(compile.message, 500)],
    ["Tests", [counts, left > 0 ? `${countText(left, "test")} not run` : undefined]],
  ]);
}

function plots(tests: readonly TestResult[], report: JudgeReport): Markup {
  const run = new Map(tests.map((result) => [result.test, result]));
  // All tests, so that each has the same place for every submission.
  const all = new Set([...report.tests, ...run.keys()]);
  const bars = (valueOf: (result: TestResult) => number) =>
    [...all].map((test) => {
      const result = run.get(test);
      return { test, verdict: result?.verdict, value: result ? valueOf(result) : 0 };
    });
  const time = { title: "CPU time", limit: report.timeLimitMs, format: timeText };
  const space = { title: "Memory", limit: report.memoryKib, format: sizeText };
  return markup`<div class="plots">
${plot(bars(({ cpuTimeMs }) => cpuTimeMs), time)}${plot(bars(({ memoryKib }) => memoryKib), space)}
</div>
`;
}

/** Shows the tests that say most: the one that decided the verdict, others that were not accepted. */
function evidences({ tests, decidedBy }: SubmissionResult): Content {
  const rank = ({ test, verdict }: TestResult) => test === decidedBy ? 0 : verdict === "AC" ? 2 : 1;
  return tests
    .filter((result) => rank(result) < 2 || result.transcript !== undefined)
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, EVIDENCE_MAX)
    .map((result) => evidence(result, { isOpen: result.test === decidedBy }));
}

function details(heading: string, content: Markup, isOpen: boolean): Markup {
  return folded(heading, content, { className: "all", level: 3, isOpen });
}

function groupTable(groups: readonly GroupResult[], { kind }: JudgeReport): Content {
  const isScoring = kind === "scoring";
  if (groups.length < 2 && !isScoring) return undefined;
  const columns: Column<GroupResult>[] = [
    { name: "Group", show: ({ group }) => group === "" ? "All" : cut(group, 200) },
    { name: "Verdict", show: ({ verdict }) => badge(verdict) },
    ...isScoring ? [SCORE] : [],
    { name: "Tests run", isAmount: true, show: ({ testsRun }) => testsRun },
    { name: "Skipped", isAmount: true, show: ({ testsSkipped }) => testsSkipped },
  ];
  return details("Groups", table(groups, { columns, caption: "Groups" }), isScoring);
}

function testTable({ tests }: SubmissionResult, { kind }: JudgeReport): Markup {
  const columns: Column<TestResult>[] = [
    { name: "Test", show: ({ test }) => cut(test, 200) },
    { name: "Verdict", show: ({ verdict }) => badge(verdict) },
    ...kind === "scoring" ? [SCORE] : [],
    { name: "CPU time", isAmount: true, show: ({ cpuTimeMs }) => timeText(cpuTimeMs) },
    { name: "Wall time", isAmount: true, show: ({ wallTimeMs }) => timeText(wallTimeMs) },
    { name: "Memory", isAmount: true, show: ({ memoryKib }) => sizeText(memoryKib) },
    {
      name: "Message",
      show: ({ message, isExtra }) => cut(isExtra ? `does not count: ${message}` : message, 160),
    },
  ];
  const title = `${countText(tests.length, "test")} run`;
  return details(title, table(tests, { columns, caption: "Tests" }), false);
}
