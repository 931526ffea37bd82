/** Quantities and names for people. */

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

/** A time for people. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${ms < 9.95 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 59_995) return `${Number((ms / 1000).toPrecision(3))} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}

/** An amount of memory for people. */
export function memory(kib: number): string {
  if (kib < 1000) return `${Math.round(kib)} KiB`;
  if (kib < 1000 * 1024) return `${Number((kib / 1024).toPrecision(3))} MiB`;
  return `${Number((kib / 1024 ** 2).toPrecision(3))} GiB`;
}

/** A score for people. */
export function scoreText(score: number | undefined): string {
  return score === undefined ? "–" : String(Number(score.toFixed(6)));
}

/** A number with its noun. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Cuts text that is too long. */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "")}…`;
}
