/**
 * Quantities and names for people.
 *
 * @module
 */

import type { Verdict } from "../types.ts";

/** The verdicts in words. */
export const VERDICT_NAMES: Readonly<Record<Verdict, string>> = {
  AC: "accepted",
  WA: "wrong answer",
  TLE: "time limit exceeded",
  MLE: "memory limit exceeded",
  OLE: "output limit exceeded",
  RTE: "run-time error",
  CE: "compile error",
  JE: "judge error",
};

/**
 * A time for people.
 *
 * @param ms milliseconds
 * @returns such as `7 ms`, `1.23 s`, `12 min 5 s`
 */
export function duration(ms: number): string {
  if (ms < 999.5) return `${ms < 9.95 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 59_995) return `${Number((ms / 1000).toPrecision(3))} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}

/**
 * An amount of memory for people.
 *
 * @param kib KiB
 * @returns such as `640 KiB`, `1.5 MiB`, `2 GiB`
 */
export function memory(kib: number): string {
  if (kib < 1000) return `${Math.round(kib)} KiB`;
  if (kib < 1000 * 1024) return `${Number((kib / 1024).toPrecision(3))} MiB`;
  return `${Number((kib / 1024 ** 2).toPrecision(3))} GiB`;
}

/**
 * A score for people.
 *
 * @param score the score; undefined: none
 * @returns such as `12.5`; a dash for none
 */
export function scoreText(score: number | undefined): string {
  return score === undefined ? "–" : String(Number(score.toFixed(6)));
}

/**
 * A number with its noun.
 *
 * @param number how many
 * @param noun what, in the singular; its plural has an s
 * @returns such as `1 test`, `1,000 tests`
 */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Cuts text that is too long.
 *
 * @param text the text
 * @param lengthMax the most characters that stay
 * @returns the text, with `…` for what was cut away
 */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "")}…`;
}
