/**
 * A caller in another process. The sandbox never opens the caller's paths, writes the caller's files or
 * holds the caller's streams: that process does it, with its own rights, and waits if something blocks.
 */

import type { BindRule } from "./setup/directory_rules.ts";

/** Reaches what belongs to the caller, through the caller's own process. */
export interface RemoteCaller {
  /** His process, whose resource limits a program inherits where nothing else is asked for. */
  readonly pid: number;
  /** The limits that it says it has, by their numbers. */
  readonly limits: readonly { readonly soft: bigint; readonly hard: bigint }[];
  /** The socket from which init takes the standard streams. */
  readonly streamSocket: number;
  /** Which of the descriptors 0 to 2 come from there, in this order. */
  readonly streams: readonly number[];
  /**
   * Finds the rules whose paths lead the caller to other files than this process, because the caller's
   * root or mounts are others.
   */
  findOthers(rules: readonly BindRule[]): Promise<ReadonlySet<BindRule>>;
  /**
   * Opens the sources of rules as O_PATH descriptors, which the sandbox then owns. A caller who has
   * other mounts than the sandbox clones them, which takes root rights.
   *
   * @returns the descriptors; undefined for an optional one that does not exist
   * @throws {SystemError} naming the rule whose source cannot be reached
   */
  openSources(
    rules: readonly BindRule[],
  ): Promise<{ fds: (number | undefined)[]; areClones: boolean }>;
  /**
   * Puts the descriptors above 2 that a program inherits from it into the socket, behind the standard
   * streams.
   *
   * @returns their numbers in ascending order, which is that of the socket: so many a message
   */
  deliverDescriptors(): Promise<readonly number[]>;
  /** Whether there is a terminal to lend. */
  hasTerminal(): Promise<boolean>;
  /**
   * Puts the standard streams into the socket once more, with a terminal for the program in place of
   * that on standard output; undefined if there is none.
   */
  lendTerminal(): Promise<LentTerminal | undefined>;
}

/** The caller's terminal while a program uses it. */
export interface LentTerminal {
  /** Prints what is left of the program, which is dead, and restores the terminal. */
  end(): Promise<void>;
}

/** As many descriptors as the kernel lets through in one message (SCM_MAX_FD). */
export const MESSAGE_FDS_MAX = 253;
