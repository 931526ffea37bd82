/** Who gets which box of a pool, and what becomes of it afterwards. */

import type { Settings } from "../../config/settings.ts";
import { Box } from "../box.ts";
import type { BoxTaken } from "../claim/box_claim.ts";
import { usableCpus } from "../cpus.ts";
import { SandboxError, toSandboxError } from "../../host/errors.ts";
import type { Lease, PoolOptions } from "./lease.ts";
import { type Sandbox, sharedSandbox } from "../sandbox.ts";

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
  give(lease: Lease): void;
  refuse(error: unknown): void;
}

/** The queue of a pool, at which leases are asked for and given back. */
export class LeaseQueue {
  readonly #sandbox: Sandbox;
  readonly #options: PoolOptions;
  readonly #boxIds: readonly number[];
  /** How many boxes are pinned to each CPU. */
  readonly #cpus: Map<number, number>;
  readonly #requests: Request[] = [];
  /** The boxes that are leased, or cannot be used any more. */
  readonly #own = new Set<number>();
  #inUse = 0;
  /** Since when others hold the whole range. */
  #barrenSinceMs = Infinity;
  #isSearching = false;
  #wake = () => {};
  #closed: PromiseWithResolvers<void> | undefined;

  private constructor(sandbox: Sandbox, options: PoolOptions) {
    const { settings, system } = sandbox;
    this.#sandbox = sandbox;
    this.#options = options;
    this.#boxIds = rangeOf(settings, options);
    const usable = options.cpus === undefined ? [] : usableCpus(system);
    const cpus = options.cpus === "each" ? usable : options.cpus ?? [];
    const missing = cpus.find((cpu) => !usable.includes(cpu));
    if (missing !== undefined) {
      throw new RangeError(
        `Cannot pin boxes to CPU ${missing}: this process may use ${usable.join(", ")}`,
      );
    }
    this.#cpus = new Map(cpus.map((cpu) => [cpu, 0]));
  }

  /** Opens a queue. */
  static async open(options: PoolOptions): Promise<LeaseQueue> {
    return new LeaseQueue(options.sandbox ?? await sharedSandbox(), options);
  }

  /** How many boxes are leased now. */
  get leased(): number {
    return this.#inUse;
  }

  /** Asks for a box. */
  lease(signal: AbortSignal | undefined): Promise<Lease> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw closedError();
      const onAbort = () => {
        this.#requests.splice(this.#requests.indexOf(request), 1);
        request.refuse(signal?.reason);
        this.#wake();
      };
      const request: Request = {
        sinceMs: performance.now(),
        give: (lease) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(lease);
        },
        refuse: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      signal?.addEventListener("abort", onAbort);
      this.#requests.push(request);
      this.#search();
    });
  }

  /** Refuses requests, and waits until all boxes have come back. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      for (const request of this.#requests.splice(0)) request.refuse(closedError());
      this.#wake();
      this.#settle();
    }
    return this.#closed.promise;
  }

  /** Serves requests for as long as there are any and not all boxes of the pool are in use. */
  async #search(): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    for (let pauseMs = PAUSE_MIN_MS; this.#hasWork();) {
      this.#inUse++;
      const cpu = this.#takeCpu();
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
      this.#freeCpu(cpu);
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
      const box = await Box.initIfFree({ ...init, boxId, sandbox: this.#sandbox, cpus });
      if (box instanceof Box) return box;
      taken.set(box, (taken.get(box) ?? 0) + 1);
    }
    return { taken };
  }

  /** Refuses those who have waited long enough for others to give a box back. */
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

  /** Sleeps until something has changed, but not for long: other processes do not tell. */
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

  /** Gives a clean box to whoever waits for one; if nobody does any more it is cleaned up. */
  async #giveToNext(box: Box, cpu: number | undefined): Promise<void> {
    const request = this.#requests.shift();
    if (request) return request.give(this.#newLease(box, cpu));
    this.#freeCpu(cpu);
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
    this.#freeCpu(cpu);
    if (box.isHeld && this.#requests.length > 0) {
      // Faster than to clean the box up here and to make it anew there.
      const next = this.#takeCpu();
      const cpus = next === undefined ? undefined : [next];
      const handed = await box.handOver({ cpus }).catch(() => undefined);
      if (handed) return await this.#giveToNext(handed, next);
      this.#freeCpu(next);
    }
    await this.#cleanUp(box);
  }

  async #keep(box: Box, cpu: number | undefined): Promise<void> {
    this.#freeCpu(cpu);
    try {
      await box.stop();
      box.release();
      this.#own.delete(box.boxId);
    } finally {
      this.#inUse--;
      this.#settle();
    }
  }

  /** A box that cannot be cleaned up stays locked for as long as this process lives. */
  async #cleanUp(box: Box): Promise<void> {
    try {
      await box.stop();
      await box.cleanup();
      this.#own.delete(box.boxId);
    } finally {
      this.#inUse--;
      this.#settle();
    }
  }

  /** After a box has come back. */
  #settle(): void {
    if (this.#closed && this.#inUse === 0 && !this.#isSearching) this.#closed.resolve();
    this.#wake();
    if (this.#hasWork()) this.#search();
  }

  #takeCpu(): number | undefined {
    let [chosen] = this.#cpus.keys();
    for (const [cpu, boxes] of this.#cpus) if (boxes < this.#cpus.get(chosen!)!) chosen = cpu;
    if (chosen !== undefined) this.#cpus.set(chosen, this.#cpus.get(chosen)! + 1);
    return chosen;
  }

  #freeCpu(cpu: number | undefined): void {
    if (cpu !== undefined) this.#cpus.set(cpu, this.#cpus.get(cpu)! - 1);
  }
}

function closedError(): SandboxError {
  return new SandboxError("pool-closed", "Cannot lease a box from a pool that was closed");
}

/** The box ids of a pool. */
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
