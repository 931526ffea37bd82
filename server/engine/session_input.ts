/** Standard input that comes while the program runs. */

import type { Bytes } from "./types.ts";

/** A stream that is written to piece by piece. */
export class SessionInput {
  /** What the program reads. */
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #isOver = false;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(first: Bytes) {
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        if (first.length > 0) controller.enqueue(first);
      },
      pull: () => this.#makeRoom(),
      cancel: () => {
        this.#isOver = true;
        this.#makeRoom();
      },
    });
  }

  /** Writes; resolves when there is room for more, or nobody reads any more. */
  async write(bytes: Bytes): Promise<void> {
    if (this.#isOver || bytes.length === 0) return;
    this.#controller.enqueue(bytes);
    if ((this.#controller.desiredSize ?? 1) > 0) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  /** Ends the input. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.close();
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
