/** The score that a validator gives: what it writes to `score.txt` or `score_multiplier.txt`. */

import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import type { GroupGrading } from "../types.ts";

/** As in packages. */
const SCORE_MAX = 1e12;
const SCORE_LENGTH_MAX = 100;
const SHOWN_LENGTH = 200;
/** By how much sums of decimal fractions are off. */
const ROUNDING = 1e-9;

/** What a validator has written; undefined: there is no such file, or it is empty. */
export interface ScoreFiles {
  readonly score: string | undefined;
  readonly multiplier: string | undefined;
}

/** Of which test a score is. */
export interface ScoredTest {
  /** What the group says of scores. */
  readonly testScores: GroupGrading["testScores"];
  readonly isAccepted: boolean;
}

/** The score, or why there must not be such a one: the rest of a sentence about the validator. */
export type ValidatorScore = { readonly score?: number } | { readonly error: string };

/** Reads the score of a test. */
export function readScore(files: ScoreFiles, test: ScoredTest): ValidatorScore {
  const { testScores: most } = test;
  if (most === "ignored") return {};
  if (most === undefined) return files.score === undefined ? {} : plainScore(files.score);
  const { score, multiplier } = files;
  if (score !== undefined && multiplier !== undefined) {
    return { error: "wrote both score.txt and score_multiplier.txt" };
  }
  const file = score === undefined ? "score_multiplier.txt" : "score.txt";
  const text = score ?? multiplier;
  if (text === undefined) {
    return most === Infinity && test.isAccepted
      ? { error: "wrote no score.txt, but the score of this test is without bound" }
      : {};
  }
  if (!test.isAccepted) return { error: `wrote ${file} and rejects: only what it accepts has one` };
  if (most === "none") {
    return { error: `wrote ${file}, but the tests of a group with pass-fail have no scores` };
  }
  const value = parseScore(text);
  if (value === undefined || value < 0) {
    return { error: `wrote no number from 0 to ${file}: ${shown(text)}` };
  }
  if (score !== undefined) {
    return value <= most + ROUNDING
      ? { score: value }
      : { error: `wrote ${value} to score.txt, more than the highest score ${most} of the test` };
  }
  if (most === Infinity) {
    return { error: "wrote score_multiplier.txt, but the score of this test is without bound" };
  }
  return value <= 1
    ? { score: value * most }
    : { error: `wrote ${value} to score_multiplier.txt, which must be from 0 to 1` };
}

function plainScore(text: string): ValidatorScore {
  const score = parseScore(text);
  return score === undefined
    ? { error: `wrote no number to score.txt: ${shown(text)}` }
    : { score };
}

function shown(text: string): string {
  const line = text.split("\n").map((line) => line.trim()).find((line) => line !== "") ?? "";
  return `"${cut(visibleText(line), SHOWN_LENGTH)}"`;
}

/** Reads a number as people and programs write it: no hexadecimal, none whose sums are infinite. */
function parseScore(text: string): number | undefined {
  const word = text.trim();
  if (word.length > SCORE_LENGTH_MAX || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) {
    return undefined;
  }
  const score = Number(word);
  return Math.abs(score) <= SCORE_MAX ? score : undefined;
}
