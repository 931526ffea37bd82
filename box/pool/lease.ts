/** Leases of boxes, and the pools that give them. */

import type { Box } from "../box.ts";
import type { InitOptions } from "../claim/box_claim.ts";
import type { Sandbox } from "../sandbox.ts";

/** Which boxes a pool leases, and how they are made. */
export interface PoolOptions {
  /** The sandbox; default: the one with the machine's configuration. */
  sandbox?: Sandbox | undefined;
  /** The first box id of the range. Default: 0. */
  firstBoxId?: number;
  /** How many box ids there are in the range. Default: all from the first one on. */
  count?: number;
  /** How many boxes are leased at once at most. */
  size: number;
  /**
   * Pins what runs in each box to one CPU: to each of those of this process in turn, or to each of
   * these. Where there are more boxes than CPUs, they share. Default: not pinned.
   */
  cpus?: "each" | readonly number[];
  /** How the boxes are made. */
  init?: Omit<InitOptions, "boxId" | "sandbox" | "wait" | "signal" | "cpus">;
  /**
   * How long to wait in milliseconds when other processes hold the whole range, and this pool has no
   * box that could come back. Default: 60,000.
   */
  waitMs?: number;
}

/** A box that is leased: empty, and nobody else's until the lease ends. */
export interface Lease extends AsyncDisposable {
  /** The box. It is as one that was released when the lease has ended. */
  readonly box: Box;
  /** The CPU that runs in the box are pinned to, unless they say otherwise; undefined: none. */
  readonly cpu: number | undefined;
  /**
   * Gives the box back: stops what runs in it and leaves nothing of what was in it.
   *
   * @throws {SandboxError} if the box could not be cleaned; nobody gets it then while this process
   *   lives
   */
  release(): Promise<void>;
  /**
   * Ends the lease and keeps the box as it is, initialised and unlocked, as if it had been made with
   * `isolate --init`: to be looked at, and cleaned up by {@linkcode Box.remove}. A run that is going on
   * is stopped.
   */
  keep(): Promise<void>;
}
