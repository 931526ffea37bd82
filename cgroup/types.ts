/** Control groups as the rest of the program sees them, whichever version the kernel offers. */

import type { Plan } from "../ffi/plan.ts";
import { SandboxError } from "../host/errors.ts";

/** The limits of a run in a control group. */
export interface ControlGroupLimits {
  /** Memory of all processes together, in KiB; undefined: no limit. */
  readonly memoryKib?: number | undefined;
  /** Processes and threads; undefined: no limit. */
  readonly processes?: number | undefined;
  /** The CPUs that may be used, as in cpuset(7); undefined: all. */
  readonly cpus?: string | undefined;
  /** The memory nodes that may be used; undefined: all. */
  readonly mems?: string | undefined;
}

/** What all processes of a run used together. */
export interface ControlGroupUsage {
  /** CPU time in milliseconds. */
  readonly cpuTimeMs: number;
  /** Peak memory in KiB; undefined where the kernel does not tell. */
  readonly peakMemoryKib: number | undefined;
  /** How many processes the kernel killed because the group was out of memory. */
  readonly oomKills: number;
}

/** One run in a control group. */
export interface ControlGroupRun {
  /** Descriptors that the box's init has to inherit. */
  readonly fds: readonly number[];
  /** Descriptor for CLONE_INTO_CGROUP, where processes can be born in a group; it is one of `fds`. */
  readonly birthFd: number | undefined;
  /** Whether the group itself limits the number of processes. */
  readonly limitsProcesses: boolean;
  /** Adds the steps by which a process with root rights enters, where it is not born in it. */
  planEnter(plan: Plan, fds: readonly number[]): void;
  /** What this run has used so far. */
  usage(): ControlGroupUsage;
  /** The CPU time that this run has used so far, in milliseconds. */
  cpuTimeMs(): number;
  /**
   * Stops all processes of the group, or lets them go on; nothing in the group can undo it. False if this
   * kernel cannot do it so that what is stopped can be killed, as with v1.
   */
  freeze(frozen: boolean): boolean;
  /** Kills whatever is left in the group, and makes sure that it is empty. */
  killAll(): void;
  close(): void;
}

/** The control group of a box. */
export interface ControlGroup {
  /** Its directory, or with v1 that of its memory controller. */
  readonly directory: string;
  /**
   * Whether the peak memory of a run is that of all runs since the group was made, as the kernel
   * cannot reset it; known once a run was begun.
   */
  readonly peakIsOfBox: boolean;
  /** Sets the limits and begins to count. */
  begin(limits: ControlGroupLimits): ControlGroupRun;
  /** How much memory it holds now, in KiB, also for files of earlier runs; 0 if it does not exist. */
  heldKib(): number;
  /** Makes the group, after an old one of its name has been taken away. */
  create(): void;
  /** Kills what is in the group and removes it; one that does not exist is not an error. */
  remove(): void;
}

/** Where control groups of boxes are made. */
export interface ControlGroupRoot {
  /** Which interface of the kernel. */
  readonly version: 1 | 2;
  /** The directory below which the groups are made; with v1 that of the memory controller. */
  readonly directory: string;
  /** Why this one was chosen, for people. */
  readonly reason: string;
  /** The group of a box. */
  group(name: string): ControlGroup;
}

/** Control groups cannot be used, or one does not do what it should. */
export class ControlGroupError extends SandboxError {
  /** Says in one sentence why. */
  constructor(message: string) {
    super("control-group", message);
  }
}

/** The error for memory that cannot be freed before a program begins. */
export function memoryInUse(
  limitKib: number | undefined,
  usage: string | undefined,
): ControlGroupError {
  const usedKib = Math.ceil(Number(usage) / 1024);
  return new ControlGroupError(
    `Cannot limit the control group of the box to ${limitKib} KiB: ${usedKib} KiB are in use before ` +
      "the program begins (files that earlier runs left in a tmpfs count)",
  );
}
