/** Leases of boxes, and how a pool is made. */

import type { Box } from "../box.ts";
import type { InitOptions } from "../claim/box_claim.ts";
import type { Sandbox } from "../sandbox.ts";

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
  /** How the boxes are made; `ready` is true unless it is set to false. */
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
