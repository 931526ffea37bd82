/**
 * Makes sure that a file which was just written can be executed.
 *
 * The kernel refuses to execute a file that anybody has open for writing (ETXTBSY). We may not be the
 * last to close it: each child that this process starts meanwhile, on any of its threads, is born with
 * copies of all descriptors. Those that are closed on execve stay open for some time after the parent
 * goes on (in vfork(2) it sleeps only until the child has given up the parent's memory). Nothing that
 * this process does can prevent that, so it looks: the kernel grants a read lease on a file only if
 * nobody has it open for writing; see fcntl(2), F_SETLEASE.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";

/** A child that has not executed its program by then is stuck. */
const TIMEOUT_MS = 10_000;
const PAUSE_MAX_MS = 20;

/** Adds steps that find out whether somebody has a file open for writing. */
export function planWriterCheck(plan: Plan, file: { parent: number; name: string }): Slot {
  const [fd, granted] = [plan.slot("written file"), plan.slot("lease")];
  const flags = linux.O_NOFOLLOW | linux.O_NONBLOCK | linux.O_NOCTTY | linux.O_CLOEXEC;
  const ignore = { ignore: "all" } as const;
  plan.step("openat", [file.parent, plan.string(file.name), flags, 0], { ...ignore, into: fd });
  // A broken lease sends a signal: this one has no effect on a process that does not ask for it.
  plan.step("fcntl", [fd, linux.F_SETSIG, linux.SIGURG], ignore);
  // There are file systems without leases: on them nobody can tell.
  plan.step("fcntl", [fd, linux.F_SETLEASE, linux.F_RDLCK], { ...ignore, into: granted });
  plan.step("fcntl", [fd, linux.F_SETLEASE, linux.F_UNLCK], { ...ignore, when: [granted, 0] });
  plan.step("close", [fd], { always: true, ignore: "all" });
  return granted;
}

/** Waits until nobody has a file open for writing any more. */
export async function waitForWriters(
  system: System,
  file: { parent: number; name: string; what: string },
  granted: number,
): Promise<void> {
  const endMs = system.nowMs() + TIMEOUT_MS;
  let last = granted;
  for (let pauseMs = 0; last === -ERRNO.EAGAIN; pauseMs = Math.min(pauseMs + 1, PAUSE_MAX_MS)) {
    if (system.nowMs() > endMs) {
      throw new SandboxError(
        "system",
        `Cannot ${file.what}: a child process of this process keeps it open for writing`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const plan = new Plan();
    const slot = planWriterCheck(plan, file);
    system.run(plan, "who has the file open");
    last = plan.result(slot);
  }
}
