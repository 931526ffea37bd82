/** The table with which `isolate judge` ends on a terminal, and the summary below it. */

import { bold, green, red, yellow } from "@std/fmt/colors";
import type { JudgeReport } from "../judge/types.ts";
import {
  columns,
  cut,
  memoryText,
  pad,
  paintVerdict,
  plain,
  scoreText,
  secondsText,
} from "./judge_words.ts";

interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
  readonly right?: boolean;
}

/** The results as a table. */
export function resultTable(report: JudgeReport, width: number): string {
  const hasScores = report.kind === "scoring";
  const head = ["submission", "language", "verdict", "expected", "time", "memory"];
  if (hasScores) head.push("score");
  const rows: Cell[][] = report.submissions.map((result) => [
    { text: plain(result.submission) },
    { text: plain(result.compile.language ?? "?") },
    { text: result.verdict, paint: (text) => paintVerdict(result.verdict, text) },
    {
      text: result.expected?.join("/") ?? "",
      ...result.asExpected ? {} : { paint: red },
    },
    { text: result.tests.length > 0 ? secondsText(result.maxCpuTimeMs) : "", right: true },
    { text: result.tests.length > 0 ? memoryText(result.maxMemoryKib) : "", right: true },
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
    const short = cut(text, widths[i]!);
    const blanks = pad("", widths[i]! - columns(short));
    const painted = paint ? paint(short) : short;
    return right ? blanks + painted : painted + blanks;
  }).join("  ").trimEnd();
}

/**
 * What is to be said in the end: limits, what is odd, what is not as expected, and how much was.
 */
export function summaryText(report: JudgeReport): string {
  const { submissions, complaints, warnings, interrupted } = report;
  const good = submissions.filter(({ asExpected }) => asExpected).length;
  const count = `${good} of ${submissions.length} submissions as expected`;
  return [
    `limits: ${secondsText(report.timeLimitMs)} (${plain(report.timeLimitSource)}), ` +
    `${memoryText(report.memoryKib)} memory, ${memoryText(report.outputKib)} output`,
    ...warnings.map((text) => `${yellow("note:")} ${plain(text)}`),
    ...complaints.map((text) => `${red("wrong:")} ${plain(text)}`),
    ...interrupted ? [red("interrupted: what stands here is what was known by then")] : [],
    `${complaints.length === 0 && !interrupted ? green(count) : red(count)}, ${
      secondsText(report.durationMs)
    }`,
    "",
  ].join("\n");
}
