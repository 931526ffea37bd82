/**
 * Shows text that somebody else chose: names of files, output of programs, messages of validators.
 *
 * Every such text passes through here on its way to people, so that it can neither control a terminal
 * nor look like something else. Each format adds only what it needs: HTML and XML their entities
 * (judge/report/markup.ts). JSON is data for programs and keeps texts as they are: its own escapes
 * make them harmless.
 */

import { decodeOsString } from "./os_string.ts";

/**
 * What a reader would not see, or would see in the wrong place: control characters, line and paragraph
 * separators, marks of writing direction, invisible spaces, tags, noncharacters, and halves of
 * surrogate pairs (from U+DC80 they stand for bytes that are no UTF-8).
 */
const UNSEEN =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]|\p{Cs}/gu;

const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

function spell(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  if (code < 0x80) return SHORT[character] ?? `\\x${hex(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`;
  return code > 0xffff ? `\\u{${hex(code, 5)}}` : `\\u${hex(code, 4)}`;
}

/**
 * Makes text safe to show on one line: spells what cannot be seen as a string literal would (`\t`,
 * `\x1b`, `\u202e`), and bytes that are no UTF-8 too (`\xff`). Doing it twice changes nothing.
 */
export function visibleText(text: string | Uint8Array<ArrayBuffer>): string {
  const decoded = typeof text === "string" ? text : decodeOsString(text);
  return decoded.replaceAll(UNSEEN, spell);
}

/** Makes text of several lines safe to show: line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replaceAll("\r\n", "\n")
    .replaceAll(UNSEEN, (found) => found === "\n" || found === "\t" ? found : spell(found));
}

/** A piece of text that may have been cut at both ends. */
export interface Piece {
  /** Where it begins. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
  /** There is something before it. */
  readonly cutBefore: boolean;
  /** There is something after it. */
  readonly cutAfter: boolean;
}

/** Makes a piece of UTF-8 safe to show, without the torn characters at ends where it was cut. */
export function visiblePiece(bytes: Uint8Array<ArrayBuffer>, piece: Piece): string {
  const isInner = (at: number) => (bytes[at]! & 0xc0) === 0x80;
  let { from, to } = piece;
  if (piece.cutBefore) { while (from < to && from < piece.from + 3 && isInner(from)) from++; }
  if (piece.cutAfter) { while (to > from && to > piece.to - 3 && isInner(to)) to--; }
  const text = visibleText(bytes.subarray(from, to));
  return (piece.cutBefore ? "…" : "") + text + (piece.cutAfter ? "…" : "");
}
