/**
 * Control groups of the older kind, one hierarchy per controller; see the kernel's
 * Documentation/admin-guide/cgroup-v1.
 */

import { ERRNO } from "../ffi/errno.ts";
import { O_WRONLY } from "../ffi/linux.ts";
import type { Plan } from "../ffi/plan.ts";
import type { ControlGroupFiles } from "./files.ts";
import { killProcesses, prepareEmpty, removeGroup } from "./kill.ts";
import {
  type ControlGroup,
  ControlGroupError,
  type ControlGroupLimits,
  type ControlGroupRoot,
  type ControlGroupRun,
  type ControlGroupUsage,
  memoryInUse,
} from "./types.ts";

/** How often a limit is written that a signal breaks off. */
const TRIES_MAX = 20;

/** The directories of controllers; memory and cpuacct are needed, the others used where they are. */
export interface ControllerDirectories {
  /** Limits and counts memory. */
  readonly memory: string;
  /** Counts CPU time. */
  readonly cpuacct: string;
  /** Which CPUs and memory nodes may be used. */
  readonly cpuset: string | undefined;
  /** Limits the number of processes. */
  readonly pids: string | undefined;
}

/** The place for boxes in the hierarchies of v1. */
export function rootV1(
  files: ControlGroupFiles,
  options: { directories: ControllerDirectories; reason: string },
): ControlGroupRoot {
  const { directories, reason } = options;
  return {
    version: 1,
    directory: directories.memory,
    reason,
    group: (name) => new GroupV1(files, belowV1(directories, name)),
  };
}

/** The directories of a group in a group. */
export function belowV1(directories: ControllerDirectories, name: string): ControllerDirectories {
  const child = (path: string) => name === "" ? path : `${path}/${name}`;
  const optional = (path: string | undefined) => path === undefined ? undefined : child(path);
  return {
    memory: child(directories.memory),
    cpuacct: child(directories.cpuacct),
    cpuset: optional(directories.cpuset),
    pids: optional(directories.pids),
  };
}

/** The directories of a group in all hierarchies; several controllers may be mounted together. */
export function distinctV1(directories: ControllerDirectories): string[] {
  const { memory, cpuacct, cpuset, pids } = directories;
  const all = [memory, cpuacct, cpuset, pids].filter((path) => path !== undefined);
  return [...new Set(all)];
}

/** Makes a group in all hierarchies; one that exists is not an error. */
export function makeGroupV1(files: ControlGroupFiles, directories: ControllerDirectories): void {
  for (const directory of distinctV1(directories)) files.makeDirectory(directory);
  const { cpuset } = directories;
  if (cpuset === undefined) return;
  // Nobody can enter a group without CPUs and memory nodes, and a new one has none.
  for (const name of CPUSET_FILES) {
    if (files.read(`${cpuset}/${name}`) === "") {
      files.write(`${cpuset}/${name}`, parents(files, cpuset, name));
    }
  }
}

const CPUSET_FILES = ["cpuset.cpus", "cpuset.mems"] as const;

/** Reads what the group above has. */
function parents(files: ControlGroupFiles, cpuset: string, name: string): string {
  return files.read(`${cpuset.slice(0, cpuset.lastIndexOf("/"))}/${name}`) ?? "";
}

class GroupV1 implements ControlGroup {
  readonly peakIsOfBox = false;
  readonly #files: ControlGroupFiles;
  readonly #directories: ControllerDirectories;

  constructor(files: ControlGroupFiles, directories: ControllerDirectories) {
    this.#files = files;
    this.#directories = directories;
  }

  get directory(): string {
    return this.#directories.memory;
  }

  heldKib(): number {
    return Math.round(
      Number(this.#files.read(`${this.directory}/memory.usage_in_bytes`) ?? 0) / 1024,
    );
  }

  create(): void {
    this.remove();
    makeGroupV1(this.#files, this.#directories);
  }

  remove(): void {
    for (const directory of distinctV1(this.#directories)) removeGroup(this.#files, directory);
  }

  begin(limits: ControlGroupLimits): ControlGroupRun {
    prepareEmpty(this.#files, { directory: this.directory, make: () => this.create() });
    const isPlaced = limits.cpus !== undefined || limits.mems !== undefined;
    if (isPlaced) this.#place(limits);
    this.#limitMemory(limits.memoryKib);
    const { cpuset, ...others } = this.#directories;
    const entered = { ...others, cpuset: isPlaced ? cpuset : undefined };
    return new RunV1(this.#files, { directories: entered, processes: limits.processes });
  }

  /** Sets CPUs and memory nodes; what is no longer configured is given back. */
  #place(limits: ControlGroupLimits): void {
    const { cpuset } = this.#directories;
    if (cpuset === undefined) {
      throw new ControlGroupError(
        "Cannot choose CPUs or memory nodes for the box (configured as boxN.cpus or boxN.mems): no " +
          "cgroup file system with the cpuset controller is mounted",
      );
    }
    for (const name of CPUSET_FILES) {
      const wanted = name === "cpuset.cpus" ? limits.cpus : limits.mems;
      const failure = this.#files.tryWrite(
        `${cpuset}/${name}`,
        wanted ?? parents(this.#files, cpuset, name),
      );
      if (failure === undefined) continue;
      throw new ControlGroupError(
        `${failure} (configured as boxN.${name.slice("cpuset.".length)})`,
      );
    }
  }

  #limitMemory(memoryKib: number | undefined): void {
    if (this.#tryLimitMemory(memoryKib)) return;
    // Memory of earlier runs, such as pages of files, is in the way.
    const { memory } = this.#directories;
    this.#files.tryWrite(`${memory}/memory.force_empty`, "0");
    if (this.#tryLimitMemory(memoryKib)) return;
    const usage = this.#files.read(`${memory}/memory.usage_in_bytes`);
    throw memoryInUse(memoryKib, usage);
  }

  /** Returns whether the kernel accepted the limit. */
  #tryLimitMemory(memoryKib: number | undefined): boolean {
    const limit = memoryKib === undefined ? "-1" : String(memoryKib * 1024);
    for (let tries = 1;; tries++) {
      const done = this.#writeMemoryLimit(limit, { isLast: tries === TRIES_MAX });
      if (done !== undefined) return done;
    }
  }

  /** Returns whether the kernel accepted the limit; undefined if a signal came in between. */
  #writeMemoryLimit(limit: string, { isLast }: { isLast: boolean }): boolean | undefined {
    const { memory } = this.#directories;
    const batch = this.#files.batch();
    const { ENOENT, EBUSY, EINVAL, EINTR } = ERRNO;
    // A signal that the keeper handles breaks a write off, and then the next one is wrong.
    const again = isLast ? [] : [EINTR, EINVAL];
    // Memory with swap must never be limited to less than memory alone, not even in between. Where
    // swap is not accounted the file is not there.
    const swapLimit = `${memory}/memory.memsw.limit_in_bytes`;
    const freed = batch.write(swapLimit, "-1", { tolerate: [ENOENT, ...again] });
    const limited = batch.write(`${memory}/memory.limit_in_bytes`, limit, {
      tolerate: [EBUSY, ...again],
    });
    const swap = limit === "-1"
      ? undefined
      : batch.write(swapLimit, limit, { tolerate: [ENOENT, EBUSY, EINVAL, ...again] });
    batch.run("limit the memory of the box");
    const isBrokenOff = [freed, limited, swap].some((access) => access?.errno === EINTR);
    if (!isLast && (isBrokenOff || limited.errno === EINVAL)) return undefined;
    if (limited.errno !== 0) return false;
    if (swap?.errno === ENOENT) this.#avoidSwap();
    return swap === undefined || swap.errno === 0 || swap.errno === ENOENT;
  }

  #avoidSwap(): void {
    const failure = this.#files.tryWrite(`${this.#directories.memory}/memory.swappiness`, "0");
    this.#files.log(
      1,
      () =>
        "Swap is not accounted for by this kernel (boot with swapaccount=1): what is swapped out is not " +
        `limited by --cg-mem; ${failure ?? "the group is asked not to swap"}`,
    );
  }
}

class RunV1 implements ControlGroupRun {
  readonly fds: readonly number[];
  readonly birthFd = undefined;
  readonly limitsProcesses: boolean;
  readonly #files: ControlGroupFiles;
  readonly #directories: ControllerDirectories;
  readonly #before: { cpuTimeMs: number; oomKills: number };

  constructor(
    files: ControlGroupFiles,
    options: { directories: ControllerDirectories; processes: number | undefined },
  ) {
    const { directories, processes } = options;
    const { memory, cpuacct, pids } = directories;
    this.#files = files;
    this.#directories = directories;
    this.limitsProcesses = pids !== undefined;
    const batch = files.batch();
    if (pids !== undefined) batch.write(`${pids}/pids.max`, String(processes ?? "max"));
    // From here on the peak is this run's.
    batch.write(`${memory}/memory.max_usage_in_bytes`, "0");
    batch.write(`${memory}/memory.memsw.max_usage_in_bytes`, "0", { tolerate: [ERRNO.ENOENT] });
    const cpu = batch.read(`${cpuacct}/cpuacct.usage`);
    const oom = batch.read(`${memory}/memory.oom_control`);
    // A process that moves through `cgroup.procs` waits some milliseconds, until no process on the
    // machine is being cloned or executes a program; the only thread of one that moves itself
    // through `tasks` does not (Linux 5.5).
    const tasks = distinctV1(directories).map((path) =>
      batch.open(`${path}/tasks`, { flags: O_WRONLY })
    );
    batch.run("prepare the control group of the box");
    this.fds = tasks.map(({ fd }) => fd);
    this.#before = { cpuTimeMs: Number(cpu.text) / 1e6, oomKills: readOomKills(oom.text) };
  }

  planEnter(plan: Plan, fds: readonly number[]): void {
    const self = plan.string("0");
    for (const fd of fds) {
      plan.step("write", [fd, self, 1], { what: "enter the control group of the box" });
    }
  }

  freeze(): boolean {
    // What the freezer of v1 holds cannot be killed.
    return false;
  }

  cpuTimeMs(): number {
    const batch = this.#files.batch();
    const cpu = batch.read(`${this.#directories.cpuacct}/cpuacct.usage`);
    batch.run("CPU time of the control group");
    return Number(cpu.text) / 1e6 - this.#before.cpuTimeMs;
  }

  usage(): ControlGroupUsage {
    const { memory, cpuacct } = this.#directories;
    const batch = this.#files.batch();
    const cpu = batch.read(`${cpuacct}/cpuacct.usage`);
    const oom = batch.read(`${memory}/memory.oom_control`);
    const peak = batch.read(`${memory}/memory.max_usage_in_bytes`);
    const withSwap = batch.read(`${memory}/memory.memsw.max_usage_in_bytes`, {
      tolerate: [ERRNO.ENOENT],
    });
    batch.run("what the control group has used");
    return {
      cpuTimeMs: Number(cpu.text) / 1e6 - this.#before.cpuTimeMs,
      peakMemoryKib: Math.round(Number(withSwap.text ?? peak.text) / 1024),
      oomKills: readOomKills(oom.text) - this.#before.oomKills,
    };
  }

  killAll(): void {
    // A process that has entered any of them has entered that of the memory controller first.
    killProcesses(this.#files, this.#directories.memory);
  }

  close(): void {
    this.#files.system.close(...this.fds);
  }
}

function readOomKills(text: string | undefined): number {
  return Number(/^oom_kill (\d+)$/m.exec(text ?? "")?.[1] ?? 0);
}
