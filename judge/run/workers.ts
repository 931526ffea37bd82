/**
 * The boxes in which everything is run: one for each test that runs at the same time, pinned to a CPU,
 * and a second one beside it where a validator is needed.
 */

import type { Box, Sandbox } from "../../mod.ts";
import { BoxPool, type Lease, SandboxError } from "../../mod.ts";

/** So long boxes are waited for that are not strictly needed. */
const MORE_BOXES_MS = 2000;

/** A place where one test at a time is run. */
export interface Worker {
  /** The box of the submission, or of a compiler. */
  readonly box: Box;
  /** The box of the validator, if one is needed. */
  readonly second: Box | undefined;
  /** The CPUs that both are pinned to; undefined: all. */
  readonly cpus: readonly number[] | undefined;
}

/** How many boxes, and which. */
export interface WorkersOptions {
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

/** All workers of a judge. */
export class Workers {
  /** How many there are. */
  readonly count: number;
  /** Whether the boxes have control groups. */
  readonly hasControlGroups: boolean;
  /** What is odd, a sentence each. */
  readonly warnings: readonly string[];
  readonly #pools: readonly BoxPool[];
  readonly #leases: readonly Lease[];
  readonly #free: Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  private constructor(options: {
    pools: readonly BoxPool[];
    leases: readonly Lease[];
    workers: Worker[];
    hasControlGroups: boolean;
    warnings: readonly string[];
  }) {
    this.#pools = options.pools;
    this.#leases = options.leases;
    this.#free = options.workers;
    this.count = options.workers.length;
    this.hasControlGroups = options.hasControlGroups;
    this.warnings = options.warnings;
  }

  /** Takes the boxes, and makes them: with control groups, where those can be used. */
  static async open(options: WorkersOptions): Promise<Workers> {
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
      const workers: Worker[] = [];
      while (workers.length < jobs) {
        const worker = await takeWorker({ first, second, leases, signal }, workers.length === 0);
        if (!worker) break;
        workers.push(worker);
      }
      const warnings: string[] = [];
      if (reason !== undefined) {
        warnings.push(
          `Memory is limited for each process alone, as control groups cannot be used: ${reason}`,
        );
      }
      if (workers.length < jobs) {
        const count = `${workers.length} of ${jobs} tests run`;
        warnings.push(`Only ${count} at the same time, as others use the boxes`);
      }
      return new Workers({ pools, leases, workers, hasControlGroups, warnings });
    } catch (error) {
      await closeAll({ pools, leases, keep: false });
      throw error;
    }
  }

  /** Does something at a worker, as soon as one is free; who comes first gets the first. */
  async use<T>(work: (worker: Worker) => Promise<T>): Promise<T> {
    const worker = this.#free.pop() ??
      await new Promise<Worker>((resolve) => this.#waiting.push(resolve));
    try {
      return await work(worker);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(worker);
      else this.#free.push(worker);
    }
  }

  /** Does something at each worker, one after the other. */
  async each(work: (worker: Worker) => Promise<void>): Promise<void> {
    for (const worker of [...this.#free]) await work(worker);
  }

  /** Gives the boxes back. */
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
 * Takes the boxes of one worker. The first one is waited for as long as pools wait; the others are not
 * worth it, and a box of our own could be all that there is to wait for.
 */
async function takeWorker({ first, second, leases, signal }: {
  first: BoxPool;
  second: BoxPool | undefined;
  leases: Lease[];
  signal: AbortSignal | undefined;
}, isFirst: boolean): Promise<Worker | undefined> {
  const waiting = new AbortController();
  const giveUp = () => waiting.abort(signal?.reason);
  const timer = isFirst ? undefined : setTimeout(giveUp, MORE_BOXES_MS);
  signal?.addEventListener("abort", giveUp);
  const take = async (pool: BoxPool) => {
    signal?.throwIfAborted();
    const lease = await pool.lease({ signal: waiting.signal });
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
    if (isFirst || !isTaken && !waiting.signal.aborted) throw error;
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
