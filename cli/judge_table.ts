/** The results of `isolate judge` on a terminal: the table at the end, and the summary below it. */

import * as colors from "../vendor/std/colors.ts";
import type { JudgeReport, SubmissionResult, Verdict } from "../judge/types.ts";
import { VERDICTS } from "../judge/verdicts.ts";
import { columns, cutToColumns, padToColumns } from "../text/columns.ts";
import { countText, scoreText, sizeText, timeText } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";

const { bold, green, red, yellow } = colors;

/** Paints a text in the colour of a verdict; a failure that was expected is nothing to look at. */
export function paintVerdict(
  verdict: Verdict,
  text: string,
  { isExpected = false }: { isExpected?: boolean } = {},
): string {
  const painted = colors[VERDICTS[verdict].terminal](text);
  if (verdict === "AC") return painted;
  return isExpected ? colors.dim(painted) : bold(painted);
}

/** Tells whether a submission got what was promised of it. */
export function isPromised({ expected, asExpected }: SubmissionResult): boolean {
  return expected !== undefined && asExpected;
}

/** Says what decided a submission's verdict. */
export function reasonText({ verdict, decidedBy, message }: SubmissionResult): string {
  const { name } = VERDICTS[verdict];
  const where = decidedBy === undefined ? "" : ` on ${decidedBy}`;
  return visibleText(verdict === "AC" ? name : `${name}${where}: ${message}`);
}

/** Tells whether a submission got what its folder promises; one without a promise should be accepted. */
export function isFine({ expected, asExpected, verdict }: SubmissionResult): boolean {
  return expected ? asExpected : verdict === "AC";
}

interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
  readonly right?: boolean;
}

/** Lays the results out as a table. */
export function resultTable(report: JudgeReport, width: number): string {
  const hasScores = report.kind === "scoring";
  const head = ["submission", "language", "verdict", "expected", "time", "memory"];
  if (hasScores) head.push("score");
  const rows: Cell[][] = report.submissions.map((result) => [
    { text: visibleText(result.submission) },
    { text: visibleText(result.compile.language ?? "?") },
    {
      text: result.verdict,
      paint: (text) => paintVerdict(result.verdict, text, { isExpected: isPromised(result) }),
    },
    {
      text: result.expected?.join("/") ?? "",
      ...result.asExpected ? {} : { paint: red },
    },
    { text: result.tests.length > 0 ? timeText(result.maxCpuTimeMs) : "", right: true },
    { text: result.tests.length > 0 ? sizeText(result.maxMemoryKib) : "", right: true },
    ...hasScores ? [{ text: scoreText(result.score), right: true }] : [],
  ]);
  const heads: Cell[] = head.map((text, i) => ({
    text,
    paint: bold,
    ...i >= 4 ? { right: true } : {},
  }));
  const widths = head.map((text, i) =>
    Math.max(columns(text), ...rows.map((row) => columns(row[i]!.text)))
  );
  const others = widths.slice(1).reduce((sum, one) => sum + one + 2, 0);
  widths[0] = Math.min(widths[0]!, Math.max(columns(head[0]!), width - others - 1));
  return [heads, ...rows].map((row) => `${tableLine(row, widths)}\n`).join("");
}

function tableLine(row: readonly Cell[], widths: readonly number[]): string {
  return row.map(({ text, paint, right }, i) => {
    const short = cutToColumns(text, widths[i]!);
    const blanks = padToColumns("", widths[i]! - columns(short));
    const painted = paint ? paint(short) : short;
    return right ? blanks + painted : painted + blanks;
  }).join("  ").trimEnd();
}

/** Sums a report up: limits, warnings, what is not as expected, and how much is. */
export function summaryText(
  report: JudgeReport,
  { onlyTests = false }: { onlyTests?: boolean } = {},
): string {
  const { submissions, complaints, warnings, interrupted } = report;
  const isGood = complaints.length === 0 && !interrupted && submissions.every(isFine);
  const word = submissions.some(({ expected }) => expected) ? "as expected" : "accepted";
  const tests = `${countText(report.tests.length, "test")} checked`;
  const count = onlyTests
    ? tests
    : `${submissions.filter(isFine).length} of ${
      countText(submissions.length, "submission")
    } ${word}`;
  return [
    ...onlyTests ? [] : [
      `limits: ${timeText(report.timeLimitMs)} (${visibleText(report.timeLimitSource)}), ` +
      `${sizeText(report.memoryKib)} memory, ${sizeText(report.outputKib)} output`,
    ],
    ...warnings.map((text) => `${yellow("note:")} ${visibleText(text)}`),
    ...complaints.map((text) => `${red("wrong:")} ${visibleText(text)}`),
    ...interrupted ? [red("interrupted: results are partial")] : [],
    `${isGood ? green(count) : red(count)}, ${timeText(report.durationMs)}`,
    "",
  ].join("\n");
}
