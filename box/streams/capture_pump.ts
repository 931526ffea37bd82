/** From the pipe that a program writes to, into memory. */

import type { Capture } from "./capture.ts";
import { PipeReader } from "./pipe_reader.ts";
import { OutputPump, type PumpOptions } from "./pump.ts";

const READ_FIRST_BYTES = 1 << 14;
const READ_LARGE_BYTES = 1 << 18;

/** Keeps output in memory. */
export class CapturePump extends OutputPump {
  readonly #capture: Capture;
  readonly #reader: PipeReader;
  #bytes = READ_FIRST_BYTES;

  /** Makes a pump. */
  constructor(options: PumpOptions, capture: Capture) {
    super(options);
    this.#capture = capture;
    this.#reader = new PipeReader(options.system, options.pipeFd);
  }

  /** Reads once. */
  protected override move(): number | "idle" | "closed" | "overflow" {
    const piece = this.#reader.read(this.#bytes);
    if (!piece) return "idle";
    if (piece.length === 0) return "closed";
    if (piece.length === this.#bytes) this.#bytes = READ_LARGE_BYTES;
    return this.#capture.add(piece) ? piece.length : "overflow";
  }
}
