/** The queue of a pool: who gets which box, and what becomes of it afterwards. */

import type { Settings } from "../../config/settings.ts";
import { SandboxError, toSandboxError } from "../../host/errors.ts";
import { Box } from "../box.ts";
import type { BoxTaken, InitOptions } from "../claim/box_claim.ts";
import { usableCpus } from "../cpus.ts";
import { type Sandbox, sharedSandbox } from "../sandbox.ts";

/** Which boxes a pool leases, and how they are made. */
export interface PoolOptions {
  /** The sandbox. Default: the one with the machine's configuration. */
  sandbox?: Sandbox | undefined;
  /** The first box id of the range. Default: 0. */
  firstBoxId?: number;
  /** How many box ids there are in the range. Default: all from the first one on. */
  count?: number;
  /** The most boxes that are leased at once. */
  size: number;
  /**
   * Pins the programs of each box to one CPU: `"each"` CPU of this process in turn, or each of these.
   * More boxes than CPUs share them. Default: not pinned.
   */
  cpus?: "each" | readonly number[];
  /** How the boxes are made. */
  init?: Omit<InitOptions, "boxId" | "sandbox" | "wait" | "signal" | "cpus">;
  /**
   * How long to wait, in milliseconds, while other processes hold the whole range and this pool has no
   * box that could come back. Default: 60,000.
   */
  waitMs?: number;
}

/** An empty box that belongs to its holder until the lease ends. */
export interface Lease extends AsyncDisposable {
  /** The box. After the lease it behaves like one that was released. */
  readonly box: Box;
  /** The CPU of runs in the box that name none of their own; undefined: not pinned. */
  readonly cpu: number | undefined;
  /**
   * Gives the box back: stops what runs in it and removes what was in it.
   *
   * @throws {SandboxError} if the box cannot be cleaned; then nobody gets it while this process lives
   */
  release(): Promise<void>;
  /**
   * Ends the lease and keeps the box as it is, initialised and unlocked, as if `isolate --init` had made
   * it: for a look into it, and then for {@linkcode Box.remove}. A current run is stopped.
   */
  keep(): Promise<void>;
}

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

/** Serves requests for boxes in the order in which they come. */
export class LeaseQueue {
  readonly #sandbox: Sandbox;
  readonly #options: PoolOptions;
  readonly #boxIds: readonly number[];
  /** How many boxes are pinned to each CPU. */
  readonly #cpus: Map<number, number>;
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

  /** Opens a queue; no box is taken yet. */
  static async open(options: PoolOptions): Promise<LeaseQueue> {
    return new LeaseQueue(options.sandbox ?? await sharedSandbox(), options);
  }

  /** How many boxes are leased now. */
  get leased(): number {
    return this.#inUse;
  }

  /** Waits for a box. */
  async lease(signal: AbortSignal | undefined): Promise<Lease> {
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

  /** Refuses all requests, and waits until all boxes have come back. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      for (const request of this.#requests.splice(0)) request.refuse(closedError());
      this.#wake();
      this.#settle();
    }
    return this.#closed.promise;
  }

  /** Serves requests while there are any and not all boxes of the pool are in use. */
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

  /** Gives a clean box to the first request; if there is none any more, cleans it up. */
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
      // Faster than cleaning the box up here and making it again there.
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

  /** Chooses the CPU with the fewest boxes. */
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

/** Lists the box ids of a pool. */
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
