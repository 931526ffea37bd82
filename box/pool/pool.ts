/** Pools of boxes: any number of jobs share some boxes, and processes share a range of box ids. */

import type { Settings } from "../../config/settings.ts";
import { SandboxError, toSandboxError, translated } from "../../host/errors.ts";
import { Box } from "../box.ts";
import type { BoxTaken } from "../claim/box_claim.ts";
import { checkPool } from "../option_forms.ts";
import { type Sandbox, sharedSandbox } from "../sandbox.ts";
import { CpuShares } from "./cpu_shares.ts";
import type { Lease, PoolOptions } from "./lease.ts";

const WAIT_MS = 60_000;
const PAUSE_MIN_MS = 2;
const PAUSE_MAX_MS = 50;
/** Looking for a box in a large range that is taken must not keep a CPU busy. */
const PAUSES_PER_SEARCH = 20;

const TAKEN_WORDS: Readonly<Record<BoxTaken, string>> = {
  "in-use": "in use",
  initialised: "initialised and not cleaned up",
  foreign: "of other users",
};

interface Request {
  readonly sinceMs: number;
  readonly give: (lease: Lease) => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Leases boxes from a range of ids. Any number of pools, in any number of processes, may share a range,
 * also with users of its boxes without a pool: a box that is in use, or initialised and not cleaned
 * up, is left alone. The boxes of a process that died are free at once.
 *
 * A box is initialised when it is leased and cleaned up when it comes back, unless another job of this
 * pool waits for it: then it is emptied and handed over, which is faster. Jobs get boxes in the order
 * in which they ask. Nothing is locked while nothing is leased. While a program runs, what the next run
 * in its box needs is made ready, unless `init` says otherwise.
 *
 * @example
 * ```ts
 * import { BoxPool } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = await BoxPool.create({ firstBoxId: 930, count: 4, size: 2, cpus: "each" });
 * const sums = await Promise.all([1, 2, 3, 4, 5].map((n) =>
 *   pool.use(async (box) => {
 *     await box.files.write("in", `${n}`);
 *     await box.run(["/bin/sh", "-c", "echo $(($(cat in) + 1)) > out"], {
 *       limits: { processes: 4 },
 *     });
 *     return parseInt(await box.files.readText("out", { limitBytes: 100 }));
 *   })
 * ));
 * assertEquals(sums, [2, 3, 4, 5, 6]);
 * ```
 */
export class BoxPool {
  readonly #sandbox: Sandbox;
  readonly #options: PoolOptions;
  readonly #boxIds: readonly number[];
  readonly #cpus: CpuShares;
  readonly #requests: Request[] = [];
  /** The boxes that are leased, or broken. */
  readonly #own = new Set<number>();
  #inUse = 0;
  /** Since when others have held the whole range. */
  #barrenSinceMs = Infinity;
  #isSearching = false;
  #wake = () => {};
  #closed: PromiseWithResolvers<void> | undefined;

  private constructor(sandbox: Sandbox, options: PoolOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#boxIds = rangeOf(sandbox.settings, options);
    this.#cpus = new CpuShares(sandbox.system, options.cpus);
  }

  /**
   * Makes a pool. No box is taken yet.
   *
   * @param options which boxes, how many at once, and how they are made
   * @returns the pool
   * @throws {RangeError} if there are no such boxes or CPUs
   * @throws {SandboxError} if the sandbox cannot work here
   */
  static create(options: PoolOptions): Promise<BoxPool> {
    return translated(async () => {
      checkPool(options);
      return new BoxPool(options.sandbox ?? await sharedSandbox(), options);
    });
  }

  /** How many boxes are leased now. */
  get leased(): number {
    return this.#inUse;
  }

  /**
   * Takes a box as soon as one is free and it is this job's turn.
   *
   * @param options `signal`: gives up waiting
   * @returns the lease
   * @throws {SandboxError} `no-free-box` if others have held the whole range for `waitMs`,
   *   `pool-closed`, or why a box cannot be made
   */
  async lease({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const { promise, resolve: give, reject: refuse } = Promise.withResolvers<Lease>();
    const request: Request = { sinceMs: performance.now(), give, refuse };
    const onAbort = () => {
      const place = this.#requests.indexOf(request);
      if (place < 0) return;
      this.#requests.splice(place, 1);
      refuse(signal?.reason);
      this.#wake();
    };
    signal?.addEventListener("abort", onAbort);
    this.#requests.push(request);
    this.#search();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Does a job in a box, and gives the box back, also if the job fails.
   *
   * @param job works in the box, until it returns
   * @param options `signal`: gives up waiting for the box
   * @returns what the job returns
   * @throws {SandboxError} as {@linkcode BoxPool.lease} and {@linkcode Lease.release}
   */
  async use<T>(
    job: (box: Box, lease: Lease) => T | Promise<T>,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    await using lease = await this.lease(options);
    return await job(lease.box, lease);
  }

  /**
   * Closes the pool: refuses jobs that wait for a box, and returns when all leases have ended. By then
   * all boxes are cleaned up.
   */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      for (const request of this.#requests.splice(0)) request.refuse(closedError());
      this.#wake();
      this.#settle();
    }
    return this.#closed.promise;
  }

  /** Closes the pool, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Serves requests while there are any and not all boxes of the pool are in use. */
  async #search(): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    for (let pauseMs = PAUSE_MIN_MS; this.#hasWork();) {
      this.#inUse++;
      const cpu = this.#cpus.take();
      const startMs = performance.now();
      const found = await this.#findBox(cpu).catch((error: unknown) => ({ error }));
      const searchMs = performance.now() - startMs;
      if (found instanceof Box) {
        pauseMs = PAUSE_MIN_MS;
        this.#barrenSinceMs = Infinity;
        this.#own.add(found.boxId);
        await this.#giveToNext(found, cpu);
        continue;
      }
      this.#cpus.free(cpu);
      this.#inUse--;
      if (this.#closed) break;
      if ("error" in found) {
        this.#requests.shift()?.refuse(toSandboxError(found.error));
        continue;
      }
      this.#refuseLate(found.taken);
      if (!this.#hasWork()) break;
      await this.#sleep(Math.max(pauseMs, PAUSES_PER_SEARCH * searchMs));
      pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
    }
    this.#isSearching = false;
    this.#settle();
  }

  #hasWork(): boolean {
    return this.#requests.length > 0 && this.#inUse < this.#options.size;
  }

  async #findBox(cpu: number | undefined): Promise<Box | { taken: Map<BoxTaken, number> }> {
    const taken = new Map<BoxTaken, number>();
    const cpus = cpu === undefined ? undefined : [cpu];
    for (const boxId of this.#boxIds) {
      if (this.#own.has(boxId)) continue;
      const { init } = this.#options;
      const box = await Box.initIfFree({
        ready: true,
        ...init,
        boxId,
        sandbox: this.#sandbox,
        cpus,
      });
      if (box instanceof Box) return box;
      taken.set(box, (taken.get(box) ?? 0) + 1);
    }
    return { taken };
  }

  /** Refuses requests that have waited long enough for others to give a box back. */
  #refuseLate(taken: ReadonlyMap<BoxTaken, number>): void {
    const nowMs = performance.now();
    // A box of this pool will come back.
    if (this.#inUse > 0) this.#barrenSinceMs = Infinity;
    else this.#barrenSinceMs = Math.min(this.#barrenSinceMs, nowMs);
    const { waitMs = WAIT_MS } = this.#options;
    const isLate = ({ sinceMs }: Request) =>
      nowMs - Math.max(sinceMs, this.#barrenSinceMs) >= waitMs;
    while (this.#requests[0] && isLate(this.#requests[0])) {
      this.#requests.shift()!.refuse(this.#noFreeBox(taken, waitMs));
    }
  }

  #noFreeBox(taken: ReadonlyMap<BoxTaken, number>, waitMs: number): SandboxError {
    const broken = this.#own.size === 0 ? [] : [`${this.#own.size} could not be cleaned up`];
    const counts = [...taken].map(([why, count]) => `${count} ${TAKEN_WORDS[why]}`);
    return new SandboxError(
      "no-free-box",
      `No box from ${this.#boxIds[0]} to ${this.#boxIds.at(-1)} was free for ${waitMs} ms: ` +
        counts.concat(broken).join(", "),
    );
  }

  /** Sleeps until something has changed, but not for long: other processes send no notice. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake = wake;
    });
  }

  /** Gives a clean box to the first request, or cleans it up if there is none left. */
  async #giveToNext(box: Box, cpu: number | undefined): Promise<void> {
    const request = this.#requests.shift();
    if (request) return request.give(this.#newLease(box, cpu));
    this.#cpus.free(cpu);
    await this.#cleanUp(box).catch(() => {});
  }

  #newLease(box: Box, cpu: number | undefined): Lease {
    let ended: Promise<void> | undefined;
    const release = () => ended ??= this.#takeBack(box, cpu);
    return {
      box,
      cpu,
      release,
      keep: () => ended ??= this.#keep(box, cpu),
      [Symbol.asyncDispose]: release,
    };
  }

  async #takeBack(box: Box, cpu: number | undefined): Promise<void> {
    this.#cpus.free(cpu);
    if (box.isHeld && this.#requests.length > 0) {
      // Faster than cleaning the box up here and making it again there.
      const next = this.#cpus.take();
      const cpus = next === undefined ? undefined : [next];
      const handed = await box.handOver({ cpus }).catch(() => undefined);
      if (handed) return await this.#giveToNext(handed, next);
      this.#cpus.free(next);
    }
    await this.#cleanUp(box);
  }

  async #keep(box: Box, cpu: number | undefined): Promise<void> {
    this.#cpus.free(cpu);
    await this.#giveUp(box, () => box.release());
  }

  async #cleanUp(box: Box): Promise<void> {
    await this.#giveUp(box, () => box.cleanup());
  }

  /** Ends what runs in a box. If it fails, the box stays locked for as long as this process lives. */
  async #giveUp(box: Box, free: () => void | Promise<void>): Promise<void> {
    try {
      await box.stop();
      await free();
      this.#own.delete(box.boxId);
    } finally {
      this.#inUse--;
      this.#settle();
    }
  }

  /** Goes on after a box has come back. */
  #settle(): void {
    if (this.#closed && this.#inUse === 0 && !this.#isSearching) this.#closed.resolve();
    this.#wake();
    if (this.#hasWork()) this.#search();
  }
}

function closedError(): SandboxError {
  return new SandboxError("pool-closed", "Cannot lease a box from a pool that was closed");
}

function rangeOf({ numBoxes }: Settings, options: PoolOptions): number[] {
  const { firstBoxId = 0, size } = options;
  const count = options.count ?? numBoxes - firstBoxId;
  const last = firstBoxId + count - 1;
  const isRange = Number.isInteger(firstBoxId) && Number.isInteger(count);
  if (!isRange || firstBoxId < 0 || count < 1 || last >= numBoxes) {
    throw new RangeError(
      `Cannot lease ${count} boxes from ${firstBoxId} on: box ids are 0 to ${numBoxes - 1}`,
    );
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Cannot lease boxes as size must be a whole number >= 1: it is ${size}`);
  }
  return Array.from({ length: count }, (_, i) => firstBoxId + i);
}
