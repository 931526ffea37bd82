/** How results of judging are put into words and columns for people. */

import { bold, cyan, green, red, yellow } from "@std/fmt/colors";
import { VERDICT_NAMES } from "../judge/report/quantities.ts";
import type { SubmissionResult, Verdict } from "../judge/types.ts";

/** A verdict in its colour. */
export function paintVerdict(verdict: Verdict, text: string = verdict): string {
  switch (verdict) {
    case "AC":
      return green(text);
    case "JE":
      return bold(red(text));
    case "CE":
      return cyan(text);
    case "TLE":
    case "MLE":
    case "OLE":
      return yellow(text);
    case "WA":
    case "RTE":
      return red(text);
  }
}

/** A time for people. */
export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

/** An amount of memory for people. */
export function memoryText(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}

/** A score for people. */
export function scoreText(score: number | undefined): string {
  return score === undefined ? "" : String(Number(score.toFixed(2)));
}

/** What decided a submission's verdict, for people. */
export function reasonText(result: SubmissionResult): string {
  const name = VERDICT_NAMES[result.verdict];
  const where = result.decidedBy === undefined ? "" : ` on ${result.decidedBy}`;
  return result.verdict === "AC" ? name : `${name}${where}: ${result.message}`;
}

/** What takes no column of its own, and what takes two; see Unicode's annex 11. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200f\ufe00-\ufe0f]/u;
const DOUBLE_WIDTH =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** How many columns of a terminal a text takes. */
export function columns(text: string): number {
  let count = 0;
  for (const character of text) {
    count += ZERO_WIDTH.test(character) ? 0 : DOUBLE_WIDTH.test(character) ? 2 : 1;
  }
  return count;
}

/** Cuts a text to some columns. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += columns(character);
    if (used > width) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Fills a text up with blanks. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columns(text)));
}

/** Makes a text harmless for a terminal: no control characters, on one line. */
export function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
}
