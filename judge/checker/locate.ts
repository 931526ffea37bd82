/** Finds the line, the word and the lines around a place in a file of any size and content. */

import type { BlockReader } from "./block_reader.ts";
import { visiblePiece } from "../../text/visible.ts";

/** How many lines are shown before and after the one that matters. */
const LINES_AROUND = 3;
/** How much of a line is shown, in bytes. */
const LINE_BYTES_MAX = 180;
/** How much of a word is shown, in bytes. */
const WORD_BYTES_MAX = 40;
/** How much of a line or word is shown before the place that matters, where it is cut. */
const BEFORE_BYTES = 24;
/** How far lines after the one that matters are looked for. */
const AHEAD_BYTES_MAX = 1 << 14;

const LINE_FEED = 0x0a;

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** A place in a file, as people name it. */
export interface Place {
  /** Its offset in bytes. */
  readonly offset: number;
  /** The number of the line, from 1. */
  readonly line: number;
  /** The number of the word that is at the place, or begins there, in its line, from 1. */
  readonly word: number;
  /** Where this word begins. */
  readonly wordOffset: number;
  /** Where the lines before it and the line itself begin, as many as are shown. */
  readonly lineOffsets: readonly number[];
}

/** Counts lines and words up to a place, in turns of one block each. */
export function* locate(reader: BlockReader, offset: number): Generator<void, Place> {
  let line = 1;
  let lineOffsets = [0];
  for (reader.fillFrom(0);;) {
    const { bytes } = reader;
    const start = reader.offset;
    const end = Math.min(reader.end, offset - start);
    for (let at = bytes.indexOf(LINE_FEED); at !== -1 && at < end;) {
      line++;
      lineOffsets.push(start + at + 1);
      at = bytes.indexOf(LINE_FEED, at + 1);
    }
    lineOffsets = lineOffsets.slice(-1 - LINES_AROUND);
    if (start + end >= offset || reader.ended) break;
    yield;
    reader.fillFrom(start + end);
  }
  yield;
  const { words, wordOffset } = yield* countWords(reader, { from: lineOffsets.at(-1)!, offset });
  return { offset, line, word: words, wordOffset, lineOffsets };
}

/** The words of a line up to a place, the one that is there included. */
function* countWords(
  reader: BlockReader,
  { from, offset }: { from: number; offset: number },
): Generator<void, { words: number; wordOffset: number }> {
  let words = 0;
  let wordOffset = from;
  let inWord = false;
  for (let start = from; start < offset;) {
    reader.fillFrom(start);
    const { bytes } = reader;
    const end = Math.min(reader.end, offset - start);
    for (let at = 0; at < end; at++) {
      const isWord = !isSpace(bytes[at]!);
      if (isWord && !inWord) {
        words++;
        wordOffset = start + at;
      }
      inWord = isWord;
    }
    if (end === 0) break;
    start += end;
    yield;
  }
  return inWord ? { words, wordOffset } : { words: words + 1, wordOffset: offset };
}

/** The word at a place; of a long one the part around the place. */
export function wordAt(reader: BlockReader, place: Place): string {
  const from = Math.max(place.wordOffset, place.offset - BEFORE_BYTES);
  reader.fillFrom(from);
  const { bytes, end } = reader;
  const most = Math.min(end, WORD_BYTES_MAX);
  let to = 0;
  while (to < most && !isSpace(bytes[to]!)) to++;
  const cutAfter = to < end && !isSpace(bytes[to]!);
  return visiblePiece(bytes, { from: 0, to, cutBefore: from > place.wordOffset, cutAfter });
}

/** The byte at a place. */
export function byteAt(reader: BlockReader, place: Place): number | undefined {
  reader.fillFrom(place.offset);
  return reader.end > 0 ? reader.bytes[0] : undefined;
}

/** The lines around a place; long ones are cut, the one that matters around the place. */
export function linesAround(
  reader: BlockReader,
  place: Place,
): { from: number; lines: string[] } {
  const before = place.lineOffsets.slice(0, -1).map((offset) => {
    reader.fillFrom(offset);
    return lineHere(reader, { cutBefore: false });
  });
  const lineOffset = place.lineOffsets.at(-1)!;
  const isNear = place.offset - lineOffset + BEFORE_BYTES < LINE_BYTES_MAX;
  const from = isNear ? lineOffset : place.offset - LINE_BYTES_MAX / 2;
  reader.fillFrom(from);
  const lines = [lineHere(reader, { cutBefore: !isNear })];
  while (lines.length <= LINES_AROUND) {
    const next = reader.bytes.indexOf(LINE_FEED, reader.at) + 1;
    if (next === 0 || next >= Math.min(reader.end, AHEAD_BYTES_MAX)) break;
    reader.at = next;
    lines.push(lineHere(reader, { cutBefore: false }));
  }
  // A file that ends with a line feed has no empty line after it, unless that is what matters.
  if (place.offset === lineOffset && reader.end === 0 && lines[0] === "") lines.pop();
  return { from: place.line - before.length, lines: [...before, ...lines] };
}

/** The line, or the rest of it, that begins where the reader stands. */
function lineHere(reader: BlockReader, { cutBefore }: { cutBefore: boolean }): string {
  const { bytes, at, end } = reader;
  const most = Math.min(end, at + LINE_BYTES_MAX);
  let to = at;
  while (to < most && bytes[to] !== LINE_FEED) to++;
  const cutAfter = to < end && bytes[to] !== LINE_FEED;
  return visiblePiece(bytes, { from: at, to, cutBefore, cutAfter });
}
