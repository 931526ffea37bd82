/** The limits of a run, and the resource limits of the kernel that carry some of them. */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
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
  /** The highest limits that need no right to raise them, by resource; others are infinite. */
  readonly hardLimits: ReadonlyMap<number, bigint>;
  /** What a program inherits of a caller in another process. */
  readonly inherited?: readonly {
    readonly resource: number;
    readonly soft: bigint;
    readonly hard: bigint;
  }[];
}

const UNLIMITED = -1n;

/** The resources with limits that a run may set. */
const RESOURCES = [
  linux.RLIMIT_STACK,
  linux.RLIMIT_CORE,
  linux.RLIMIT_AS,
  linux.RLIMIT_FSIZE,
  linux.RLIMIT_NPROC,
  linux.RLIMIT_NOFILE,
];

/** The kernel's RLIM_NLIMITS. */
const LIMITS_COUNT = 16;

const OPEN_FILES_DEFAULT = 1024;

/** Adds steps that ask for the caller's limits, and returns what reads the answer. */
export function planCallerLimits(plan: Plan, remote?: RemoteCaller): () => CallerLimits {
  if (remote) {
    const read = planRemoteLimits(plan, remote.pid);
    return () => read(remote.limits);
  }
  const readHardLimits = planHardLimits(plan);
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
    const openFilesSoft = Math.min(soft, parentSoft);
    return { openFilesSoft, openFilesHard, hardLimits: readHardLimits() };
  };
}

/** Adds steps that ask for this process's hard limits, and returns what reads the answer. */
function planHardLimits(plan: Plan): () => Map<number, bigint> {
  const asked = RESOURCES.map((resource) => {
    const limit = plan.alloc(16);
    plan.step("prlimit64", [0, resource, 0, limit]);
    return { resource, limit };
  });
  return () =>
    new Map(
      asked.map(({ resource, limit }) => [resource, plan.view(limit).getBigInt64(8, true)]),
    );
}

/** A limit that a caller in another process says it has. */
type SaidLimits = RemoteCaller["limits"];

/**
 * Adds steps that ask for the limits of a caller in another process; what it says itself comes later. The
 * kernel is believed before the caller is. Without CAP_SYS_RESOURCE the kernel does not say it, but then
 * nobody can get more than we have either.
 */
export function planRemoteLimits(
  plan: Plan,
  pid: number | Slot,
): (said: SaidLimits) => CallerLimits {
  const readHardLimits = planHardLimits(plan);
  const asked = Array.from({ length: LIMITS_COUNT }, (_, resource) => {
    const [limit, result] = [plan.alloc(16), plan.slot("limit")];
    plan.step("prlimit64", [pid, resource, 0, limit], { into: result, ignore: "all" });
    return { limit, result };
  });
  return (said) => {
    const inherited = said.map(({ soft, hard }, resource) => {
      const { limit, result } = asked[resource]!;
      if (plan.result(result) < 0) return { resource, soft, hard };
      const view = plan.view(limit);
      return { resource, soft: view.getBigInt64(0, true), hard: view.getBigInt64(8, true) };
    });
    const { soft, hard } = inherited[linux.RLIMIT_NOFILE]!;
    const hardLimits = readHardLimits();
    for (const [resource, own] of hardLimits) {
      // Of open files the program does not inherit the caller's limit: see planLimits().
      if (resource === linux.RLIMIT_NOFILE) continue;
      hardLimits.set(resource, lower(own, inherited[resource]!.hard));
    }
    return { openFilesSoft: Number(soft), openFilesHard: Number(hard), hardLimits, inherited };
  };
}

/** Adds the steps that set all limits but that of open files, which the sandbox still needs. */
export function planLimits(plan: Plan, limits: Limits, caller: CallerLimits): void {
  for (const { resource, soft, hard } of caller.inherited ?? []) {
    if (resource === linux.RLIMIT_NOFILE) continue;
    plan.step("prlimit64", [0, resource, plan.struct([soft, hard]), 0], { ignore: "all" });
  }
  const { stackKib, coreKib, addressSpaceKib, fileSizeKib, processes } = limits;
  const limit = new LimitSteps(plan, caller);
  if (stackKib === undefined) limit.setDefault("stack limit", linux.RLIMIT_STACK, UNLIMITED);
  else limit.set("stack limit", linux.RLIMIT_STACK, kib(stackKib));
  if (coreKib) limit.set("core limit", linux.RLIMIT_CORE, kib(coreKib));
  else limit.setDefault("core limit", linux.RLIMIT_CORE, NO_CORE);
  limit.set("locked memory limit", linux.RLIMIT_MEMLOCK, 0n);
  if (addressSpaceKib !== undefined) {
    limit.set("memory limit", linux.RLIMIT_AS, kib(addressSpaceKib));
  }
  if (fileSizeKib !== undefined) {
    limit.set("file size limit", linux.RLIMIT_FSIZE, kib(fileSizeKib));
  }
  // With a control group as well, which limits all processes, whoever they are: programs look at it.
  if (processes !== "unlimited") {
    if (processes === undefined) limit.setDefault("process limit", linux.RLIMIT_NPROC, 1n);
    else limit.set("process limit", linux.RLIMIT_NPROC, BigInt(processes));
  }
  const { hard, isAsked } = openFilesWanted(limits, caller);
  // Only root may raise a hard limit, and planLastLimit() acts as the user of the box.
  if (!limit.isFree(linux.RLIMIT_NOFILE, hard)) planOpenFiles(limit, { soft: hard, hard, isAsked });
}

/** Adds the step that limits open files; after it the sandbox opens nothing any more. */
export function planLastLimit(plan: Plan, limits: Limits, caller: CallerLimits): void {
  planOpenFiles(new LimitSteps(plan, caller), openFilesWanted(limits, caller));
}

interface OpenFiles {
  soft: bigint;
  hard: bigint;
  isAsked: boolean;
}

function openFilesWanted({ openFiles }: Limits, caller: CallerLimits): OpenFiles {
  if (openFiles === "unlimited") {
    const [soft, hard] = [BigInt(caller.openFilesSoft), BigInt(caller.openFilesHard)];
    return { soft, hard, isAsked: false };
  }
  const both = BigInt(openFiles ?? OPEN_FILES_DEFAULT);
  return { soft: both, hard: both, isAsked: openFiles !== undefined };
}

function planOpenFiles(limit: LimitSteps, { soft, hard, isAsked }: OpenFiles): void {
  const [option, resource] = ["open files limit", linux.RLIMIT_NOFILE] as const;
  if (isAsked) limit.set(option, resource, soft, hard);
  else limit.setDefault(option, resource, soft, hard);
}

/** Adds steps that set limits, and knows which of them need the right to raise limits. */
class LimitSteps {
  constructor(readonly plan: Plan, readonly caller: CallerLimits) {}

  /** Whether a hard limit can be set without the right to raise limits. */
  isFree(resource: number, hard: bigint): boolean {
    return this.#possible(resource, hard) === hard;
  }

  /** Sets a limit that somebody asked for. */
  set(option: string, resource: number, soft: bigint, hard = soft): void {
    const what = this.isFree(resource, hard)
      ? "set the resource limit"
      : `raise the caller's hard limit of ${this.#callersHard(resource)}`;
    this.plan.because(option, () => {
      this.plan.step("prlimit64", [0, resource, this.plan.struct([soft, hard]), 0], { what });
    });
  }

  /** Sets a limit that nobody asked for; if it may not be raised so far, it stays the caller's. */
  setDefault(option: string, resource: number, soft: bigint, hard = soft): void {
    this.set(option, resource, this.#possible(resource, soft), this.#possible(resource, hard));
    if (this.isFree(resource, hard)) return;
    this.plan.because(option, () => {
      const limit = this.plan.struct([soft, hard]);
      this.plan.step("prlimit64", [0, resource, limit, 0], { ignore: ERRNO.EPERM });
    });
  }

  #possible(resource: number, value: bigint): bigint {
    return lower(value, this.#callersHard(resource));
  }

  #callersHard(resource: number): bigint {
    return this.caller.hardLimits.get(resource) ?? UNLIMITED;
  }
}

/** Picks the lower of two limits, of which any negative one is infinite. */
function lower(a: bigint, b: bigint): bigint {
  if (a < 0n) return b;
  return b < 0n || a < b ? a : b;
}

function kib(value: number): bigint {
  return BigInt(value) * 1024n;
}
