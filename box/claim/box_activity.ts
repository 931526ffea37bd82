/** What goes on in a box: at most one program, or files being changed. */

import { SandboxError } from "../../host/errors.ts";

/** What goes on in one box, for one holder of it. */
export class BoxActivity {
  readonly #boxId: number;
  #run: { readonly ended: Promise<unknown>; readonly stop: AbortController } | undefined;
  #changes = 0;

  /** Nothing goes on yet. */
  constructor(boxId: number) {
    this.#boxId = boxId;
  }

  /** Runs a program, which {@linkcode BoxActivity.stop} can break off. */
  async run<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.assertIdle("already");
    const stop = new AbortController();
    const relay = () => stop.abort(signal?.reason);
    if (signal?.aborted) relay();
    else signal?.addEventListener("abort", relay);
    try {
      const ended = work(stop.signal);
      this.#run = { ended, stop };
      return await ended;
    } finally {
      this.#run = undefined;
      signal?.removeEventListener("abort", relay);
    }
  }

  /** Breaks off the program that runs, if there is one, and waits for its end. */
  async stop(): Promise<void> {
    const run = this.#run;
    run?.stop.abort();
    await run?.ended.catch(() => {});
  }

  /** Begins to change files, which keeps programs out of the box until it is done. */
  beginChange(): () => void {
    if (this.#run) {
      throw new SandboxError(
        "box-in-use",
        `Box ${this.#boxId} runs a program: until it ends files can be read, but not changed`,
      );
    }
    this.#changes++;
    return () => {
      this.#changes--;
    };
  }

  /** Checks that no program runs. */
  assertNoRun(word: "already" | "still"): void {
    if (!this.#run) return;
    throw new SandboxError("box-in-use", `Box ${this.#boxId} ${word} runs a program`);
  }

  /** Checks that nothing goes on. */
  assertIdle(word: "already" | "still"): void {
    this.assertNoRun(word);
    if (this.#changes === 0) return;
    throw new SandboxError("box-in-use", `Files are being written into box ${this.#boxId}`);
  }
}
