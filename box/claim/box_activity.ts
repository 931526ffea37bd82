/** Keeps programs and changes of files apart: a box runs one program, or its files are changed. */

import { SandboxError } from "../../host/errors.ts";

/** What one holder of a box does in it. */
export class BoxActivity {
  readonly #boxId: number;
  #run: { readonly ended: Promise<unknown>; readonly stop: AbortController } | undefined;
  #changes = 0;

  constructor(boxId: number) {
    this.#boxId = boxId;
  }

  /** Runs a program, which {@linkcode BoxActivity.stop} can end. */
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

  /** Ends the program that runs, if there is one, and waits for it. */
  async stop(): Promise<void> {
    const run = this.#run;
    run?.stop.abort();
    await run?.ended.catch(() => {});
  }

  /** Keeps programs out of the box until the returned function is called. */
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

  /** Checks that no program runs and no file is being changed. */
  assertIdle(word: "already" | "still"): void {
    this.assertNoRun(word);
    if (this.#changes === 0) return;
    throw new SandboxError("box-in-use", `Files are being written into box ${this.#boxId}`);
  }
}
