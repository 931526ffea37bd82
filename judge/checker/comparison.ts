/** Compares an output with the answer, holding one block of each. */

import type { BlockReader } from "./block_reader.ts";
import type { CheckRules } from "./checker_flags.ts";
import { NUMBER_BYTES_MAX, parseDecimal } from "./decimal.ts";

/** The answer's and the output's. */
export interface Sides<T> {
  readonly expected: T;
  readonly actual: T;
}

/** How an output differs from the answer; the readers stay at the place. */
export type Mismatch =
  /** A different word, or a word where the answer has a number. */
  | { readonly kind: "word" | "not-a-number" }
  /** A number outside of the tolerance. */
  | { readonly kind: "number"; readonly expected: number; readonly actual: number }
  /** Different white space, where it counts. */
  | { readonly kind: "space" }
  /** The output ends before the answer. */
  | { readonly kind: "missing" }
  /** The output continues after the answer. */
  | { readonly kind: "extra" };

/** Why the comparison of two blocks ended: the files have more, or nothing more. */
type BlockEnd = "in-word" | "between-words" | "equal";

/** 1 for space, tab, line feed, vertical tab, form feed and carriage return. */
const IS_SPACE = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]) IS_SPACE[byte] = 1;

/** Maps each byte to the one that is compared. */
const EXACT = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const FOLDED = EXACT.map((byte) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

/** What {@linkcode peek} gives at the end of a file. */
const END = -1;

/** Compares two files from their beginnings; yields after each pair of blocks. */
export function* compare(
  { expected, actual }: Sides<BlockReader>,
  rules: CheckRules,
): Generator<void, Mismatch | undefined> {
  for (let inWord = false;;) {
    const found = compareBlocks(expected, actual, { rules, inWord });
    if (found === "equal") return undefined;
    if (typeof found === "object") return found;
    inWord = found === "in-word";
    // Always both, so that equal text stays equally aligned.
    expected.fillFrom(expected.offset);
    actual.fillFrom(actual.offset);
    yield;
  }
}

function compareBlocks(
  e: BlockReader,
  a: BlockReader,
  { rules, inWord }: { rules: CheckRules; inWord: boolean },
): Mismatch | BlockEnd {
  const letters = rules.caseSensitive ? EXACT : FOLDED;
  const hasTolerance = rules.absoluteTolerance !== undefined ||
    rules.relativeTolerance !== undefined;
  if (inWord) {
    const found = compareWord(e, a, letters);
    if (found) return found;
  }
  // Where each word or separator differs, looking for equal words takes more time than it saves.
  let seemsEqual = true;
  for (;;) {
    if (seemsEqual) skipEqualWords(e, a);
    if (rules.spaceSensitive) skipSameSpace(e, a);
    else {
      skipSpace(e);
      skipSpace(a);
    }
    if (isDry(e) || isDry(a)) return "between-words";
    const x = peek(e);
    const y = peek(a);
    if (x === END && y === END) return "equal";
    if (isSpace(x) || isSpace(y)) return { kind: "space" };
    if (x === END) return { kind: "extra" };
    if (y === END) return { kind: "missing" };
    if (hasTolerance) {
      if (mayReachFurther(e) || mayReachFurther(a)) return "between-words";
      const ends = { expected: wordEnd(e), actual: wordEnd(a) };
      const expected = readNumber(e, ends.expected);
      if (!Number.isNaN(expected)) {
        const actual = readNumber(a, ends.actual);
        if (Number.isNaN(actual)) return { kind: "not-a-number" };
        if (!isNear(expected, actual, rules)) return { kind: "number", expected, actual };
        e.at = ends.expected;
        a.at = ends.actual;
        seemsEqual = expected === actual;
        continue;
      }
    }
    const found = compareWord(e, a, letters);
    if (found) return found;
    seemsEqual = peek(e) === peek(a);
  }
}

/** Compares two words, or what is left of them. */
function compareWord(
  e: BlockReader,
  a: BlockReader,
  letters: Uint8Array,
): Mismatch | BlockEnd | undefined {
  const { bytes } = e;
  const others = a.bytes;
  const shift = a.at - e.at;
  const end = Math.min(e.end, a.end - shift);
  let at = e.at;
  for (; at < end; at++) {
    const x = bytes[at]!;
    if (letters[x] !== letters[others[at + shift]!] || IS_SPACE[x] === 1) break;
  }
  e.at = at;
  a.at = at + shift;
  if (isDry(e) || isDry(a)) return "in-word";
  const x = peek(e);
  const y = peek(a);
  const bothEnd = (x === END || isSpace(x)) && (y === END || isSpace(y));
  return bothEnd ? undefined : { kind: "word" };
}

/**
 * Skips words and spaces that are equal, sixteen bytes at a time: most outputs equal their answer,
 * and byte by byte that takes six times as long.
 */
function skipEqualWords(e: BlockReader, a: BlockReader): void {
  const { bytes, at: from } = e;
  const others = a.bytes;
  const shift = a.at - from;
  const end = Math.min(e.end, a.end - shift);
  let at = from;
  if (shift % 4 === 0) {
    while (at % 4 !== 0 && at < end && bytes[at] === others[at + shift]) at++;
    if (at % 4 === 0) at = equalInts(e.ints, a.ints, { at, end, shift });
  }
  while (at < end && bytes[at] === others[at + shift]) at++;
  const isBetweenWords = at < end && isSpace(bytes[at]!) && isSpace(others[at + shift]!);
  if (!isBetweenWords) { while (at > from && IS_SPACE[bytes[at - 1]!] === 0) at--; }
  e.at = at;
  a.at = at + shift;
}

/** Finds a place before which everything is equal; all offsets are multiples of 4. */
function equalInts(
  ints: Int32Array,
  others: Int32Array,
  { at, end, shift }: { at: number; end: number; shift: number },
): number {
  const last = (end >> 2) - 4;
  let i = at >> 2;
  const intShift = shift >> 2;
  for (; i <= last; i += 4) {
    const j = i + intShift;
    const different = (ints[i]! ^ others[j]!) | (ints[i + 1]! ^ others[j + 1]!) |
      (ints[i + 2]! ^ others[j + 2]!) | (ints[i + 3]! ^ others[j + 3]!);
    if (different !== 0) break;
  }
  return i << 2;
}

function skipSpace(reader: BlockReader): void {
  const { bytes, end } = reader;
  let at = reader.at;
  while (at < end && IS_SPACE[bytes[at]!] === 1) at++;
  reader.at = at;
}

function skipSameSpace(e: BlockReader, a: BlockReader): void {
  for (; e.at < e.end && a.at < a.end; e.at++, a.at++) {
    const x = e.bytes[e.at]!;
    if (!isSpace(x) || a.bytes[a.at] !== x) return;
  }
}

/** Tells whether the file has more than the block. */
function isDry({ at, end, ended }: BlockReader): boolean {
  return at === end && !ended;
}

function peek({ bytes, at, end }: BlockReader): number {
  return at < end ? bytes[at]! : END;
}

function isSpace(byte: number): boolean {
  return byte !== END && IS_SPACE[byte] === 1;
}

/** Tells whether a number may go on after the block. */
function mayReachFurther({ at, end, ended }: BlockReader): boolean {
  return !ended && end - at <= NUMBER_BYTES_MAX;
}

/** Finds where the word ends; of one too long for a number, a place inside it. */
function wordEnd({ bytes, at: from, end: blockEnd }: BlockReader): number {
  const end = Math.min(blockEnd, from + NUMBER_BYTES_MAX + 1);
  let at = from;
  while (at < end && IS_SPACE[bytes[at]!] === 0) at++;
  return at;
}

/** Reads the word as a number; NaN if it is none. */
function readNumber({ bytes, at }: BlockReader, end: number): number {
  return end - at > NUMBER_BYTES_MAX ? NaN : parseDecimal(bytes, at, end);
}

function isNear(
  expected: number,
  actual: number,
  { absoluteTolerance, relativeTolerance }: CheckRules,
): boolean {
  const error = Math.abs(actual - expected);
  return (absoluteTolerance !== undefined && error <= absoluteTolerance) ||
    (relativeTolerance !== undefined && error <= relativeTolerance * Math.abs(expected));
}
