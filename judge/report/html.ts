/** The report as one page of HTML that needs nothing else. */

import type { JudgeReport, SubmissionResult } from "../types.ts";
import { amount, cell, type Column, type Content, Markup, markup, table } from "./markup.ts";
import { countText, cut, scoreText, sizeText, timeText } from "../../text/quantities.ts";
import ownStyle from "./report.css" with { type: "text" };
import script from "./report.js" with { type: "text" };
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";
import { badge, expectedBadges, submissionSection } from "./submission.ts";

/** The most sentences of a list that are shown. */
const SENTENCES_MAX = 200;

const style = ownStyle + VERDICTS_BEST_FIRST.map((verdict) => {
  const colour = `light-dark(${VERDICTS[verdict].page.join(", ")})`;
  return `.${verdict.toLowerCase()} { color: ${colour}; fill: ${colour}; }\n`;
}).join("");

/** Of the style and the script, so that no other ones are obeyed; a test holds them up to date. */
const STYLE_HASH = "sha256-1zVpXW73jdbb1t31E2OXJhu+nWKQUd7fWOey2IiH36A=";
const SCRIPT_HASH = "sha256-no+6aF1LV01IKz/UgeAFs0Hb0kQ7SR/eKS+1Ekm79M4=";

/**
 * Writes a report as one self-contained page: no other file, no request, no script but a small one
 * that sorts the table and unfolds what a link leads to. Whatever the programs wrote is escaped, and
 * the page's own policy would obey nothing of it.
 */
export function htmlReport(report: JudgeReport): string {
  const policy = `default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; ` +
    "base-uri 'none'; form-action 'none'";
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${cut(report.title, 200)}: ${stateOf(report)}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${header(report)}${[
    sentences("Not as expected", { list: report.complaints, className: "complaints" }),
    summaryTable(report),
    report.submissions.map((result, i) => submissionSection(result, { report, id: `s${i + 1}` })),
    sentences("Warnings", { list: report.warnings, className: "warnings" }),
  ]}</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.code;
}

function stateOf({ interrupted, complaints, submissions }: JudgeReport): string {
  if (interrupted) return "interrupted";
  const isGood = complaints.length === 0 && submissions.every(({ asExpected }) => asExpected);
  return isGood ? "as expected" : "not as expected";
}

function header(report: JudgeReport): Markup {
  const state = stateOf(report);
  const className = state === "as expected" ? "good" : "bad";
  const begun = report.startedAt.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");
  const what = `${countText(report.submissions.length, "submission")}, ` +
    `${countText(report.tests.length, "test")} in ${timeText(report.durationMs)}`;
  return markup`<header>
<h1>${cut(report.title, 300)} <span class="state ${className}">${state}</span></h1>
<dl class="facts">
${fact("Problem", `${cut(report.problem, 200)}, ${report.kind}`)}${[
    fact("Time limit", timeText(report.timeLimitMs), cut(report.timeLimitSource, 300)),
    fact("Memory limit", sizeText(report.memoryKib)),
    fact("Output limit", sizeText(report.outputKib)),
    fact("Judged", what, begun),
  ]}</dl>
</header>
`;
}

function fact(name: string, value: string, note?: string): Markup {
  const more = note === undefined ? "" : markup` <span class="note">${note}</span>`;
  return markup`<div><dt>${name}</dt><dd>${value}${more}</dd></div>
`;
}

function sentences(
  title: string,
  { list, className }: { list: readonly string[]; className: string },
): Content {
  if (list.length === 0) return undefined;
  const rest = list.length - SENTENCES_MAX;
  const shown = list.slice(0, SENTENCES_MAX).map((sentence) => cut(sentence, 1000));
  if (rest > 0) shown.push(`… and ${rest} more`);
  return markup`<section class="${className}"><h2>${title}</h2>
<ul>
${shown.map((sentence) => markup`<li>${sentence}</li>\n`)}</ul></section>
`;
}

function summaryTable(report: JudgeReport): Content {
  if (report.submissions.length === 0) return markup`<p>No submission was judged.</p>\n`;
  const columns: Column[] = [
    { name: "Submission" },
    { name: "Verdict" },
    { name: "Expected" },
    ...(report.kind === "scoring" ? [{ name: "Score", isAmount: true }] : []),
    { name: "Time", isAmount: true },
    { name: "Memory", isAmount: true },
    { name: "Decided by" },
    { name: "Language" },
  ];
  const rows = report.submissions.map((result, i) =>
    summaryRow(result, { report, id: `s${i + 1}` })
  );
  const options = { columns, className: "summary sortable", caption: "Submissions" };
  return markup`<section><h2 class="unseen">Submissions</h2>
${table(rows, options)}</section>
`;
}

function summaryRow(
  result: SubmissionResult,
  { report, id }: { report: JudgeReport; id: string },
): Markup {
  const { submission, verdict, expected, asExpected, maxCpuTimeMs, maxMemoryKib } = result;
  const wasRun = result.tests.length > 0;
  const cross = asExpected ? undefined : markup` <span class="wrong" role="img"
 aria-label="not as expected">✗</span>`;
  const time = used(timeText(maxCpuTimeMs), maxCpuTimeMs / report.timeLimitMs);
  const space = used(sizeText(maxMemoryKib), maxMemoryKib / report.memoryKib);
  const name = markup`<a href="#${id}">${cut(submission, 200)}</a>`;
  return markup`<tr${asExpected ? "" : markup` class="unexpected"`}><th scope="row">${name}</th>${[
    cell([badge(verdict), cross], { value: verdict }),
    cell(expectedBadges(expected), { value: expected?.join(" ") ?? "" }),
    report.kind === "scoring" ? amount(scoreText(result.score), result.score ?? -1) : undefined,
    amount(wasRun ? time : "–", maxCpuTimeMs),
    amount(wasRun ? space : "–", maxMemoryKib),
    cell(cut(result.decidedBy ?? "–", 200)),
    cell(cut(result.compile.language ?? "unknown", 60)),
  ]}</tr>
`;
}

/** An amount over a bar that shows how much of the limit it is. */
function used(text: string, part: number): Markup {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
  const className = part >= 1 ? "over" : "under";
  return markup`${text}<svg class="used" aria-hidden="true"><rect width="100%" height="100%"/>${markup`<rect class="${className}" width="${percent}%" height="100%"/>`}</svg>`;
}
