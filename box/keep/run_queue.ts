/**
 * Tells how long the threads of a box have waited for a CPU: what did not run because it slept, and what
 * did not run because others did, look the same in CPU time.
 */

import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { nameOf, readDirectory } from "../../host/list.ts";

/** More threads than these are not looked at. */
const THREADS_MAX = 64;
const FILE_BYTES = 4096;

/** How the threads of a box wait. */
export interface RunQueue {
  /** How long all of them have waited for a CPU so far, in milliseconds. */
  readonly waitedMs: number;
  /** Whether one of them runs, waits for a CPU, or for a disk right now. */
  readonly isBusy: boolean;
}

/** Looks at all threads below init; undefined if there are too many or the kernel does not say. */
export function readRunQueue(system: System, initPid: number): RunQueue | undefined {
  let waitedNs = 0;
  let isBusy = false;
  let threads = 0;
  const todo = children(system, initPid, initPid);
  for (let pid; (pid = todo.pop()) !== undefined;) {
    for (const thread of threadsOf(system, pid)) {
      if (++threads > THREADS_MAX) return undefined;
      const task = `/proc/${pid}/task/${thread}`;
      const stat = readSmall(system, `${task}/stat`);
      // One that has gone meanwhile waits for nothing.
      if (stat === undefined) continue;
      const delay = /^\d+ (\d+) /.exec(readSmall(system, `${task}/schedstat`) ?? "")?.[1];
      if (delay === undefined) return undefined;
      waitedNs += Number(delay);
      isBusy ||= /^ [RD]/.test(stat.slice(stat.lastIndexOf(")") + 1));
      todo.push(...children(system, pid, thread));
    }
  }
  return { waitedMs: waitedNs / 1e6, isBusy };
}

function children(system: System, pid: number, thread: number): number[] {
  const text = readSmall(system, `/proc/${pid}/task/${thread}/children`) ?? "";
  return text.split(" ").filter((word) => word !== "").map(Number);
}

function threadsOf(system: System, pid: number): number[] {
  const plan = new Plan();
  const fd = plan.slot("threads");
  plan.step("openat", [AT_FDCWD, plan.string(`/proc/${pid}/task`), O_CLOEXEC | O_DIRECTORY, 0], {
    into: fd,
  });
  if (system.attempt(plan, "list the threads of a program")) return [];
  try {
    return [...readDirectory(system, plan.result(fd))].flat().map((entry) => Number(nameOf(entry)));
  } catch {
    return [];
  } finally {
    system.close(plan.result(fd));
  }
}

/** Reads the beginning of a file of /proc; undefined if the process has gone. */
function readSmall(system: System, path: string): string | undefined {
  const plan = new Plan();
  const [fd, length] = [plan.slot("file"), plan.slot("length")];
  const text = plan.alloc(FILE_BYTES);
  plan.step("openat", [AT_FDCWD, plan.string(path), O_CLOEXEC, 0], { into: fd });
  plan.step("read", [fd, text, FILE_BYTES], { into: length, ignore: "all" });
  plan.step("close", [fd]);
  if (system.attempt(plan, "look at a thread") || plan.result(length) < 0) return undefined;
  return new TextDecoder().decode(plan.content(text, plan.result(length)));
}
