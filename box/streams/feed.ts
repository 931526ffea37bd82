/** From a `ReadableStream` to the standard input of a program. */

import { ERRNO } from "../../ffi/errno.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Waiter } from "../keep/waiter.ts";

/** A plan has a copy of what it writes, and other boxes need their turn. */
const PIECE_BYTES = 1 << 18;

/** What a feed works with. */
export interface FeedOptions {
  readonly system: System;
  readonly waiter: Waiter;
  /** The keeper's end of the pipe, which never waits; the feed closes it. */
  readonly pipeFd: number;
  /** What the program is to read. */
  readonly stream: ReadableStream<Uint8Array>;
}

/** Writes a stream into a pipe, for as long as somebody reads it. */
export class Feed {
  readonly #system: System;
  readonly #waiter: Waiter;
  readonly #pipeFd: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #isClosed = false;

  /** Takes the stream. */
  constructor(options: FeedOptions) {
    this.#system = options.system;
    this.#waiter = options.waiter;
    this.#pipeFd = options.pipeFd;
    this.#reader = options.stream.getReader();
  }

  /** Feeds the program in the background. */
  begin(onError: (error: SandboxError) => void): void {
    this.#feed().catch((cause: unknown) => {
      if (this.#isClosed) return;
      const why = cause instanceof Error ? cause.message : String(cause);
      onError(
        new SandboxError("stream", `standard input: cannot read the stream: ${why}`, { cause }),
      );
    }).finally(() => this.close());
  }

  /** Ends the program's input and lets the stream go; it is cancelled unless it was read to its end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiter.forget(this.#pipeFd);
    this.#system.close(this.#pipeFd);
    // Not awaited: a source that does not answer must not delay a run.
    this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  async #feed(): Promise<void> {
    while (!this.#isClosed) {
      const { done, value } = await this.#reader.read();
      if (done || this.#isClosed) return;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError("it gave something other than a Uint8Array");
      }
      if (!await this.#write(value)) return;
    }
  }

  /** Returns false if nobody reads any more. */
  async #write(bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length;) {
      if (this.#isClosed) return false;
      const plan = new Plan();
      const piece = plan.bytes(bytes.subarray(at, at + PIECE_BYTES));
      const written = plan.slot("written");
      plan.step("write", [this.#pipeFd, piece, piece.length], { into: written, ignore: "all" });
      this.#system.run(plan, "feed the program");
      const count = plan.result(written);
      if (count >= 0) {
        at += count;
      } else if (count === -ERRNO.EAGAIN) {
        await this.#waiter.ready({ readable: [], writable: [this.#pipeFd] }, Infinity);
      } else {
        return false;
      }
    }
    return true;
  }
}
