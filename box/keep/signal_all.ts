/** Signals to all processes of a box at once. */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { planMask } from "../setup/clone.ts";

const STACK_SIZE = 16384;

/**
 * Sends a signal to every process of a box but its init. A child in the box's namespace of processes
 * signals all that it sees, which the kernel does in one go: none can escape by forking.
 *
 * @param pidFd a descriptor of any process of the box
 */
export function signalAll(system: System, pidFd: number, signal: number): void {
  const plan = new Plan();
  const [home, child] = [plan.slot("our processes"), plan.slot("child")];
  const path = plan.string("/proc/thread-self/ns/pid");
  const always = { always: true } as const;
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: home });
  planMask(plan, () => {
    // Only children are born there; this process stays where it is.
    plan.step("setns", [pidFd, linux.CLONE_NEWPID], { what: "enter the processes of the box" });
    const flags = linux.CLONE_VM | linux.CLONE_VFORK;
    plan.spawn(
      plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) }),
      { into: child, what: "clone a process that signals those of the box" },
      () => {
        // A process that has ended needs no signal.
        plan.step("kill", [-1, signal], { ignore: "all" });
        plan.step("exit_group", [0]);
      },
    );
    plan.step("setns", [home, linux.CLONE_NEWPID], always);
  });
  plan.step("close", [home], { ...always, ignore: "all" });
  plan.step("waitid", [linux.P_PID, child, plan.alloc(128), linux.WEXITED | linux.__WALL, 0], {
    ignore: "all",
  });
  system.run(plan, "signal the processes of a box");
}

/** Sends a signal to one process. */
export function signalOne(system: System, pidFd: number, signal: number): void {
  const plan = new Plan();
  plan.step("pidfd_send_signal", [pidFd, signal, 0, 0], { ignore: "all" });
  system.run(plan, "signal the program");
}
