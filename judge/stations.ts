/**
 * The boxes in which everything is run: one for each test that runs at the same time, pinned to a CPU,
 * and a second one beside it where a validator is needed.
 *
 * @module
 */

import type { Box, Sandbox } from "../mod.ts";
import { BoxPool, type Lease, SandboxError } from "../mod.ts";

/** So long boxes are waited for that are not strictly needed. */
const MORE_BOXES_MS = 2000;

/** A place where one test at a time is run. */
export interface Station {
  /** The box of the submission, or of a compiler. */
  readonly box: Box;
  /** The box of the validator, if one is needed. */
  readonly second: Box | undefined;
  /** The CPUs that both are pinned to; undefined: all. */
  readonly cpus: readonly number[] | undefined;
}

/** How many boxes, and which. */
export interface StationsOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** How many tests are run at the same time. */
  readonly jobs: number;
  /** Whether validators need boxes too. */
  readonly withSecond: boolean;
  /** Which boxes may be taken; default: all. */
  readonly boxIds?: { readonly first: number; readonly count: number } | undefined;
  /** Gives up waiting for boxes. */
  readonly signal?: AbortSignal | undefined;
}

/** All stations of a judge. */
export class Stations {
  /** How many there are. */
  readonly count: number;
  /** Whether the boxes have control groups. */
  readonly hasControlGroups: boolean;
  /** What is odd, a sentence each. */
  readonly warnings: readonly string[];
  readonly #pools: readonly BoxPool[];
  readonly #leases: readonly Lease[];
  readonly #free: Station[];
  readonly #waiting: ((station: Station) => void)[] = [];

  private constructor(options: {
    pools: readonly BoxPool[];
    leases: readonly Lease[];
    stations: Station[];
    hasControlGroups: boolean;
    warnings: readonly string[];
  }) {
    this.#pools = options.pools;
    this.#leases = options.leases;
    this.#free = options.stations;
    this.count = options.stations.length;
    this.hasControlGroups = options.hasControlGroups;
    this.warnings = options.warnings;
  }

  /**
   * Takes the boxes, and makes them: with control groups, where those can be used.
   *
   * @param options how many, and which
   * @returns the stations, all free
   * @throws {SandboxError} if boxes cannot be made, or none is free
   */
  static async open(options: StationsOptions): Promise<Stations> {
    const { sandbox, jobs, withSecond, boxIds, signal } = options;
    const reason = await whyNoControlGroups(sandbox);
    const hasControlGroups = reason === undefined;
    const pools: BoxPool[] = [];
    const leases: Lease[] = [];
    try {
      const pool = async (cpus: "each" | undefined) => {
        const made = await BoxPool.create({
          sandbox,
          size: jobs,
          init: { controlGroup: hasControlGroups },
          ...boxIds && { firstBoxId: boxIds.first, count: boxIds.count },
          ...cpus && { cpus },
        });
        pools.push(made);
        return made;
      };
      const first = await pool("each");
      const second = withSecond ? await pool(undefined) : undefined;
      const stations: Station[] = [];
      while (stations.length < jobs) {
        const station = await takeStation({ first, second, leases, signal }, stations.length === 0);
        if (!station) break;
        stations.push(station);
      }
      const warnings: string[] = [];
      if (reason !== undefined) {
        warnings.push(
          `Memory is limited for each process alone, as control groups cannot be used: ${reason}`,
        );
      }
      if (stations.length < jobs) {
        const count = `${stations.length} of ${jobs} tests run`;
        warnings.push(`Only ${count} at the same time, as others use the boxes`);
      }
      return new Stations({ pools, leases, stations, hasControlGroups, warnings });
    } catch (error) {
      await closeAll({ pools, leases, keep: false });
      throw error;
    }
  }

  /**
   * Does something at a station, as soon as one is free; who comes first gets the first.
   *
   * @param work what is done
   * @returns what it returns
   */
  async use<T>(work: (station: Station) => Promise<T>): Promise<T> {
    const station = this.#free.pop() ??
      await new Promise<Station>((resolve) => this.#waiting.push(resolve));
    try {
      return await work(station);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(station);
      else this.#free.push(station);
    }
  }

  /**
   * Does something at each station, one after the other.
   *
   * @param work what is done
   */
  async each(work: (station: Station) => Promise<void>): Promise<void> {
    for (const station of [...this.#free]) await work(station);
  }

  /**
   * Gives the boxes back.
   *
   * @param options `keep`: leave them as they are, for inspection
   * @returns the directories of those that are kept
   * @throws {SandboxError} if one cannot be cleaned up; the others are nevertheless
   */
  async close(options: { keep: boolean }): Promise<string[]> {
    const kept = options.keep ? this.#leases.map((lease) => lease.box.directory) : [];
    await closeAll({ pools: this.#pools, leases: this.#leases, ...options });
    return kept;
  }
}

async function closeAll({ pools, leases, keep }: {
  pools: readonly BoxPool[];
  leases: readonly Lease[];
  keep: boolean;
}): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const lease of leases) await attempt(() => keep ? lease.keep() : lease.release());
  for (const pool of pools) await attempt(() => pool.close());
  if (failures.length > 0) throw failures[0];
}

/**
 * Takes the boxes of one station. The first one is waited for as long as pools wait; the others are not
 * worth it, and a box of our own could be all that there is to wait for.
 */
async function takeStation({ first, second, leases, signal }: {
  first: BoxPool;
  second: BoxPool | undefined;
  leases: Lease[];
  signal: AbortSignal | undefined;
}, isFirst: boolean): Promise<Station | undefined> {
  const patience = new AbortController();
  const giveUp = () => patience.abort(signal?.reason);
  const timer = isFirst ? undefined : setTimeout(giveUp, MORE_BOXES_MS);
  signal?.addEventListener("abort", giveUp);
  const take = async (pool: BoxPool) => {
    signal?.throwIfAborted();
    const lease = await pool.lease({ signal: patience.signal });
    leases.push(lease);
    return lease;
  };
  try {
    const { box, cpu } = await take(first);
    const other = second && await take(second);
    return { box, second: other?.box, cpus: cpu === undefined ? undefined : [cpu] };
  } catch (error) {
    signal?.throwIfAborted();
    const isTaken = error instanceof SandboxError && error.kind === "no-free-box";
    if (isFirst || !isTaken && !patience.signal.aborted) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** Without control groups only one thing is missing: memory of several processes together. */
async function whyNoControlGroups(sandbox: Sandbox): Promise<string | undefined> {
  try {
    await sandbox.controlGroupDirectory();
    return undefined;
  } catch (error) {
    if (error instanceof SandboxError && error.kind === "control-group") return error.message;
    throw error;
  }
}
