/**
 * The default output validator of the problem package format: compares an output with the answer,
 * word by word, and tells where they differ.
 *
 * - Words are separated by white space: space, tab, line feed, vertical tab, form feed, carriage
 *   return. How much of it there is, and where, does not matter, unless `space_change_sensitive`.
 * - Words are compared byte for byte, but upper and lower case of A to Z are the same, unless
 *   `case_sensitive`.
 * - With `float_tolerance E`, `float_absolute_tolerance E` or `float_relative_tolerance E`, where the
 *   word of the answer is a decimal number, that of the output must be one too, and be off by at most
 *   E, or by at most E times the right one; either is enough where both are given. Infinity, NaN,
 *   hexadecimal numbers, what is too large for a double and what is longer than 1,024 bytes are
 *   words like others: they are compared as text in an answer, and are no number in an output.
 *
 * The output is hostile: it is read in blocks, never kept, and no word or line is too long.
 */

import type { HostFile } from "../../mod.ts";
import { BlockReader } from "./block_reader.ts";
import { parseFlags } from "./checker_flags.ts";
import { compare } from "./comparison.ts";
import { describeDifference } from "./difference.ts";
import type { Difference } from "../types.ts";

/** What is said of an output. */
export type CheckResult =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly difference: Difference };

/** What is compared, and how. */
export interface CheckOptions {
  /** The output. */
  readonly output: HostFile;
  /** The answer. */
  readonly answer: HostFile;
  /** Flags of the default output validator, such as `case_sensitive`. */
  readonly flags: readonly string[];
}

/** For so long others may have to wait. */
const TURN_MS = 4;

/**
 * Compares an output with the answer, and lets others (the keepers of other boxes) have their turn
 * every few milliseconds.
 */
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
  const readers = {
    expected: new BlockReader(answer),
    actual: new BlockReader(output),
  };
  const mismatch = yield* compare(readers, rules);
  if (mismatch === undefined) return { accepted: true };
  const difference = yield* describeDifference(mismatch, { readers, rules });
  return { accepted: false, difference };
}
