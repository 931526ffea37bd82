/** The data of a search for a test on which submissions differ. */

import type { JudgeOptions } from "../run/judge_options.ts";
import type { ProgramSource, Submission, TestResult } from "../types.ts";

/** A program that writes inputs. */
export interface Generator {
  /** The source. */
  readonly source: ProgramSource;
  /** Its arguments; `{seed}` in them stands for the number of the try. */
  readonly args: readonly string[];
}

/** What to search for, and how. */
export interface StressOptions extends
  Pick<
    JudgeOptions,
    | "sandbox"
    | "host"
    | "problem"
    | "languages"
    | "pypy"
    | "jobs"
    | "boxIds"
    | "boxes"
    | "timeLimitMs"
    | "cacheDirectory"
    | "signal"
  > {
  /** Writes the inputs. */
  readonly generator: Generator;
  /** The submission whose outputs are right. */
  readonly against: Submission;
  /** The submissions that are tried. */
  readonly submissions: readonly Submission[];
  /** The seeds that are tried: so many numbers from the first one on. */
  readonly seeds: { readonly first: number; readonly count: number };
  /** How many smaller inputs are tried where one was found. Default: 2000. */
  readonly shrinkTriesMax?: number | undefined;
  /** Follows the progress. */
  readonly onEvent?: ((event: StressEvent) => void) | undefined;
}

/** An event while searching. */
export type StressEvent =
  /** So many inputs were tried. */
  | { readonly kind: "tried"; readonly done: number; readonly total: number }
  /** A test was found, and is made smaller. */
  | { readonly kind: "shrink"; readonly seed: number; readonly sizeBytes: number };

/** A test on which submissions differ. */
export interface StressFinding {
  /** The seed that led to it. */
  readonly seed: number;
  /** The submission that is not accepted; it may be the one that should be right. */
  readonly submission: string;
  /** Its result. */
  readonly result: Pick<TestResult, "verdict" | "message">;
  /** The input. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** The output of the submission that is right; undefined if it has none. */
  readonly answer: Uint8Array<ArrayBuffer> | undefined;
  /** The size of the input before it was made smaller, in bytes. */
  readonly generatedBytes: number;
}

/** What a search has found. */
export interface StressReport {
  /** The test; undefined: there was none. */
  readonly finding: StressFinding | undefined;
  /** How many inputs were tried. */
  readonly tries: number;
  /** What is odd, a sentence each. */
  readonly warnings: readonly string[];
  /** Whether it was interrupted. */
  readonly interrupted: boolean;
  /** The duration in milliseconds. */
  readonly durationMs: number;
}
