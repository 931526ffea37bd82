/** The limits of a run, and the resource limits of the kernel that carry some of them. */

import * as linux from "../../ffi/linux.ts";
import type { Plan } from "../../ffi/plan.ts";
import type { RemoteCaller } from "../remote_caller.ts";

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

/** What the limits of a run depend on besides its options. */
export interface CallerLimits {
  readonly openFilesSoft: number;
  readonly openFilesHard: number;
  /** Whether the control group of the box limits the number of processes. */
  readonly groupLimitsProcesses?: boolean;
  /** What a program inherits of a caller in another process. */
  readonly inherited?: readonly {
    readonly resource: number;
    readonly soft: bigint;
    readonly hard: bigint;
  }[];
}

const UNLIMITED = -1n;
const OPEN_FILES_DEFAULT = 1024;

/** Adds steps that ask for the caller's limits, and returns what reads the answer. */
export function planCallerLimits(plan: Plan, remote?: RemoteCaller): () => CallerLimits {
  if (remote) return planRemoteLimits(plan, remote);
  const own = plan.alloc(16);
  const parents = plan.alloc(16);
  const parent = plan.slot("parent");
  plan.step("prlimit64", [0, linux.RLIMIT_NOFILE, 0, own]);
  plan.step("getppid", [], { into: parent });
  plan.step("prlimit64", [parent, linux.RLIMIT_NOFILE, 0, parents], { ignore: "all" });
  return () => {
    // The runtime has raised its own soft limit; the parent still has the original one.
    const soft = Number(plan.view(own).getBigUint64(0, true));
    const parentSoft = Number(plan.view(parents).getBigUint64(0, true)) || soft;
    const openFilesHard = Number(plan.view(own).getBigUint64(8, true));
    return { openFilesSoft: Math.min(soft, parentSoft), openFilesHard };
  };
}

/**
 * The kernel is believed before the caller is. Without CAP_SYS_RESOURCE the kernel does not say it, but
 * then nobody can get more than we have either.
 */
function planRemoteLimits(plan: Plan, { pid, limits }: RemoteCaller): () => CallerLimits {
  const asked = limits.map(({ soft, hard }, resource) => {
    const limit = plan.struct([soft, hard]);
    plan.step("prlimit64", [pid, resource, 0, limit], { ignore: "all" });
    return { resource, limit };
  });
  return () => {
    const inherited = asked.map(({ resource, limit }) => {
      const view = plan.view(limit);
      return { resource, soft: view.getBigInt64(0, true), hard: view.getBigInt64(8, true) };
    });
    const { soft, hard } = inherited[linux.RLIMIT_NOFILE]!;
    return { openFilesSoft: Number(soft), openFilesHard: Number(hard), inherited };
  };
}

/** Adds the steps that set all limits but that of open files, which the sandbox still needs. */
export function planLimits(plan: Plan, limits: Limits, caller: CallerLimits): void {
  for (const { resource, soft, hard } of caller.inherited ?? []) {
    if (resource === linux.RLIMIT_NOFILE) continue;
    plan.step("prlimit64", [0, resource, plan.struct([soft, hard]), 0], { ignore: "all" });
  }
  const { stackKib, coreKib, addressSpaceKib, fileSizeKib, processes = 1 } = limits;
  planLimit(
    plan,
    "stack limit",
    linux.RLIMIT_STACK,
    stackKib === undefined ? UNLIMITED : kib(stackKib),
  );
  planLimit(plan, "core limit", linux.RLIMIT_CORE, coreKib ? kib(coreKib) : NO_CORE);
  planLimit(plan, "locked memory limit", linux.RLIMIT_MEMLOCK, 0n);
  if (addressSpaceKib !== undefined) {
    planLimit(plan, "memory limit", linux.RLIMIT_AS, kib(addressSpaceKib));
  }
  if (fileSizeKib !== undefined) {
    planLimit(plan, "file size limit", linux.RLIMIT_FSIZE, kib(fileSizeKib));
  }
  if (processes !== "unlimited" && !caller.groupLimitsProcesses) {
    planLimit(plan, "process limit", linux.RLIMIT_NPROC, BigInt(processes));
  }
  const { hard } = openFilesWanted(limits, caller);
  if (hard > caller.openFilesHard) {
    // Only root may raise a hard limit, and planLastLimit() acts as the user of the box.
    const soft = BigInt(caller.openFilesHard);
    planLimit(plan, "open files limit", linux.RLIMIT_NOFILE, soft, BigInt(hard));
  }
}

/** Adds the step that limits open files; after it the sandbox opens nothing any more. */
export function planLastLimit(plan: Plan, limits: Limits, caller: CallerLimits): void {
  const { soft, hard } = openFilesWanted(limits, caller);
  planLimit(plan, "open files limit", linux.RLIMIT_NOFILE, BigInt(soft), BigInt(hard));
}

function openFilesWanted(limits: Limits, caller: CallerLimits): { soft: number; hard: number } {
  const wanted = limits.openFiles ?? OPEN_FILES_DEFAULT;
  if (wanted === "unlimited") return { soft: caller.openFilesSoft, hard: caller.openFilesHard };
  return { soft: wanted, hard: wanted };
}

function planLimit(plan: Plan, option: string, resource: number, soft: bigint, hard = soft): void {
  plan.because(option, () => {
    plan.step("prlimit64", [0, resource, plan.struct([soft, hard]), 0], {
      what: "set the resource limit",
    });
  });
}

function kib(value: number): bigint {
  return BigInt(value) * 1024n;
}
