/** What a judge needs of its boxes, wherever they come from. */

import type { Box } from "../mod.ts";

/** A box as a judge uses it; every `Box` is one. */
export type JudgeBox = Pick<
  Box,
  "run" | "clear" | "files" | "sandbox" | "directory" | "hasControlGroup" | "peakMemoryIsOfBox"
>;

/** A box for a judge, empty, until the lease ends. */
export interface JudgeLease extends AsyncDisposable {
  /** The box. */
  readonly box: JudgeBox;
  /** The CPU that it is pinned to; undefined: none. */
  readonly cpu: number | undefined;
  /** Ends the lease and keeps the box as it is. */
  keep(): Promise<void>;
}

/** Leases boxes to a judge. */
export interface JudgePool extends AsyncDisposable {
  /**
   * Takes a box as soon as one is free.
   *
   * @param options `signal`: gives up waiting
   * @returns the lease
   * @throws {SandboxError} `no-free-box` if none comes free
   */
  lease(options: { signal?: AbortSignal | undefined }): Promise<JudgeLease>;
}

/** Where a judge gets its boxes. */
export interface JudgeBoxes {
  /** Why boxes have no control groups; undefined: they have. */
  readonly whyNoControlGroups: string | undefined;
  /**
   * Makes a pool.
   *
   * @param options which boxes, and whether each is pinned to a CPU in turn
   * @returns the pool
   */
  pool(options: {
    range: { readonly first: number; readonly count: number };
    cpus?: "each" | undefined;
  }): JudgePool;
}
