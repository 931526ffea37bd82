/** A program on another machine, and its standard input, which goes there as messages. */

import type { Session } from "../engine/executor.ts";
import type { Bytes, JobResult } from "../engine/types.ts";

/** A message without the job. */
type InputMessage =
  | { readonly kind: "input"; readonly bytes: Bytes }
  | { readonly kind: "end" }
  | { readonly kind: "signal"; readonly signal: number };

/** Keeps what is written before the program begins, and sends the rest on. */
export class RemoteSession {
  readonly #publish: (channel: string, message: InputMessage) => Promise<void>;
  readonly #begun = Promise.withResolvers<string | undefined>();
  #channel: string | undefined;
  #isOver = false;
  #hasEnded = false;
  /** The last message: they go one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(publish: (channel: string, message: InputMessage) => Promise<void>) {
    this.#publish = publish;
  }

  /** A worker listens to that channel. */
  begins(channel: string): void {
    this.#channel = channel;
    this.#begun.resolve(channel);
  }

  /** Makes the session of a job with that result. */
  with(result: Promise<JobResult>): Session {
    const over = () => {
      this.#isOver = true;
      this.#begun.resolve(undefined);
    };
    result.then(over, over);
    return {
      result,
      write: async (bytes: Bytes) => {
        if (!this.#hasEnded) await this.#send({ kind: "input", bytes });
      },
      end: () => {
        if (!this.#hasEnded) void this.#send({ kind: "end" });
        this.#hasEnded = true;
      },
      signal: (signal) => {
        if (this.#isOver || this.#channel === undefined) return false;
        void this.#send({ kind: "signal", signal });
        return true;
      },
    };
  }

  /** A message that is lost leaves the program without its input, until its time is up. */
  #send(message: InputMessage): Promise<void> {
    this.#last = this.#last.then(async () => {
      const channel = await this.#begun.promise;
      if (channel !== undefined && !this.#isOver) await this.#publish(channel, message);
    }).catch(() => {});
    return this.#last;
  }
}
