/** What two programs have said to each other. */

import { Capture } from "../streams/capture.ts";

/** One of two programs that are connected. */
export type PairSide = "first" | "second";

/** What one program said until the other one spoke. */
export interface TranscriptPiece {
  /** Who said it. */
  readonly from: PairSide;
  /** What was said. */
  readonly bytes: Uint8Array;
}

/**
 * Keeps the beginning of a conversation of two programs, in the order in which it took place; see
 * {@linkcode runPair}.
 *
 * @example
 * ```ts
 * import { Transcript } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const transcript = new Transcript({ limitBytes: 10 });
 * transcript.add("first", new TextEncoder().encode("is it 7?"));
 * transcript.add("second", new TextEncoder().encode("higher"));
 * const lines = transcript.pieces.map(({ from, bytes }) => `${from}: ${new TextDecoder().decode(bytes)}`);
 * assertEquals(lines, ["first: is it 7?", "second: hi"]);
 * assertEquals(transcript.truncated, true);
 * ```
 */
export class Transcript {
  readonly #said: Capture;
  /** Where each piece ends; the speakers take turns. */
  readonly #ends: number[] = [];
  #firstSpeaker: PairSide | undefined;
  #lastSpeaker: PairSide | undefined;

  /**
   * Makes an empty transcript.
   *
   * @param options `limitBytes`: the most that it keeps of both programs together, in bytes
   * @throws {RangeError} if the limit is not a whole number, or negative
   */
  constructor(options: { limitBytes: number }) {
    this.#said = new Capture(options);
  }

  /** The most that it keeps of both programs together, in bytes. */
  get limitBytes(): number {
    return this.#said.limitBytes;
  }

  /** Whether more was said than it keeps. */
  get truncated(): boolean {
    return this.#said.truncated;
  }

  /** What was said, in order; what one program said without an answer in between is one piece. */
  get pieces(): readonly TranscriptPiece[] {
    const { bytes } = this.#said;
    const second = this.#firstSpeaker === "first" ? "second" : "first";
    return this.#ends.map((end, i) => ({
      from: i % 2 === 0 ? this.#firstSpeaker! : second,
      bytes: bytes.slice(this.#ends[i - 1] ?? 0, end),
    }));
  }

  /**
   * Adds what a program has said, up to the limit.
   *
   * @param from who said it
   * @param bytes what was said; they are copied
   */
  add(from: PairSide, bytes: Uint8Array): void {
    const before = this.#said.bytes.length;
    this.#said.add(bytes);
    const { length } = this.#said.bytes;
    if (length === before) return;
    if (from === this.#lastSpeaker) this.#ends.pop();
    this.#ends.push(length);
    this.#firstSpeaker ??= from;
    this.#lastSpeaker = from;
  }
}
