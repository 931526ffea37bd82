/** Sends results to where clients want them, several times if that fails. */

import { lookup } from "node:dns/promises";
import type { Destinations, Resolve } from "./destinations.ts";
import { put } from "./put.ts";

/** How callbacks are sent. */
export interface CallbackOptions {
  readonly destinations: Destinations;
  /** Told about those that were given up, one sentence each. */
  readonly onFailure: (message: string) => void;
  /** How often one is tried. Default: 3. */
  readonly triesMax?: number;
  /** How long a try may take. Default: 5000. */
  readonly timeoutMs?: number;
  /** The pause before another try. Default: 1000. */
  readonly pauseMs?: number;
  /** How many are under way at once; others wait. Default: 32. */
  readonly atOnceMax?: number;
  /** How many wait; others are not sent. Default: 10,000. */
  readonly waitingMax?: number;
  /** Default: as this machine resolves names. */
  readonly resolve?: Resolve;
  /** Certificates of authorities that are trusted besides the usual ones. Default: none. */
  readonly caCerts?: readonly string[];
}

const DEFAULTS = {
  triesMax: 3,
  timeoutMs: 5000,
  pauseMs: 1000,
  atOnceMax: 32,
  waitingMax: 10_000,
  resolve: resolveHere,
  caCerts: [],
};

interface Callback {
  readonly url: string;
  readonly body: () => string | undefined;
}

/** Sends callbacks. */
export class CallbackSender {
  readonly #options: Required<CallbackOptions>;
  readonly #waiting: Callback[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #end = new AbortController();

  /** Takes what the administrator allows. */
  constructor(options: CallbackOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  get destinations(): Destinations {
    return this.#options.destinations;
  }

  get triesMax(): number {
    return this.#options.triesMax;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /**
   * Sends a callback, as soon as its turn comes; nobody has to wait for it. Its body is asked for
   * then, so that those that wait take no memory; undefined: nobody wants it any more.
   */
  send(url: string, body: () => string | undefined): void {
    if (this.#end.signal.aborted) return;
    if (this.#waiting.length >= this.#options.waitingMax) {
      this.#options.onFailure(`Not called back, as too many callbacks wait: ${url}`);
      return;
    }
    this.#waiting.push({ url, body });
    this.#begin();
  }

  /** Waits until all have been sent or given up; those that the signal catches are given up. */
  async close(signal: AbortSignal): Promise<void> {
    const giveUp = () => {
      this.#waiting.length = 0;
      this.#end.abort();
    };
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    while (this.#running.size > 0) await Promise.all(this.#running);
    signal.removeEventListener("abort", giveUp);
    this.#end.abort();
  }

  #begin(): void {
    while (this.#running.size < this.#options.atOnceMax) {
      const next = this.#waiting.shift();
      if (!next) return;
      const run = this.#send(next).then(() => {
        this.#running.delete(run);
        this.#begin();
      });
      this.#running.add(run);
    }
  }

  async #send(callback: Callback): Promise<void> {
    const { triesMax, pauseMs, onFailure } = this.#options;
    const body = callback.body();
    if (body === undefined) return;
    let reason = "";
    for (let tries = 0; tries < triesMax && !this.#end.signal.aborted; tries++) {
      if (tries > 0) await this.#pause(pauseMs);
      try {
        const status = await this.#try(callback.url, body);
        if (status >= 200 && status < 300) return;
        reason = `the answer was ${status}`;
      } catch (error) {
        reason = reasonOf(error, this.#options.timeoutMs);
      }
    }
    onFailure(`Not called back: ${callback.url}: ${reason}`);
  }

  async #try(url: string, body: string): Promise<number> {
    const { destinations, resolve, timeoutMs, caCerts } = this.#options;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]);
    const parsed = new URL(url);
    const address = await until(signal, destinations.addressOf(parsed, resolve));
    return await put({ url: parsed, address, body, signal, caCerts });
  }

  async #pause(timeMs: number): Promise<void> {
    const { signal } = this.#end;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeMs);
    const end = () => resolve();
    signal.addEventListener("abort", end);
    await promise;
    signal.removeEventListener("abort", end);
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "TimeoutError" ? `no answer within ${timeoutMs} ms` : error.message;
}

/** Waits no longer than the signal allows; what is waited for goes on by itself. */
async function until<T>(signal: AbortSignal, wanted: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  signal.addEventListener("abort", end);
  try {
    return await Promise.race([wanted, promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function resolveHere(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}
