/** Writes the report as one page of HTML that needs nothing else. */

import { countText, cut, sizeText, timeText } from "../../text/quantities.ts";
import type { ContestReport } from "../contest/types.ts";
import type { JudgeReport, SubmissionResult } from "../types.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";
import { type Column, type Content, facts, Markup, markup, table } from "./markup.ts";
import { contestHeader, contestState, problemId, stateOf } from "./contest.ts";
import { matrix } from "./matrix.ts";
import ownStyle from "./report.css" with { type: "text" };
import script from "./report.js" with { type: "text" };
import { badge, expectedBadges, SCORE, submissionSection } from "./submission.ts";

/** The most sentences of a list that are shown. */
const SENTENCES_MAX = 200;

const style = ownStyle + VERDICTS_BEST_FIRST.map((verdict) => {
  const colour = `light-dark(${VERDICTS[verdict].page.join(", ")})`;
  return `.${verdict.toLowerCase()} { color: ${colour}; fill: ${colour}; }\n`;
}).join("");

/** The hashes of the style and the script: a browser obeys no others. A test holds them up to date. */
const STYLE_HASH = "sha256-NwRYvy6iYCmhzNWw7y4lMNVvC3ZH3eRVQaf7wkRk5Hg=";
const SCRIPT_HASH = "sha256-1Tg/HhojLcIqnD7tOyjhMRu1ozmil0QUTL7jmWWZBPw=";

const CROSS = markup` <span class="wrong" role="img" aria-label="not as expected">✗</span>`;

/**
 * Writes a report as one self-contained page: no other file, no request, no script but a small one
 * that sorts the table and unfolds the target of a link. Whatever programs wrote is escaped, and the
 * page's own policy would obey nothing of it.
 */
export function htmlReport(report: JudgeReport): string {
  return page(`${cut(report.title, 200)}: ${stateOf(report)}`, packagePart(report, ""));
}

/** Writes the report of a contest as one page in the same way: a table of the problems, then each of them. */
export function contestPage(report: ContestReport): string {
  const { contest, problems } = report;
  const parts = problems.flatMap((problem, i) =>
    problem.report
      ? markup`<div id="${problemId(i)}" class="problem">
${packagePart(problem.report, `${problemId(i)}-`)}</div>
`
      : []
  );
  return page(`${cut(contest, 200)}: ${contestState(report)}`, [contestHeader(report), parts]);
}

function page(title: string, content: Content): string {
  const policy = `default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; ` +
    "base-uri 'none'; form-action 'none'";
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${content}</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.code;
}

/** Writes all that is about one package; the ids in it begin with `prefix`. */
function packagePart(report: JudgeReport, prefix: string): Content {
  const idOf = (index: number) => `${prefix}s${index + 1}`;
  return [
    header(report),
    sentences("Not as expected", report.complaints, "complaints"),
    summaryTable(report, idOf),
    matrix(report, idOf),
    report.submissions.map((result, i) => submissionSection(result, { report, id: idOf(i) })),
    sentences("Warnings", report.warnings, "warnings"),
  ];
}

function header(report: JudgeReport): Markup {
  const state = stateOf(report);
  const className = state === "as expected" ? "good" : "bad";
  const startedAt = report.startedAt.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");
  const judged = `${countText(report.submissions.length, "submission")}, ` +
    `${countText(report.tests.length, "test")} in ${timeText(report.durationMs)}`;
  const note = (text: string) => markup` <span class="note">${text}</span>`;
  return markup`<header>
<h1>${cut(report.title, 300)} <span class="state ${className}">${state}</span></h1>
${
    facts([
      ["Problem", `${cut(report.problem, 200)}, ${report.kind}`],
      ["Time limit", [timeText(report.timeLimitMs), note(cut(report.timeLimitSource, 300))]],
      ["Memory limit", sizeText(report.memoryKib)],
      ["Output limit", sizeText(report.outputKib)],
      ["Judged", [judged, note(startedAt)]],
    ])
  }</header>
`;
}

function sentences(title: string, list: readonly string[], className: string): Content {
  if (list.length === 0) return undefined;
  const rest = list.length - SENTENCES_MAX;
  const shown = list.slice(0, SENTENCES_MAX).map((sentence) => cut(sentence, 1000));
  if (rest > 0) shown.push(`… and ${rest} more`);
  return markup`<section class="${className}"><h2>${title}</h2>
<ul>
${shown.map((sentence) => markup`<li>${sentence}</li>\n`)}</ul></section>
`;
}

function summaryTable(report: JudgeReport, idOf: (index: number) => string): Content {
  if (report.submissions.length === 0) return markup`<p>No submissions were judged.</p>\n`;
  const columns: Column<SubmissionResult>[] = [
    {
      name: "Submission",
      show: (result) => {
        const id = idOf(report.submissions.indexOf(result));
        return markup`<a href="#${id}">${cut(result.submission, 200)}</a>`;
      },
    },
    {
      name: "Verdict",
      show: ({ verdict, asExpected, expected }) => [
        badge(verdict, { isExpected: asExpected && expected !== undefined }),
        asExpected ? undefined : CROSS,
      ],
    },
    { name: "Expected", show: ({ expected }) => expectedBadges(expected) },
    ...report.kind === "scoring" ? [SCORE] : [],
    {
      name: "Time",
      isAmount: true,
      show: ({ tests, maxCpuTimeMs: ms }) =>
        tests.length > 0 ? used(timeText(ms), ms / report.timeLimitMs) : "–",
      value: ({ maxCpuTimeMs }) => maxCpuTimeMs,
    },
    {
      name: "Memory",
      isAmount: true,
      show: ({ tests, maxMemoryKib: kib }) =>
        tests.length > 0 ? used(sizeText(kib), kib / report.memoryKib) : "–",
      value: ({ maxMemoryKib }) => maxMemoryKib,
    },
    { name: "Decided by", show: ({ decidedBy }) => cut(decidedBy ?? "–", 200) },
    { name: "Language", show: ({ compile }) => cut(compile.language ?? "unknown", 60) },
  ];
  return markup`<section><h2 class="unseen">Submissions</h2>
${
    table(report.submissions, {
      columns,
      caption: "Submissions",
      className: "summary sortable",
      rowClass: ({ asExpected }) => asExpected ? undefined : "unexpected",
    })
  }</section>
`;
}

/** Shows an amount over a bar that is filled by its part of the limit. */
function used(text: string, part: number): Markup {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
  const className = part >= 1 ? "over" : "under";
  const bar = markup`<rect class="${className}" width="${percent}%" height="100%"/>`;
  return markup`${text}<svg class="used" aria-hidden="true"><rect width="100%" height="100%"/>${bar}</svg>`;
}
