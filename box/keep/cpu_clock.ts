/** The CPU time of a running program, read from the kernel's clocks and not in ticks. */

import { AT_FDCWD, O_CLOEXEC } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";

const CPUCLOCK_SCHED = 2;
const TICK_MS = 10;
const STAT_SIZE = 1024;

/**
 * Reads the CPU time of a program so far: that of its threads exactly, that of children it has waited
 * for and of orphans that init has reaped in hundredths of a second (the kernel offers nothing finer
 * while it runs).
 */
export function readCpuTimeMs(
  system: System,
  processes: { programPid: number; initPid: number; children: boolean },
): number | undefined {
  const { programPid, initPid, children } = processes;
  // The id of a process's clock, see clock_getcpuclockid(3).
  const own = system.clockMs((~programPid << 3) | CPUCLOCK_SCHED);
  if (own === undefined || !children) return own;
  return own + readChildrenTimeMs(system, programPid) + readChildrenTimeMs(system, initPid);
}

function readChildrenTimeMs(system: System, pid: number): number {
  const plan = new Plan();
  const fd = plan.slot("stat");
  const length = plan.slot("length");
  const text = plan.alloc(STAT_SIZE);
  plan.step("openat", [AT_FDCWD, plan.string(`/proc/${pid}/stat`), O_CLOEXEC, 0], { into: fd });
  plan.step("read", [fd, text, STAT_SIZE], { into: length });
  plan.step("close", [fd]);
  if (system.attempt(plan, "CPU time of children")) return 0;
  const line = new TextDecoder().decode(plan.content(text, plan.result(length)));
  return parseChildrenTimeMs(line);
}

/** Finds `cutime` and `cstime` in a line of `/proc/PID/stat`, see proc_pid_stat(5). */
export function parseChildrenTimeMs(line: string): number {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[13]) + Number(fields[14]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : 0;
}
