/** Compares an output with the answer, in blocks of constant size, whatever the two are made of. */

import type { BlockReader } from "./block_reader.ts";
import type { CheckRules } from "./checker_flags.ts";
import { NUMBER_BYTES_MAX, parseDecimal } from "./decimal.ts";

/** What is wrong with an output; the readers stand where it is. */
export type Mismatch =
  /** A word is another one, or no number where the answer has one. */
  | { readonly kind: "word" | "not-a-number" }
  /** A number is too far off. */
  | { readonly kind: "number"; readonly expected: number; readonly actual: number }
  /** White space is different, and must not be. */
  | { readonly kind: "space" }
  /** The output ends before the answer does. */
  | { readonly kind: "missing" }
  /** The output goes on after the answer. */
  | { readonly kind: "extra" };

/** 1 for space, tab, line feed, vertical tab, form feed and carriage return. */
const IS_SPACE = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]) IS_SPACE[byte] = 1;

/** From bytes to bytes that are compared. */
const EXACT = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const FOLDED = EXACT.map((byte) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

/** The smallest run of equal bytes for which it pays to look at four of them at once. */
const RUN_BYTES = 32;

/** A comparison that is done in turns, one or two blocks each. */
export class Comparison {
  #expected: BlockReader;
  #actual: BlockReader;
  #rules: CheckRules;
  #letters: Uint8Array;
  #numbers: boolean;
  /** What comes next: equal bytes, white space on both sides, two words, two numbers perhaps. */
  #state: "same" | "space" | "word" | "number" = "same";
  /** Whether what comes before the answer's block is white space, or nothing. */
  #wordStart = true;

  /** Compares from where both readers stand, the beginning of their files. */
  constructor(readers: { expected: BlockReader; actual: BlockReader }, rules: CheckRules) {
    this.#expected = readers.expected;
    this.#actual = readers.actual;
    this.#rules = rules;
    this.#letters = rules.caseSensitive ? EXACT : FOLDED;
    this.#numbers = rules.absoluteTolerance !== undefined || rules.relativeTolerance !== undefined;
  }

  /** Works through what has been read, and reads on. */
  turn(): "accepted" | Mismatch | undefined {
    for (;;) {
      const found = this.#step();
      if (found === "go on") continue;
      if (found !== "read on") return found;
      // Both, so that equal bytes have equal places in their blocks again.
      this.#expected.fill();
      this.#actual.fill();
      return undefined;
    }
  }

  #step(): "go on" | "read on" | "accepted" | Mismatch {
    switch (this.#state) {
      case "same":
        return this.#same();
      case "space":
        return this.#space();
      case "word":
        return this.#word();
      case "number":
        return this.#number();
    }
  }

  /** Whether there is nothing in one of the blocks, but more in its file. */
  #isDry(): boolean {
    const e = this.#expected;
    const a = this.#actual;
    return (e.at === e.end && !e.ended) || (a.at === a.end && !a.ended);
  }

  #same(): "go on" | "read on" | "accepted" | Mismatch {
    const e = this.#expected;
    const a = this.#actual;
    const length = Math.min(e.end - e.at, a.end - a.at);
    const run = equalBytes(e, a, length);
    e.at += run;
    a.at += run;
    if (run === length && this.#isDry()) return this.#readOnInWord();
    const x = e.at < e.end ? e.bytes[e.at]! : -1;
    const y = a.at < a.end ? a.bytes[a.at]! : -1;
    if (x === -1 && y === -1) return "accepted";
    const wordX = x !== -1 && IS_SPACE[x] === 0;
    const wordY = y !== -1 && IS_SPACE[y] === 0;
    const inWord = e.at === 0 ? !this.#wordStart : IS_SPACE[e.bytes[e.at - 1]!] === 0;
    if (inWord ? wordX || wordY : wordX && wordY) {
      this.#state = this.#numbers && this.#toWordStart() ? "number" : "word";
      return "go on";
    }
    if (!this.#rules.spaceSensitive) {
      this.#state = "space";
      return "go on";
    }
    if (y === -1 && wordX) return { kind: "missing" };
    return { kind: x === -1 && wordY ? "extra" : "space" };
  }

  /** Where numbers count, a word is taken into the next block from its beginning. */
  #readOnInWord(): "read on" {
    const e = this.#expected;
    if (this.#numbers) this.#wordStart = this.#toWordStart();
    else if (e.at > 0) this.#wordStart = IS_SPACE[e.bytes[e.at - 1]!] === 1;
    return "read on";
  }

  /** Goes back, over equal bytes, to where the word begins; not in one that is no number anyway. */
  #toWordStart(): boolean {
    const e = this.#expected;
    const a = this.#actual;
    let back = 0;
    const most = Math.min(e.at, a.at, NUMBER_BYTES_MAX + 1);
    while (back < most && IS_SPACE[e.bytes[e.at - back - 1]!] === 0) back++;
    if (back > NUMBER_BYTES_MAX) return false;
    if (back === e.at && !this.#wordStart) return false;
    e.at -= back;
    a.at -= back;
    return true;
  }

  #space(): "go on" | "read on" | "accepted" | Mismatch {
    const e = this.#expected;
    const a = this.#actual;
    skipSpace(e);
    skipSpace(a);
    if (this.#isDry()) {
      this.#wordStart = true;
      return "read on";
    }
    const isOver = a.at === a.end;
    if (e.at === e.end) return isOver ? "accepted" : { kind: "extra" };
    if (isOver) return { kind: "missing" };
    this.#state = this.#numbers ? "number" : "word";
    return "go on";
  }

  #word(): "go on" | "read on" | Mismatch {
    const e = this.#expected;
    const a = this.#actual;
    const { bytes } = e;
    const others = a.bytes;
    const letters = this.#letters;
    const shift = a.at - e.at;
    const end = Math.min(e.end, a.end - shift);
    let at = e.at;
    while (at < end) {
      const x = bytes[at]!;
      if (letters[x] !== letters[others[at + shift]!] || IS_SPACE[x] === 1) break;
      at++;
    }
    e.at = at;
    a.at = at + shift;
    if (this.#isDry()) {
      this.#wordStart = false;
      return "read on";
    }
    const endX = e.at === e.end || IS_SPACE[bytes[e.at]!] === 1;
    const endY = a.at === a.end || IS_SPACE[others[a.at]!] === 1;
    if (!endX || !endY) return { kind: "word" };
    this.#afterWord();
    return "go on";
  }

  /** Both readers stand at the beginning of a word. */
  #number(): "go on" | "read on" | Mismatch {
    const e = this.#expected;
    const a = this.#actual;
    const endX = wordEnd(e);
    const endY = wordEnd(a);
    if (
      (endX === e.end && !e.ended && endX - e.at <= NUMBER_BYTES_MAX) ||
      (endY === a.end && !a.ended && endY - a.at <= NUMBER_BYTES_MAX)
    ) {
      this.#wordStart = true;
      return "read on";
    }
    const expected = endX - e.at > NUMBER_BYTES_MAX ? NaN : parseDecimal(e.bytes, e.at, endX);
    if (Number.isNaN(expected)) {
      this.#state = "word";
      return "go on";
    }
    const actual = endY - a.at > NUMBER_BYTES_MAX ? NaN : parseDecimal(a.bytes, a.at, endY);
    if (Number.isNaN(actual)) return { kind: "not-a-number" };
    if (!this.#isNear(expected, actual)) return { kind: "number", expected, actual };
    e.at = endX;
    a.at = endY;
    this.#afterWord();
    return "go on";
  }

  /** Where every second byte is another one it does not pay to look for equal ones. */
  #afterWord(): void {
    const e = this.#expected;
    const a = this.#actual;
    const isDifferent = e.bytes[e.at] !== a.bytes[a.at] && e.at < e.end && a.at < a.end;
    this.#state = isDifferent && !this.#rules.spaceSensitive ? "space" : "same";
  }

  #isNear(expected: number, actual: number): boolean {
    const { absoluteTolerance, relativeTolerance } = this.#rules;
    const error = Math.abs(actual - expected);
    return (absoluteTolerance !== undefined && error <= absoluteTolerance) ||
      (relativeTolerance !== undefined && error <= relativeTolerance * Math.abs(expected));
  }
}

/** How many of the next bytes are equal. */
function equalBytes(one: BlockReader, other: BlockReader, length: number): number {
  const { bytes, at: from } = one;
  const others = other.bytes;
  const shift = other.at - from;
  const end = from + length;
  let at = from;
  const near = Math.min(end, from + RUN_BYTES);
  while (at < near && bytes[at] === others[at + shift]) at++;
  if (at < near || at === end) return at - from;
  if (shift % 4 === 0) {
    while (at % 4 !== 0 && at < end && bytes[at] === others[at + shift]) at++;
    if (at % 4 === 0) at = equalWords(one.words, other.words, { at, end, shift });
  }
  while (at < end && bytes[at] === others[at + shift]) at++;
  return at - from;
}

/** The first place from `at`, both multiples of 4, after which there may be a difference. */
function equalWords(
  words: Int32Array,
  others: Int32Array,
  { at, end, shift }: { at: number; end: number; shift: number },
): number {
  const wordShift = shift >> 2;
  const last = (end >> 2) - 8;
  let i = at >> 2;
  for (; i <= last; i += 8) {
    const j = i + wordShift;
    const different = (words[i]! ^ others[j]!) | (words[i + 1]! ^ others[j + 1]!) |
      (words[i + 2]! ^ others[j + 2]!) | (words[i + 3]! ^ others[j + 3]!) |
      (words[i + 4]! ^ others[j + 4]!) | (words[i + 5]! ^ others[j + 5]!) |
      (words[i + 6]! ^ others[j + 6]!) | (words[i + 7]! ^ others[j + 7]!);
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

/** Where in the block the word that the reader stands at ends, or is too long for a number. */
function wordEnd(reader: BlockReader): number {
  const { bytes } = reader;
  const end = Math.min(reader.end, reader.at + NUMBER_BYTES_MAX + 1);
  let at = reader.at;
  while (at < end && IS_SPACE[bytes[at]!] === 0) at++;
  return at;
}
