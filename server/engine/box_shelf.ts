/** Keeps the boxes of an executor at hand: to make and remove one for each job takes longer than most jobs. */

import { type Box, BoxPool, type Lease, type Sandbox } from "../../mod.ts";

/** After that time nobody needs it soon, and others may want it. */
const IDLE_MS = 60_000;

/** Which boxes there are. */
export interface BoxShelfOptions {
  readonly sandbox: Sandbox;
  readonly boxIds: { readonly first: number; readonly count: number };
  /** How many may be in use at once; as many more may be about to be emptied. */
  readonly size: number;
  readonly controlGroup: boolean;
}

interface Idle {
  readonly lease: Lease;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Lends boxes, each to one job at a time, and empty. */
export class BoxShelf implements AsyncDisposable {
  readonly #pool: BoxPool;
  readonly #idle: Idle[] = [];
  /** Boxes that are being emptied. */
  readonly #emptied = new Set<Promise<void>>();
  #isClosed = false;

  private constructor(pool: BoxPool) {
    this.#pool = pool;
  }

  /** Makes a shelf; no box is taken yet. */
  static async open(
    { sandbox, boxIds, size, controlGroup }: BoxShelfOptions,
  ): Promise<BoxShelf> {
    const pool = await BoxPool.create({
      sandbox,
      size: Math.min(2 * size, boxIds.count),
      firstBoxId: boxIds.first,
      count: boxIds.count,
      init: { controlGroup },
    });
    return new BoxShelf(pool);
  }

  /**
   * Does work in a box, whatever becomes of the work. The box is emptied before anybody gets it again, but
   * whoever waits for the work does not wait for that.
   */
  async use<T>(
    work: (box: Box) => Promise<T>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const lease = await this.#take(signal);
    try {
      return await work(lease.box);
    } finally {
      const emptied = this.#giveBack(lease).finally(() => this.#emptied.delete(emptied));
      this.#emptied.add(emptied);
    }
  }

  /** Removes the boxes that nobody uses, and waits for the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#emptied);
    const idle = this.#idle.splice(0);
    for (const { timer } of idle) clearTimeout(timer);
    await Promise.allSettled(idle.map(({ lease }) => lease.release()));
    await this.#pool.close();
  }

  async #take(signal: AbortSignal | undefined): Promise<Lease> {
    // To wait for one takes less time than to make another one.
    while (this.#idle.length === 0 && this.#emptied.size > 0) await Promise.race(this.#emptied);
    signal?.throwIfAborted();
    // The one used last: what it needs is still in the caches.
    const idle = this.#idle.pop();
    if (!idle) return await this.#pool.lease({ signal });
    clearTimeout(idle.timer);
    return idle.lease;
  }

  async #giveBack(lease: Lease): Promise<void> {
    try {
      const { box } = lease;
      await box.stop();
      await box.clear({ controlGroup: box.peakMemoryIsOfBox || "if-used" });
    } catch {
      // The pool knows what to do with a box that cannot be emptied: nobody gets it any more.
      await lease.release().catch(() => {});
      return;
    }
    if (this.#isClosed) return await lease.release().catch(() => {});
    const timer = setTimeout(() => {
      const place = this.#idle.findIndex((idle) => idle.lease === lease);
      if (place >= 0) this.#idle.splice(place, 1);
      lease.release().catch(() => {});
    }, IDLE_MS);
    // It must not keep the process alive.
    Deno.unrefTimer(timer);
    this.#idle.push({ lease, timer });
  }
}
