/** The limits of a run, and the resource limits of the kernel that carry some of them. */

import type { Data, Plan } from "../../ffi/plan.ts";

/** What a program may use. What is undefined is not limited, unless a default is named. */
export interface Limits {
  /**
   * CPU time in milliseconds: with a control group of all processes, otherwise of the program and of
   * its children that have been waited for.
   */
  cpuTimeMs?: number | undefined;
  /** Wall clock time in milliseconds. */
  wallTimeMs?: number | undefined;
  /**
   * After the CPU time limit, let the program go on until its CPU time passes this too (in
   * milliseconds from its start), so that its real time can be reported. The verdict stays.
   */
  extraTimeMs?: number | undefined;
  /** Address space of each process in KiB (RLIMIT_AS). */
  addressSpaceKib?: number | undefined;
  /** Stack of each process in KiB (RLIMIT_STACK). Default: unlimited. */
  stackKib?: number | undefined;
  /** Open files of each process (RLIMIT_NOFILE); `"unlimited"` keeps the caller's. Default: 1024. */
  openFiles?: number | "unlimited" | undefined;
  /** Size of each file written, in KiB (RLIMIT_FSIZE). */
  fileSizeKib?: number | undefined;
  /** Size of a core file in KiB (RLIMIT_CORE). Default: 0. */
  coreKib?: number | undefined;
  /**
   * Processes and threads of the box (pids controller of its control group if it has one, otherwise
   * RLIMIT_NPROC). Default: 1.
   */
  processes?: number | "unlimited" | undefined;
  /** Memory of all processes together in KiB, swap included; only in a box with a control group. */
  controlGroupMemoryKib?: number | undefined;
}

/**
 * Where the host's core_pattern is a pipe the kernel starts the host's handler, as root, even if the
 * limit is 0. One byte is too little for a core file, and means "no handler"; see core(5).
 */
const NO_CORE = 1n;

/** What the caller's own limits are, and what is limited otherwise. */
export interface CallerLimits {
  /** The caller's soft limit of open files. */
  readonly openFilesSoft: number;
  /** The caller's hard limit of open files. */
  readonly openFilesHard: number;
  /** The control group of the box limits the number of processes. */
  readonly groupLimitsProcesses?: boolean;
}

/** Numbers of the kernel's resource limits, see getrlimit(2). */
const RESOURCE = {
  fileSize: 1,
  stack: 3,
  core: 4,
  processes: 6,
  openFiles: 7,
  lockedMemory: 8,
  addressSpace: 9,
} as const;

const UNLIMITED = -1n;
const OPEN_FILES_DEFAULT = 1024;

function kib(value: number): bigint {
  return BigInt(value) * 1024n;
}

function setLimit(plan: Plan, option: string, { resource, soft, hard }: {
  resource: number;
  soft: bigint;
  hard: bigint;
}): void {
  const values: Data = plan.struct([soft, hard]);
  plan.because(option, () => {
    plan.step("prlimit64", [0, resource, values, 0], { what: "set the resource limit" });
  });
}

/**
 * Adds the steps that set all limits but that of open files, which the sandbox itself still needs.
 */
export function planLimits(
  plan: Plan,
  limits: Limits,
  caller: CallerLimits,
): void {
  const set = (option: string, resource: number, value: bigint) =>
    setLimit(plan, option, { resource, soft: value, hard: value });
  set(
    "stack limit",
    RESOURCE.stack,
    limits.stackKib === undefined ? UNLIMITED : kib(limits.stackKib),
  );
  set("core limit", RESOURCE.core, limits.coreKib ? kib(limits.coreKib) : NO_CORE);
  set("locked memory limit", RESOURCE.lockedMemory, 0n);
  if (limits.addressSpaceKib !== undefined) {
    set("memory limit", RESOURCE.addressSpace, kib(limits.addressSpaceKib));
  }
  if (limits.fileSizeKib !== undefined) {
    set("file size limit", RESOURCE.fileSize, kib(limits.fileSizeKib));
  }
  const processes = limits.processes ?? 1;
  if (processes !== "unlimited" && !caller.groupLimitsProcesses) {
    set("process limit", RESOURCE.processes, BigInt(processes));
  }
  const wanted = openFilesWanted(limits, caller);
  if (wanted.hard > caller.openFilesHard) {
    // Only root may raise a hard limit; it comes down to what was asked for in planLastLimits().
    const soft = BigInt(caller.openFilesHard);
    setLimit(plan, "open files limit", {
      resource: RESOURCE.openFiles,
      soft,
      hard: BigInt(wanted.hard),
    });
  }
}

/** Adds the step that limits open files; after it the sandbox opens nothing any more. */
export function planLastLimits(
  plan: Plan,
  limits: Limits,
  caller: CallerLimits,
): void {
  const { soft, hard } = openFilesWanted(limits, caller);
  setLimit(plan, "open files limit", {
    resource: RESOURCE.openFiles,
    soft: BigInt(soft),
    hard: BigInt(hard),
  });
}

function openFilesWanted(
  limits: Limits,
  caller: CallerLimits,
): { soft: number; hard: number } {
  const wanted = limits.openFiles ?? OPEN_FILES_DEFAULT;
  if (wanted === "unlimited") return { soft: caller.openFilesSoft, hard: caller.openFilesHard };
  return { soft: wanted, hard: wanted };
}
