/** The part of the page that is about one submission. */

import type { GroupResult, JudgeReport, SubmissionResult, TestResult, Verdict } from "../types.ts";
import { evidence, textFrame } from "./evidence.ts";
import { amount, cell, type Column, type Content, type Markup, markup, table } from "./markup.ts";
import { plot } from "./plot.ts";
import { countText, cut, scoreText, sizeText, timeText } from "../../text/quantities.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";

/** The most tests of a submission that are shown with all that is known of them. */
const EVIDENCE_MAX = 8;
/** So many submissions are unfolded, whatever became of them. */
const UNFOLDED_MAX = 3;

/** A verdict as a coloured label. */
export function badge(verdict: Verdict): Markup {
  const name = VERDICTS[verdict].name;
  return markup`<abbr class="badge ${verdict.toLowerCase()}" title="${name}">${verdict}</abbr>`;
}

/** The verdicts that were promised. */
export function expectedBadges(expected: readonly Verdict[] | undefined): Content {
  if (expected === undefined) return "–";
  return markup`<span class="badges">${expected.map(badge)}</span>`;
}

/**
 * Shows a submission: verdict, plots, the tests that were not accepted, all tests, groups, compiler.
 */
export function submissionSection(
  submission: SubmissionResult,
  { report, id }: { report: JudgeReport; id: string },
): Markup {
  const { tests, compile, verdict, asExpected } = submission;
  const isOpen = !asExpected || report.submissions.length <= UNFOLDED_MAX;
  const remark = asExpected ? undefined : markup` <span class="wrong">not as expected</span>`;
  return markup`<details class="submission"${isOpen ? markup` open` : ""}>
<summary><h2>${badge(verdict)} ${cut(submission.submission, 200)}${remark}</h2></summary>
<div id="${id}" class="inside">
<p>${cut(submission.message, 2000)}</p>
${facts(submission, report)}${[
    tests.length > 0 ? plots(tests, report) : undefined,
    evidences(submission),
    groupTable(submission.groups, report),
    tests.length > 0 ? testTable(submission, report) : undefined,
    compilerOutput(compile),
  ]}</div>
</details>
`;
}

function facts({ compile, expected, tests }: SubmissionResult, report: JudgeReport): Markup {
  const how = compile.cached ? "from the cache" : `compiled in ${timeText(compile.cpuTimeMs)}`;
  const language = [compile.language ?? "unknown", compile.version].filter(Boolean).join(", ");
  const counts = VERDICTS_BEST_FIRST.map((verdict) => {
    const number = tests.filter((test) => test.verdict === verdict).length;
    return number > 0 ? markup`<span class="count">${badge(verdict)} ${number}</span>` : undefined;
  });
  const left = report.tests.length - tests.length;
  return markup`<dl class="facts">
<div><dt>Expected</dt><dd>${expectedBadges(expected)}</dd></div>
<div><dt>Language</dt><dd>${cut(language, 200)}</dd></div>
<div><dt>Compiler</dt><dd>${compile.ok ? how : cut(compile.message, 500)}</dd></div>
<div><dt>Tests</dt><dd>${counts}${left > 0 ? `${countText(left, "test")} not run` : ""}</dd></div>
</dl>
`;
}

function plots(tests: readonly TestResult[], report: JudgeReport): Markup {
  const run = new Map(tests.map((result) => [result.test, result]));
  // All tests, so that the same one stands at the same place for every submission.
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

/** The tests that say most: the one that decided the verdict, others that were not accepted. */
function evidences({ tests, decidedBy }: SubmissionResult): Content {
  const rank = ({ test, verdict }: TestResult) => test === decidedBy ? 0 : verdict === "AC" ? 2 : 1;
  return tests
    .filter((result) => rank(result) < 2 || result.transcript !== undefined)
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, EVIDENCE_MAX)
    .map((result) => evidence(result, { open: result.test === decidedBy }));
}

function folded(title: string, content: Markup, { open }: { open: boolean }): Markup {
  return markup`<details class="all"${open ? markup` open` : ""}>
<summary><h3>${title}</h3></summary>
${content}</details>
`;
}

function groupTable(groups: readonly GroupResult[], report: JudgeReport): Content {
  const isScoring = report.kind === "scoring";
  if (groups.length < 2 && !isScoring) return undefined;
  const columns: Column[] = [
    { name: "Group" },
    { name: "Verdict" },
    ...(isScoring ? [{ name: "Score", isAmount: true }] : []),
    { name: "Tests run", isAmount: true },
    { name: "Left out", isAmount: true },
  ];
  const rows = groups.map(({ group, verdict, score, testsRun, testsSkipped }) =>
    markup`<tr><th scope="row">${group === "" ? "All" : cut(group, 200)}</th>${[
      cell(badge(verdict)),
      isScoring ? amount(scoreText(score)) : undefined,
      amount(testsRun),
      amount(testsSkipped),
    ]}</tr>
`
  );
  return folded("Groups", table(rows, { columns, caption: "Groups" }), { open: isScoring });
}

function testTable({ tests }: SubmissionResult, report: JudgeReport): Markup {
  const isScoring = report.kind === "scoring";
  const columns: Column[] = [
    { name: "Test" },
    { name: "Verdict" },
    ...(isScoring ? [{ name: "Score", isAmount: true }] : []),
    { name: "CPU time", isAmount: true },
    { name: "Wall time", isAmount: true },
    { name: "Memory", isAmount: true },
    { name: "Message" },
  ];
  const rows = tests.map((result) =>
    markup`<tr><th scope="row">${cut(result.test, 200)}</th>${[
      cell(badge(result.verdict)),
      isScoring ? amount(scoreText(result.score)) : undefined,
      amount(timeText(result.cpuTimeMs)),
      amount(timeText(result.wallTimeMs)),
      amount(sizeText(result.memoryKib)),
      cell(cut(result.message, 160)),
    ]}</tr>
`
  );
  const title = `All tests that were run (${tests.length.toLocaleString("en-US")})`;
  return folded(title, table(rows, { columns, caption: "Tests" }), { open: false });
}

function compilerOutput({ ok, output }: SubmissionResult["compile"]): Content {
  if (output.trim() === "") return undefined;
  return folded("What the compiler wrote", textFrame(output), { open: !ok });
}
