/** Finds the line, the word and the lines around a place in a file of any size and content. */

import type { BlockReader } from "./block_reader.ts";
import { visiblePiece } from "../../text/visible.ts";

/** How many lines are shown before and after the one that matters. */
const LINES_AROUND = 3;
const LINE_BYTES_MAX = 180;
const WORD_BYTES_MAX = 40;
/** How much of a line or word is shown before the place, where it is cut. */
const BEFORE_BYTES = 24;
/** How far the lines after the place are looked for. */
const AHEAD_BYTES_MAX = 1 << 14;

const LINE_FEED = 0x0a;

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** A place in a file, as people name it; lines and words are counted from 1. */
export interface Place {
  readonly offset: number;
  readonly line: number;
  /** The word of the line that is at the place, or begins there. */
  readonly word: number;
  /** Where this word begins. */
  readonly wordOffset: number;
  /** Where the line and those shown before it begin. */
  readonly lineOffsets: readonly number[];
}

/** Counts lines and words up to a place; yields after each block. */
export function* locate(reader: BlockReader, offset: number): Generator<void, Place> {
  const lineOffsets = [0];
  let line = 1;
  let word = 0;
  let wordOffset = 0;
  let inWord = false;
  for (reader.fillFrom(0);; reader.fillFrom(reader.offset + reader.end)) {
    const { bytes, offset: start } = reader;
    const end = Math.min(reader.end, offset - start);
    let lineStart = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1 && at < end;) {
      line++;
      lineStart = at + 1;
      lineOffsets.push(start + lineStart);
      at = bytes.indexOf(LINE_FEED, lineStart);
    }
    lineOffsets.splice(0, lineOffsets.length - 1 - LINES_AROUND);
    if (lineStart > 0) [word, inWord] = [0, false];
    for (let at = lineStart; at < end; at++) {
      if (isSpace(bytes[at]!)) inWord = false;
      else if (!inWord) {
        inWord = true;
        word++;
        wordOffset = start + at;
      }
    }
    yield;
    if (start + end >= offset || reader.ended) break;
  }
  if (!inWord) [word, wordOffset] = [word + 1, offset];
  return { offset, line, word, wordOffset, lineOffsets };
}

/** Shows the word at a place; of a long one the part around the place. */
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

export function byteAt(reader: BlockReader, place: Place): number | undefined {
  reader.fillFrom(place.offset);
  return reader.end > 0 ? reader.bytes[0] : undefined;
}

/** Shows the lines around a place; long ones are cut, the line of the place around it. */
export function linesAround(reader: BlockReader, place: Place): { from: number; lines: string[] } {
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

/** Shows the line, or the rest of it, from where the reader is. */
function lineHere(reader: BlockReader, { cutBefore }: { cutBefore: boolean }): string {
  const { bytes, at, end } = reader;
  const most = Math.min(end, at + LINE_BYTES_MAX);
  let to = at;
  while (to < most && bytes[to] !== LINE_FEED) to++;
  const cutAfter = to < end && bytes[to] !== LINE_FEED;
  return visiblePiece(bytes, { from: at, to, cutBefore, cutAfter });
}
