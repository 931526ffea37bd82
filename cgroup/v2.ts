/**
 * Control groups of the unified hierarchy; see the kernel's
 * Documentation/admin-guide/cgroup-v2.rst.
 */

import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_RDWR } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { Access } from "./batch.ts";
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

/** Without it boxes cannot be limited. CPU time is accounted for without any controller. */
const NEEDED = "memory";
const WANTED = ["memory", "pids", "cpuset"] as const;

/**
 * Makes a group ready to hold groups of boxes: enables the controllers that the kernel offers,
 * without moving any process.
 */
export function enableControllers(files: ControlGroupFiles, directory: string): void {
  const offered = (files.read(`${directory}/cgroup.controllers`) ?? "").split(" ");
  if (!offered.includes(NEEDED)) {
    throw new ControlGroupError(
      `The control group ${directory} has no ${NEEDED} controller: the group above must enable it ` +
        "(cgroup.subtree_control)",
    );
  }
  const enabled = (files.read(`${directory}/cgroup.subtree_control`) ?? "").split(" ");
  for (const name of WANTED) {
    if (!offered.includes(name) || enabled.includes(name)) continue;
    const failure = files.tryWrite(`${directory}/cgroup.subtree_control`, `+${name}`);
    if (failure === undefined) continue;
    if (name !== NEEDED) {
      files.log(1, () => `The ${name} controller is not used: ${failure}`);
      continue;
    }
    throw new ControlGroupError(
      `Cannot enable the ${name} controller in ${directory}, in which there must be no process ` +
        `itself: ${failure}`,
    );
  }
}

/** The place for boxes in a unified hierarchy. */
export function rootV2(
  files: ControlGroupFiles,
  options: { directory: string; reason: string },
): ControlGroupRoot {
  const { directory, reason } = options;
  return {
    version: 2,
    directory,
    reason,
    group: (name) => new GroupV2(files, `${directory}/${name}`),
  };
}

class GroupV2 implements ControlGroup {
  readonly directory: string;
  peakIsOfBox = false;
  readonly #files: ControlGroupFiles;

  constructor(files: ControlGroupFiles, directory: string) {
    this.#files = files;
    this.directory = directory;
  }

  heldKib(): number {
    return Math.round(Number(this.#files.read(`${this.directory}/memory.current`) ?? 0) / 1024);
  }

  create(): void {
    this.remove();
    this.#files.makeDirectory(this.directory);
  }

  remove(): void {
    removeGroup(this.#files, this.directory);
  }

  begin(limits: ControlGroupLimits): ControlGroupRun {
    const files = this.#files;
    prepareEmpty(files, { directory: this.directory, make: () => this.create() });
    const { memoryKib, processes, cpus, mems } = limits;
    const at = (name: string) => `${this.directory}/${name}`;
    const batch = files.batch();
    const tolerate = [ERRNO.ENOENT];
    batch.write(at("memory.max"), memoryKib === undefined ? "max" : String(memoryKib * 1024));
    const swap = batch.write(at("memory.swap.max"), memoryKib === undefined ? "max" : "0", {
      tolerate,
    });
    const pids = batch.write(at("pids.max"), String(processes ?? "max"), { tolerate });
    // An empty line gives back what is not configured (any more).
    batch.write(at("cpuset.cpus"), cpus ?? "\n", cpus === undefined ? { tolerate } : {});
    batch.write(at("cpuset.mems"), mems ?? "\n", mems === undefined ? { tolerate } : {});
    // A service that was killed may have left it stopped.
    batch.write(at("cgroup.freeze"), "0", { tolerate });
    const usage = batch.read(at("memory.current"));
    batch.run("set the limits of the control group");
    // The kernel has freed what it could; the program would be killed for the rest.
    if (memoryKib !== undefined && Number(usage.text) > memoryKib * 1024) {
      throw memoryInUse(memoryKib, usage.text);
    }
    if (swap.errno !== 0 && memoryKib !== undefined) {
      files.log(1, () => "Swap is not accounted for by this kernel: it is not limited by --cg-mem");
    }
    const run = new RunV2(files, { directory: this.directory, limitsProcesses: pids.errno === 0 });
    this.peakIsOfBox = !run.hasOwnPeak;
    return run;
  }
}

class RunV2 implements ControlGroupRun {
  readonly fds: readonly number[];
  readonly birthFd: number;
  readonly limitsProcesses: boolean;
  readonly #files: ControlGroupFiles;
  readonly #directory: string;
  /** Descriptor on which this run's own peak is read, where the kernel can do that. */
  readonly #peakFd: number | undefined;
  readonly #before: { cpuTimeMs: number; oomKills: number };

  constructor(
    files: ControlGroupFiles,
    options: { directory: string; limitsProcesses: boolean },
  ) {
    this.#files = files;
    this.#directory = options.directory;
    this.limitsProcesses = options.limitsProcesses;
    const batch = files.batch();
    const cpu = batch.read(`${this.#directory}/cpu.stat`);
    const events = batch.read(`${this.#directory}/memory.events`);
    const group = batch.open(this.#directory, { flags: O_DIRECTORY });
    batch.run("prepare the control group of the box");
    this.birthFd = group.fd;
    this.fds = [this.birthFd];
    this.#before = { cpuTimeMs: readCpuTimeMs(cpu), oomKills: field(events.text, "oom_kill") };
    this.#peakFd = openPeak(files, this.#directory);
  }

  /** Whether the kernel can tell this run's peak memory from that of earlier ones. */
  get hasOwnPeak(): boolean {
    return this.#peakFd !== undefined;
  }

  planEnter(): void {
    // The program is born in the group.
  }

  freeze(frozen: boolean): boolean {
    return this.#files.tryWrite(`${this.#directory}/cgroup.freeze`, frozen ? "1" : "0") ===
      undefined;
  }

  cpuTimeMs(): number {
    const batch = this.#files.batch();
    const cpu = batch.read(`${this.#directory}/cpu.stat`);
    batch.run("CPU time of the control group");
    return readCpuTimeMs(cpu) - this.#before.cpuTimeMs;
  }

  usage(): ControlGroupUsage {
    const batch = this.#files.batch();
    const cpu = batch.read(`${this.#directory}/cpu.stat`);
    const events = batch.read(`${this.#directory}/memory.events`);
    const boxPeak = batch.read(`${this.#directory}/memory.peak`, { tolerate: [ERRNO.ENOENT] });
    batch.run("what the control group has used");
    const peak = this.#peakFd === undefined ? boxPeak.text : readAgain(this.#files, this.#peakFd);
    return {
      cpuTimeMs: readCpuTimeMs(cpu) - this.#before.cpuTimeMs,
      peakMemoryKib: peak === undefined ? undefined : Math.round(Number(peak) / 1024),
      oomKills: field(events.text, "oom_kill") - this.#before.oomKills,
    };
  }

  killAll(): void {
    killProcesses(this.#files, this.#directory);
  }

  close(): void {
    this.#files.system.close(this.birthFd, this.#peakFd ?? -1);
  }
}

/** Since Linux 6.12 a write to memory.peak resets it for those who read through the same descriptor. */
function openPeak(files: ControlGroupFiles, directory: string): number | undefined {
  const plan = new Plan();
  const fd = plan.slot("peak");
  const path = plan.string(`${directory}/memory.peak`);
  const text = plan.string("0");
  plan.step("openat", [AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0], { into: fd });
  const written = plan.slot("written");
  plan.step("write", [fd, text, 1], { into: written });
  const failure = files.system.attempt(plan, "reset the peak of memory");
  if (!failure) return plan.result(fd);
  if (plan.result(fd) > 0 && failure.step?.operation === "write") {
    files.system.close(plan.result(fd));
  }
  return undefined;
}

function readAgain(files: ControlGroupFiles, fd: number): string {
  const plan = new Plan();
  const text = plan.alloc(64);
  const length = plan.slot("length");
  plan.step("pread64", [fd, text, 64, 0], { into: length, what: "read memory.peak" });
  files.system.run(plan, "read the peak of memory");
  return new TextDecoder().decode(plan.content(text, plan.result(length))).trimEnd();
}

function readCpuTimeMs(cpuStat: Access): number {
  return field(cpuStat.text, "usage_usec") / 1000;
}

/** The value of a line `name value`; 0 if there is none. */
function field(text: string | undefined, name: string): number {
  const line = text?.split("\n").find((line) => line.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
