/** What two programs have said to each other. */

/** One of two programs that are connected. */
export type PairSide = "first" | "second";

/** What one program said until the other one spoke. */
export interface TranscriptPiece {
  /** Who said it. */
  readonly from: PairSide;
  /** What. */
  readonly bytes: Uint8Array;
}

const ROOM_MIN_BYTES = 4096;

/**
 * Keeps the beginning of a conversation of two programs, in the order in which it took place; see
 * `runPair()`.
 *
 * @example
 * ```ts
 * import { Transcript } from "isolate/box/pair/transcript.ts";
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
  /** The most that it keeps of both programs together, in bytes. */
  readonly limitBytes: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;
  #truncated = false;
  /** Where each piece ends; their speakers take turns. */
  readonly #ends: number[] = [];
  #speaksFirst: PairSide | undefined;
  #speaksLast: PairSide | undefined;

  /**
   * Makes an empty transcript.
   *
   * @param options `limitBytes`: the most that it keeps of both programs together, in bytes
   * @throws {RangeError} if the limit is no whole number, or negative
   */
  constructor({ limitBytes }: { limitBytes: number }) {
    if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
      throw new RangeError(
        `Cannot limit a transcript to ${limitBytes} bytes: must be a whole number >= 0`,
      );
    }
    this.limitBytes = limitBytes;
  }

  /** Whether more was said than it keeps. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** What was said, in order; what one program said without an answer in between is one piece. */
  get pieces(): readonly TranscriptPiece[] {
    const second = this.#speaksFirst === "first" ? "second" : "first";
    return this.#ends.map((end, i) => ({
      from: i % 2 === 0 ? this.#speaksFirst! : second,
      bytes: this.#bytes.slice(this.#ends[i - 1] ?? 0, end),
    }));
  }

  /**
   * Adds what a program has said; what is beyond the limit is left out.
   *
   * @param from who said it
   * @param bytes what; they are copied
   */
  add(from: PairSide, bytes: Uint8Array): void {
    const kept = Math.min(bytes.length, this.limitBytes - this.#length);
    if (kept < bytes.length) this.#truncated = true;
    if (kept === 0) return;
    this.#makeRoom(this.#length + kept);
    this.#bytes.set(kept < bytes.length ? bytes.subarray(0, kept) : bytes, this.#length);
    this.#length += kept;
    if (from === this.#speaksLast) this.#ends.pop();
    this.#ends.push(this.#length);
    this.#speaksFirst ??= from;
    this.#speaksLast = from;
  }

  #makeRoom(length: number): void {
    if (length <= this.#bytes.length) return;
    const wanted = Math.max(length, 2 * this.#bytes.length, ROOM_MIN_BYTES);
    const larger = new Uint8Array(Math.min(wanted, this.limitBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
