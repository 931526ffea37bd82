/** Keeps what a stage writes, each stream for itself and both in order of arrival. */

import { Capture, type CaptureOptions } from "../../mod.ts";
import type { Bytes, OutputStream } from "./types.ts";

/** How the output of a stage is kept. */
export interface StageOutputOptions extends CaptureOptions {
  /** Told each piece that is kept. */
  readonly onPiece?: ((stream: OutputStream, bytes: Bytes) => void) | undefined;
}

/** Tells somebody about each piece that it keeps. */
class ToldCapture extends Capture {
  readonly #onPiece: (bytes: Uint8Array) => void;

  constructor(options: CaptureOptions, onPiece: (bytes: Uint8Array) => void) {
    super(options);
    this.#onPiece = onPiece;
  }

  override add(bytes: Uint8Array): boolean {
    const before = this.bytes.length;
    const isWhole = super.add(bytes);
    const keptBytes = this.bytes.length - before;
    if (keptBytes > 0) this.#onPiece(bytes.subarray(0, keptBytes));
    return isWhole;
  }
}

/** The output of a stage; the limit holds for each of its streams. */
export class StageOutput {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly #both: Capture;

  constructor({ limitBytes, overflow = "stop", onPiece }: StageOutputOptions) {
    this.#both = new Capture({ limitBytes: 2 * limitBytes, overflow: "discard" });
    const capture = (stream: OutputStream) =>
      new ToldCapture({ limitBytes, overflow }, (bytes) => {
        this.#both.add(bytes);
        onPiece?.(stream, bytes.slice());
      });
    this.stdout = capture("stdout");
    this.stderr = capture("stderr");
  }

  /** Both streams in order of arrival. */
  get both(): Bytes {
    return this.#both.bytes;
  }
}
