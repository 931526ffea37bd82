/**
 * The default output validator of the problem package format: compares an output with the answer
 * word by word, and describes the first difference.
 *
 * - White space (space, tab, line feed, vertical tab, form feed, carriage return) separates words.
 *   Its kind and amount do not matter, unless `space_change_sensitive`.
 * - Words are compared byte by byte. Upper and lower case of A to Z are the same, unless
 *   `case_sensitive`.
 * - With `float_absolute_tolerance E` a number may be off by at most E, with
 *   `float_relative_tolerance E` by at most E times the number in the answer, with `float_tolerance E`
 *   by either. Numbers are decimal. Infinity, NaN, hexadecimal numbers, numbers too large for a double
 *   and words of more than 1,024 bytes are text in an answer, and wrong in an output in place of a
 *   number.
 *
 * The output is hostile: it is read in blocks and never kept, and words and lines may have any length.
 */

import { BlockReader, type BlockSource } from "./block_reader.ts";
import { parseFlags } from "./checker_flags.ts";
import { compare } from "./comparison.ts";
import { describeDifference } from "./difference.ts";
import type { Difference } from "../types.ts";

/** Whether an output is accepted, or how it differs. */
export type CheckResult =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly difference: Difference };

/** What is compared, and how. */
export interface CheckOptions {
  readonly output: BlockSource;
  readonly answer: BlockSource;
  /** Flags of the default output validator, such as `case_sensitive`. */
  readonly flags: readonly string[];
}

const TURN_MS = 4;

/** Compares an output with the answer; the keepers of other boxes get their turn again and again. */
export async function checkOutput(options: CheckOptions): Promise<CheckResult> {
  const turns = check(options);
  let turnEndsMs = performance.now() + TURN_MS;
  for (;;) {
    const { done, value } = turns.next();
    if (done) return value;
    if (performance.now() < turnEndsMs) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    turnEndsMs = performance.now() + TURN_MS;
  }
}

function* check({ output, answer, flags }: CheckOptions): Generator<void, CheckResult> {
  const rules = parseFlags(flags);
  const readers = { expected: new BlockReader(answer), actual: new BlockReader(output) };
  const mismatch = yield* compare(readers, rules);
  if (mismatch === undefined) return { accepted: true };
  const difference = yield* describeDifference(mismatch, { readers, rules });
  return { accepted: false, difference };
}
