/**
 * Shows the boxes of a machine, as lock files and /proc tell, and knows more of those that this
 * process itself runs. Nothing here takes a lock.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import { type BoxRecord, parseBoxRecord } from "../claim/lock.ts";
import { readLocks } from "../claim/lock_holder.ts";
import type { LastRun, LiveRun } from "../keep/runs.ts";
import { signalAll, signalOne } from "../keep/signal_all.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Limits } from "../setup/limits.ts";
import {
  type BoxProcess,
  findProcesses,
  listNumbers,
  type OpenDescriptors,
  readCpuTimes,
  readDescriptors,
  readProcess,
  together,
} from "./processes.ts";

/** What a box does. `held`: somebody works on it, and nothing runs; `unfinished`: it was never made. */
export type BoxState =
  | "idle"
  | "running"
  | "stopped"
  | "ready"
  | "being made"
  | "held"
  | "unfinished";

/** What is seen of a box. */
export interface BoxSight {
  readonly boxId: number;
  readonly ownerUid: number;
  readonly state: BoxState;
  /** The program with its arguments, or only its name where another process runs it. The owner of the box, or a program in it, chose them. */
  readonly command: readonly string[] | undefined;
  /** When the run began, in milliseconds since 1970, if this process runs it. */
  readonly sinceMs: number | undefined;
  readonly cpuTimeMs: number | undefined;
  readonly wallTimeMs: number | undefined;
  /** Resident memory of all processes in KiB; what they share counts for each. */
  readonly memoryKib: number | undefined;
  readonly processes: readonly BoxProcess[];
  readonly limits: Limits | undefined;
  readonly last: LastRun | undefined;
}

/** A process of a box, looked at closely. */
export interface ProcessSight extends BoxProcess {
  readonly cpuTimeMs: number;
  readonly descriptors: OpenDescriptors;
}

/** More of a box's processes are not looked at. */
const PROCESSES_MAX = 100;

/** Looks at boxes; default: at all that the caller owns. */
export async function surveyBoxes(
  sandbox: Sandbox,
  { boxId, mayUse }: { boxId?: number; mayUse: (boxId: number) => boolean },
): Promise<BoxSight[]> {
  const { system, settings: { lockRoot, firstUid, numBoxes }, caller } = sandbox;
  const ids = boxId === undefined ? listNumbers(system, lockRoot) : [boxId];
  const usable = ids.filter((id) => id < numBoxes && mayUse(id));
  const found = await together(
    system,
    usable,
    (plan, id) => planRecord(plan, `${lockRoot}/${id}`),
  );
  const records = found.flatMap((record, i) => {
    const isOwn = record && (caller.uid === 0 || record.ownerUid === caller.uid);
    return isOwn ? [{ id: usable[i]!, record }] : [];
  });
  if (records.length === 0) return [];
  const locked = readLocks(system);
  const [first, last] = boxId === undefined
    ? [firstUid, firstUid + numBoxes - 1]
    : [firstUid + boxId, firstUid + boxId];
  const processes = Map.groupBy(await findProcesses(system, { first, last }), ({ uid }) => uid);
  return await Promise.all(records.map(({ id, record }) =>
    lookAt(sandbox, {
      boxId: id,
      record,
      isLocked: locked.has(record.identity),
      processes: processes.get(firstUid + id) ?? [],
    })
  ));
}

async function lookAt(sandbox: Sandbox, { boxId, record, isLocked, processes }: {
  boxId: number;
  record: BoxRecord;
  isLocked: boolean;
  processes: readonly BoxProcess[];
}): Promise<BoxSight> {
  const { system, runs, ready, caller } = sandbox;
  const last = runs?.last(boxId);
  const live = runs?.live(boxId);
  const progress = live?.progress();
  const pids = processes.slice(0, PROCESSES_MAX).map(({ pid }) => pid);
  const program = programOf(processes);
  const times = progress || pids.length === 0 ? [] : await readCpuTimes(system, pids);
  return {
    boxId,
    ownerUid: record.ownerUid,
    state: stateOf({ record, isLocked, processes, live, isReady: ready?.isReady(boxId) ?? false }),
    command: live?.command ?? (program && [program.name]),
    sinceMs: live?.sinceMs,
    cpuTimeMs: progress?.cpuTimeMs ??
      (times.length > 0 ? times.reduce((sum, time) => sum + time, 0) : undefined),
    wallTimeMs: progress?.wallTimeMs,
    memoryKib: processes.length > 0
      ? processes.reduce((sum, { memory }) => sum + memory.residentKib, 0)
      : undefined,
    processes,
    limits: live?.limits,
    // The box may have had another owner then.
    last: last && (caller.uid === 0 || caller.uid === last.callerUid) ? last : undefined,
  };
}

function stateOf({ record, isLocked, processes, live, isReady }: {
  record: BoxRecord;
  isLocked: boolean;
  processes: readonly BoxProcess[];
  live: LiveRun | undefined;
  isReady: boolean;
}): BoxState {
  // "t": it is traced, for a crash report. One that waits for a stopped child to execute its program (vfork(2)) is in an uninterruptible sleep.
  const isStopped = processes.some(({ state }) => "Tt".includes(state)) &&
    processes.every(({ state }) => "TtDZX".includes(state));
  if (isStopped || live?.freeze()) return "stopped";
  if (live || processes.length > 0) return "running";
  if (!record.initialised) return isLocked ? "being made" : "unfinished";
  if (isLocked) return "held";
  return isReady ? "ready" : "idle";
}

function programOf(processes: readonly BoxProcess[]): BoxProcess | undefined {
  return processes.find(({ pidInBox }) => pidInBox === 2) ?? processes[0];
}

/** Looks at the processes of a box closely. */
export async function lookAtProcesses(
  { system }: Sandbox,
  { processes }: BoxSight,
): Promise<ProcessSight[]> {
  const looked = processes.slice(0, PROCESSES_MAX);
  const times = await readCpuTimes(system, looked.map(({ pid }) => pid));
  const sights: ProcessSight[] = [];
  for (const [i, process] of looked.entries()) {
    const descriptors = await readDescriptors(system, process.pid);
    sights.push({ ...process, cpuTimeMs: times[i]!, descriptors });
  }
  return sights;
}

/** Reads a lock file without locking it: another process finds the box free meanwhile. */
function planRecord(
  plan: Plan,
  path: string,
): () => BoxRecord & { identity: string } | undefined {
  const [fd, length, content] = [plan.slot("lock"), plan.slot("length"), plan.alloc(64)];
  const flags = linux.O_CLOEXEC | linux.O_NOFOLLOW;
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0], { into: fd, ignore: "all" });
  const status = planStatus(plan, fd, { ignore: "all" });
  plan.step("read", [fd, content, content.length], { into: length, ignore: "all" });
  plan.step("close", [fd], { ignore: "all" });
  return () => {
    const record = parseBoxRecord(plan.content(content, Math.max(0, plan.result(length))).slice());
    return record && { ...record, identity: readStatus(plan.view(status)).identity };
  };
}

/** Stops all processes of a box, or lets them go on. */
export function stopBox(sandbox: Sandbox, box: BoxSight, stopped: boolean): void {
  const live = sandbox.runs?.live(box.boxId);
  // Signals reach them all at once, too, but a program can have a timer that sends SIGCONT.
  const isFrozen = live?.freeze() ?? false;
  if ((stopped || isFrozen) && live?.freeze(stopped)) return;
  const signal = stopped ? linux.SIGSTOP : linux.SIGNALS.SIGCONT;
  signalBox(sandbox, box, { signal, to: "all" });
}

/** Sends a signal to the program of a box, or to all of its processes. */
export function signalBox(
  sandbox: Sandbox,
  box: BoxSight,
  { signal, to }: { signal: number; to: "program" | "all" },
): void {
  const { system, runs } = sandbox;
  const live = runs?.live(box.boxId);
  if (live) {
    const fd = to === "all" ? live.initFd : live.programFd();
    if (fd === undefined) throw nothingRuns(box.boxId);
    (to === "all" ? signalAll : signalOne)(system, fd, signal);
    return;
  }
  const program = programOf(box.processes);
  const fd = program && openProcess(sandbox, box.boxId, program.pid);
  if (fd === undefined) throw nothingRuns(box.boxId);
  try {
    (to === "all" ? signalAll : signalOne)(system, fd, signal);
  } finally {
    system.close(fd);
  }
}

/** The error for a box in which nothing is. */
export function nothingRuns(boxId: number): SandboxError {
  return new SandboxError("no-box", `Nothing runs in box ${boxId}`);
}

/** Opens a process, and makes sure that it is still one of the box: numbers of processes come again. */
function openProcess(
  { system, settings: { firstUid } }: Sandbox,
  boxId: number,
  pid: number,
): number | undefined {
  const plan = new Plan();
  const fd = plan.slot("process");
  plan.step("pidfd_open", [pid, 0], { into: fd, ignore: "all" });
  system.run(plan, "open a process");
  const opened = plan.result(fd);
  if (opened < 0) return undefined;
  const found = readProcess(system, pid);
  // As long as what was opened is not reaped, no other process has its number.
  if (found?.uid === firstUid + boxId && found.pidInBox > 0 && isThere(system, opened)) {
    return opened;
  }
  system.close(opened);
  return undefined;
}

function isThere(system: System, pidFd: number): boolean {
  const plan = new Plan();
  plan.step("pidfd_send_signal", [pidFd, 0, 0, 0]);
  return system.attempt(plan, "look whether a process is there") === undefined;
}
