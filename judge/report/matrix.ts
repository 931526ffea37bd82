/** Writes the table of all submissions and all tests. */

import { cut, timeText } from "../../text/quantities.ts";
import type { JudgeReport, SubmissionResult, TestResult } from "../types.ts";
import { VERDICTS } from "../verdicts.ts";
import { type Content, type Markup, markup } from "./markup.ts";

const NAME_LENGTH = 200;

/** Writes a letter for each submission and test; undefined where there is nothing to compare. */
export function matrix(report: JudgeReport, idOf: (index: number) => string): Content {
  const { submissions, tests } = report;
  if (tests.length < 2 || submissions.every(({ tests }) => tests.length === 0)) return undefined;
  const groups = groupsOf(tests);
  const heads = groups.map(({ name, count }) =>
    markup`<th scope="colgroup" colspan="${count}">${cut(name === "" ? "tests" : name, 60)}</th>`
  );
  const parts = groups.map(({ count }) => markup`<colgroup span="${count}"></colgroup>`);
  const rows = submissions.map((result, i) => {
    const run = new Map(result.tests.map((test) => [test.test, test]));
    const cells = tests.map((test) => cell(test, run.get(test), result));
    const name = cut(result.submission, NAME_LENGTH);
    return markup`<tr><th scope="row"><a href="#${idOf(i)}">${name}</a></th>${cells}</tr>
`;
  });
  return markup`<section><h2>Tests</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Tests of all submissions">
<table class="matrix">
<caption class="unseen">Verdicts of all submissions on all tests</caption>
<colgroup></colgroup>${parts}
<thead><tr><td></td>${heads}</tr></thead>
<tbody>
${rows}</tbody>
</table></div></section>
`;
}

function cell(test: string, run: TestResult | undefined, { expected }: SubmissionResult): Markup {
  const name = cut(test, NAME_LENGTH);
  if (!run) return markup`<td title="${name}: not run">·</td>`;
  const { verdict, cpuTimeMs, isExtra } = run;
  const isExpected = verdict === "AC" || (expected?.includes(verdict) ?? false);
  const classes = [verdict.toLowerCase(), ...isExpected ? ["expected"] : []].join(" ");
  const remark = isExtra ? ", does not count" : "";
  const title = `${name}: ${VERDICTS[verdict].name}, ${timeText(cpuTimeMs)}${remark}`;
  return markup`<td class="${classes}" title="${title}">${verdict === "AC" ? "✓" : verdict}</td>`;
}

/** Finds the folders of neighbouring tests. */
function groupsOf(tests: readonly string[]): { name: string; count: number }[] {
  const groups: { name: string; count: number }[] = [];
  for (const test of tests) {
    const name = test.slice(0, Math.max(0, test.lastIndexOf("/")));
    const last = groups.at(-1);
    if (last?.name === name) last.count++;
    else groups.push({ name, count: 1 });
  }
  return groups;
}
