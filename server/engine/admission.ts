/** Lets so many jobs run at once, and so many more wait for their turn. */

import { BusyError } from "./executor.ts";

const RETRY_MIN_SECONDS = 1;
const RETRY_MAX_SECONDS = 60;
/** How much the last job counts in the average. */
const SHARE_OF_LAST = 0.1;
const FIRST_GUESS_MS = 500;

interface Waiting {
  readonly priority: number;
  readonly enter: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** How many may come in. */
export interface AdmissionOptions {
  /** How many run at once. */
  readonly running: number;
  /** How many more may wait. */
  readonly waiting: number;
}

/** Admits jobs by their priority, and among equals in the order in which they come. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #averageMs = FIRST_GUESS_MS;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Does the work once it is its turn.
   *
   * @throws {BusyError} if too many wait already. Rejects with it
   */
  async run<T>(
    work: () => Promise<T>,
    { priority = 0, signal, onAccepted = () => {} }: {
      priority?: number;
      signal?: AbortSignal | undefined;
      /** Told once the work has its place. */
      onAccepted?: (() => void) | undefined;
    } = {},
  ): Promise<T> {
    await this.#enter(priority, { signal, onAccepted });
    const sinceMs = performance.now();
    try {
      return await work();
    } finally {
      const tookMs = performance.now() - sinceMs;
      this.#averageMs += SHARE_OF_LAST * (tookMs - this.#averageMs);
      this.#leave();
    }
  }

  /** Refuses everybody from now on, also those who wait, and returns when nothing runs. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      for (const { refuse } of this.#waiting.splice(0)) refuse(closing());
      if (this.#running === 0) this.#closed.resolve();
    }
    return this.#closed.promise;
  }

  /** Estimates when one more job would have a chance, in seconds. */
  get retryAfterSeconds(): number {
    const turns = (this.#waiting.length + 1) / this.#options.running;
    const seconds = Math.ceil(turns * this.#averageMs / 1000);
    return Math.min(RETRY_MAX_SECONDS, Math.max(RETRY_MIN_SECONDS, seconds));
  }

  async #enter(priority: number, { signal, onAccepted }: {
    signal: AbortSignal | undefined;
    onAccepted: () => void;
  }): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closing();
    const { running, waiting } = this.#options;
    if (this.#running < running && this.#waiting.length === 0) {
      this.#running++;
      onAccepted();
      return;
    }
    if (this.#waiting.length >= waiting) {
      throw new BusyError(
        `Too many jobs: ${this.#running} run and ${this.#waiting.length} wait; try again later`,
        this.retryAfterSeconds,
      );
    }
    const { promise, resolve: enter, reject: refuse } = Promise.withResolvers<void>();
    const entry: Waiting = { priority, enter, refuse };
    const next = this.#waiting.findIndex((other) => other.priority > priority);
    this.#waiting.splice(next < 0 ? this.#waiting.length : next, 0, entry);
    const onAbort = () => {
      const place = this.#waiting.indexOf(entry);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      refuse(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
    onAccepted();
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place goes to whoever waits: nobody who comes meanwhile can take it.
    if (next) return next.enter();
    this.#running--;
    if (this.#closed && this.#running === 0) this.#closed.resolve();
  }
}

function closing(): BusyError {
  return new BusyError("The server is being stopped", RETRY_MIN_SECONDS);
}
