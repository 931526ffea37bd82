/** Writes the head of the page of a contest: how its problems stand. */

import { countText, cut, timeText } from "../../text/quantities.ts";
import type { ContestReport, ContestResult } from "../contest/types.ts";
import type { JudgeReport } from "../types.ts";
import { type Column, facts, type Markup, markup, table } from "./markup.ts";

/** How a package or a contest stands. */
type PackageState = "interrupted" | "as expected" | "not as expected";

/** Says how a package stands. */
export function stateOf({ interrupted, complaints, submissions }: JudgeReport): PackageState {
  if (interrupted) return "interrupted";
  const isGood = complaints.length === 0 && submissions.every(({ asExpected }) => asExpected);
  return isGood ? "as expected" : "not as expected";
}

/** Says how a contest stands. */
export function contestState({ interrupted, problems }: ContestReport): PackageState {
  if (interrupted) return "interrupted";
  const isGood = problems.every(({ report }) => report && stateOf(report) === "as expected");
  return isGood ? "as expected" : "not as expected";
}

/** Names the part of the page that is about a problem. */
export function problemId(index: number): string {
  return `p${index + 1}`;
}

/** Writes the heading and the table of the problems. */
export function contestHeader(report: ContestReport): Markup {
  const { contest, problems, unchanged, startedAt, durationMs } = report;
  const time = startedAt.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");
  return markup`<header>
<h1>${cut(contest, 300)} ${stateLabel(contestState(report))}</h1>
${
    facts([
      ["Judged", [
        `${countText(problems.length, "problem")} in ${timeText(durationMs)}`,
        markup` <span class="note">${time}</span>`,
      ]],
      ...unchanged.length > 0 ? [["Unchanged", cut(unchanged.join(", "), 1000)] as const] : [],
    ])
  }</header>
${
    table(problems, {
      columns: columnsFor(problems),
      caption: "Problems",
      className: "summary sortable",
      rowClass: ({ report }) =>
        report && stateOf(report) === "as expected" ? undefined : "unexpected",
    })
  }`;
}

function stateLabel(state: PackageState): Markup {
  const className = state === "as expected" ? "good" : "bad";
  return markup`<span class="state ${className}">${state}</span>`;
}

function columnsFor(problems: readonly ContestResult[]): Column<ContestResult>[] {
  return [
    {
      name: "Problem",
      show: (problem) => {
        const { name, label, report } = problem;
        const title = cut(label === undefined ? name : `${label}  ${name}`, 200);
        const id = problemId(problems.indexOf(problem));
        return report ? markup`<a href="#${id}">${title}</a>` : title;
      },
    },
    { name: "Title", show: ({ report }) => cut(report?.title ?? "–", 200) },
    {
      name: "Submissions as expected",
      isAmount: true,
      show: ({ report }) => {
        if (!report) return "–";
        const fine = report.submissions.filter(({ asExpected }) => asExpected).length;
        return `${fine} of ${report.submissions.length}`;
      },
    },
    { name: "Tests", isAmount: true, show: ({ report }) => report?.tests.length ?? "–" },
    {
      name: "Time limit",
      isAmount: true,
      show: ({ report }) => report ? timeText(report.timeLimitMs) : "–",
      value: ({ report }) => report?.timeLimitMs ?? 0,
    },
    {
      name: "Remarks",
      show: ({ report, failure }) => cut(failure ?? report?.complaints[0] ?? "", 400),
    },
    {
      name: "State",
      show: ({ report }) => report ? stateOf(report) : "could not be judged",
    },
  ];
}
