/**
 * What has entered a box, with everything that it has started there. All of it is in a namespace of control
 * groups that nobody else is in: to leave that takes rights which nothing in a box has.
 */

import { ERRNO } from "../ffi/errno.ts";
import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";
import { listNumbers, together } from "./survey/processes.ts";

const LINK_BYTES = 64;
/** A visitor that starts more than can be stopped in so many rounds is left to the end of the box. */
const ROUNDS_MAX = 100;

/** Reads what marks a process and those that it starts; empty for one that has ended. */
export function readMark(system: System, pid: number): string {
  const plan = new Plan();
  const read = planMark(plan, pid);
  system.run(plan, "which namespace a process is in");
  return read();
}

/** Kills all processes with a mark: they are stopped first, until no new ones are found. */
export async function endVisitors(system: System, mark: string): Promise<void> {
  if (mark === "") return;
  let known = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const pids = listNumbers(system, "/proc");
    const marks = await together(system, pids, planMark);
    const found = pids.filter((_, i) => marks[i] === mark);
    if (found.length === 0) return;
    const hasNew = found.some((pid) => !known.has(pid));
    known = new Set(found);
    for (const pid of found) {
      signalMarked(system, { pid, mark, signal: hasNew ? linux.SIGSTOP : linux.SIGKILL });
    }
  }
}

/** Signals a process if it is still the one with the mark: numbers of processes come again. */
function signalMarked(
  system: System,
  { pid, mark, signal }: { pid: number; mark: string; signal: number },
): void {
  const plan = new Plan();
  const fd = plan.slot("process");
  plan.step("pidfd_open", [pid, 0], { into: fd, ignore: ERRNO.ESRCH });
  const read = planMark(plan, pid);
  system.run(plan, "open a process");
  const opened = plan.result(fd);
  if (opened < 0) return;
  if (read() === mark) {
    const sending = new Plan();
    sending.step("pidfd_send_signal", [opened, signal, 0, 0], { ignore: "all" });
    system.run(sending, "signal what has entered a box");
  }
  system.close(opened);
}

function planMark(plan: Plan, pid: number): () => string {
  const [target, length] = [plan.alloc(LINK_BYTES), plan.slot("length")];
  const path = plan.string(`/proc/${pid}/ns/cgroup`);
  plan.step("readlinkat", [linux.AT_FDCWD, path, target, LINK_BYTES], {
    into: length,
    ignore: "all",
  });
  return () => decodeOsString(plan.content(target, Math.max(0, plan.result(length))).slice());
}
