/** Pools of boxes: any number of jobs share some boxes, and processes share a range of box ids. */

import { toSandboxError } from "../../host/errors.ts";
import type { Box } from "../box.ts";
import type { Lease, LeaseQueue, PoolOptions } from "./lease_queue.ts";

/**
 * Leases boxes from a range of ids. Any number of pools, in any number of processes, may share a range,
 * also with users of its boxes who have no pool: a box that somebody works on, or has initialised and
 * not cleaned up, is left alone. The boxes of a process that died are free at once.
 *
 * A box is initialised when it is leased and cleaned up when it comes back, unless another job of this
 * pool waits for it: then it is emptied and handed over, which is faster. Jobs get boxes in the order
 * in which they ask. Nothing is locked while nothing is leased.
 *
 * @example
 * ```ts
 * import { BoxPool } from "isolate/mod.ts";
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
  readonly #queue: LeaseQueue;

  private constructor(queue: LeaseQueue) {
    this.#queue = queue;
  }

  /**
   * Makes a pool. No box is taken yet.
   *
   * @param options which boxes, how many at once, and how they are made
   * @returns the pool
   * @throws {RangeError} if there are no such boxes or CPUs
   * @throws {SandboxError} if the sandbox cannot work here
   */
  static async create(options: PoolOptions): Promise<BoxPool> {
    try {
      // A command that runs a program needs none of it.
      const { LeaseQueue } = await import("./lease_queue.ts");
      return new BoxPool(await LeaseQueue.open(options));
    } catch (error) {
      throw toSandboxError(error);
    }
  }

  /** How many boxes are leased now. */
  get leased(): number {
    return this.#queue.leased;
  }

  /**
   * Takes a box as soon as one is free and it is this job's turn.
   *
   * @param options `signal`: gives up waiting
   * @returns the lease
   * @throws {SandboxError} `no-free-box` if others have held the whole range for `waitMs`,
   *   `pool-closed`, or why a box cannot be made
   */
  lease(options: { signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    return this.#queue.lease(options.signal);
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
    return this.#queue.close();
  }

  /** Closes the pool, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
