/** Tells people where an output differs from the answer. */

import type { BlockReader } from "./block_reader.ts";
import type { CheckRules } from "./checker_flags.ts";
import type { Mismatch, Sides } from "./comparison.ts";
import { byteAt, linesAround, locate, type Place, wordAt } from "./locate.ts";
import type { Difference } from "../types.ts";

/** Describes what is wrong with an output; yields after each block. */
export function* describeDifference(
  mismatch: Mismatch,
  { readers, rules }: { readers: Sides<BlockReader>; rules: CheckRules },
): Generator<void, Difference> {
  const places = {
    expected: yield* locate(readers.expected, readers.expected.offset),
    actual: yield* locate(readers.actual, readers.actual.offset),
  };
  const reason = reasonOf(mismatch, { readers, places, rules });
  const expected = linesAround(readers.expected, places.expected);
  const actual = linesAround(readers.actual, places.actual);
  return {
    reason,
    expectedFrom: expected.from,
    expected: expected.lines,
    actualFrom: actual.from,
    actual: actual.lines,
  };
}

function reasonOf(
  mismatch: Mismatch,
  { readers, places, rules }: {
    readers: Sides<BlockReader>;
    places: Sides<Place>;
    rules: CheckRules;
  },
): string {
  const where = whereOf(places);
  const expected = wordAt(readers.expected, places.expected);
  const actual = wordAt(readers.actual, places.actual);
  switch (mismatch.kind) {
    case "missing": {
      if (places.actual.offset === 0) return `The output is empty: expected "${expected}"`;
      const { line, word } = places.expected;
      return `The output ends too early: line ${line}, word ${word} of the answer is "${expected}"`;
    }
    case "extra": {
      const { line, word } = places.actual;
      return `The output goes on after the answer: line ${line}, word ${word} is "${actual}"`;
    }
    case "space":
      return `${byteWhereOf(places)}: expected ${spaceAt(readers.expected, places.expected)}, ` +
        `got ${spaceAt(readers.actual, places.actual)}`;
    case "not-a-number":
      return `${where}: expected the number ${expected}, got "${actual}"`;
    case "number":
      return `${where}: expected ${expected}, got ${actual}: ${errorOf(mismatch, rules)}`;
    case "word": {
      const isCase = expected !== actual && expected.toLowerCase() === actual.toLowerCase();
      const hint = rules.caseSensitive && isCase ? " (upper and lower case count)" : "";
      return `${where}: expected "${expected}", got "${actual}"${hint}`;
    }
  }
}

/** Names the place in the output, and that in the answer if it has another name. */
function whereOf({ expected, actual }: Sides<Place>): string {
  const same = expected.line === actual.line && expected.word === actual.word;
  const answer = same ? "" : ` (line ${expected.line}, word ${expected.word} of the answer)`;
  return `Line ${actual.line}, word ${actual.word}${answer}`;
}

/** Names the place by its byte, as white space is in no word. */
function byteWhereOf({ expected, actual }: Sides<Place>): string {
  const byteOf = (place: Place) => place.offset - place.lineOffsets.at(-1)! + 1;
  const same = expected.line === actual.line && byteOf(expected) === byteOf(actual);
  const answer = same ? "" : ` (line ${expected.line}, byte ${byteOf(expected)} of the answer)`;
  return `Line ${actual.line}, byte ${byteOf(actual)}${answer}`;
}

function errorOf(
  { expected, actual }: { expected: number; actual: number },
  { absoluteTolerance, relativeTolerance }: CheckRules,
): string {
  const error = Math.abs(actual - expected);
  const relative = expected === 0 ? "" : `, relative ${short(error / Math.abs(expected))}`;
  const allowed: string[] = [];
  if (absoluteTolerance !== undefined) allowed.push(short(absoluteTolerance));
  if (relativeTolerance !== undefined) allowed.push(`relative ${short(relativeTolerance)}`);
  return `off by ${short(error)}${relative}; allowed ${allowed.join(" or ")}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

const SPACES: ReadonlyMap<number, string> = new Map([
  [0x20, "a space"],
  [0x09, "a tab"],
  [0x0a, "the end of the line"],
  [0x0b, "a vertical tab"],
  [0x0c, "a form feed"],
  [0x0d, "a carriage return"],
]);

function spaceAt(reader: BlockReader, place: Place): string {
  const byte = byteAt(reader, place);
  if (byte === undefined) return "the end of the file";
  return SPACES.get(byte) ?? `"${wordAt(reader, place)}"`;
}
