/** Output of a program, kept in memory. */

/** What happens when a program writes more than its limit. */
export type Overflow =
  /** Everything in the box is killed; the outcome is `output-limit`. */
  | "stop"
  /** The rest is read and thrown away; the outcome does not say so. */
  | "discard";

/** How much is kept. */
export interface CaptureOptions {
  /** The most that is kept, in bytes. */
  limitBytes: number;
  /** What happens when a program writes more. Default: `"stop"`. */
  overflow?: Overflow;
}

const FIRST_SIZE = 4096;

/**
 * Keeps what a program writes. It may serve standard output and standard error at once, or several runs
 * one after the other: all of them share the limit.
 *
 * @example
 * ```ts
 * import { Box, Capture } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 920 });
 * const stdout = new Capture({ limitBytes: 1 << 20 });
 * await box.run(["/bin/cat"], { stdin: { text: "hello" }, stdout });
 * assertEquals(stdout.text(), "hello");
 * ```
 */
export class Capture {
  /** The most that is kept, in bytes. */
  readonly limitBytes: number;
  /** What happens when a program writes more. */
  readonly overflow: Overflow;
  #buffer = new Uint8Array(0);
  #length = 0;
  #truncated = false;

  /**
   * Prepares to keep output; memory is allocated as output comes.
   *
   * @param options how much is kept
   * @throws {RangeError} if the limit is not a whole number of bytes
   */
  constructor(options: CaptureOptions) {
    this.limitBytes = checkLimitBytes(options.limitBytes);
    this.overflow = options.overflow ?? "stop";
  }

  /** The bytes kept so far; a view, complete when the run is over. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Whether more was written than is kept. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /**
   * Decodes what is kept.
   *
   * @returns the text; bytes that are not UTF-8 have become replacement characters
   */
  text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes);
  }

  /**
   * Keeps more, up to the limit.
   *
   * @param bytes what was written; they are copied
   * @returns whether all of it is kept
   *
   * @example
   * ```ts
   * import { Capture } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * const capture = new Capture({ limitBytes: 3 });
   * assertEquals(capture.add(new Uint8Array([1, 2, 3])), true);
   * assertEquals(capture.add(new Uint8Array([4])), false);
   * assertEquals([capture.bytes.length, capture.truncated], [3, true]);
   * ```
   */
  add(bytes: Uint8Array): boolean {
    const kept = Math.min(bytes.length, this.limitBytes - this.#length);
    this.#reserve(this.#length + kept);
    this.#buffer.set(bytes.subarray(0, kept), this.#length);
    this.#length += kept;
    if (kept < bytes.length) this.#truncated = true;
    return kept === bytes.length;
  }

  #reserve(length: number): void {
    if (length <= this.#buffer.length) return;
    const wanted = Math.max(length, 2 * this.#buffer.length, FIRST_SIZE);
    const larger = new Uint8Array(Math.min(wanted, this.limitBytes));
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}

/** Checks a limit of bytes. */
export function checkLimitBytes(limitBytes: number): number {
  if (Number.isSafeInteger(limitBytes) && limitBytes >= 0) return limitBytes;
  throw new RangeError(
    `Cannot limit output as limitBytes must be a whole number >= 0: current value is ${limitBytes}`,
  );
}
