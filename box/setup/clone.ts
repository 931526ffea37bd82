/** What surrounds the clone of a process that shares our memory until it executes something. */

import * as linux from "../../ffi/linux.ts";
import type { Plan } from "../../ffi/plan.ts";
import { Routine } from "../../ffi/routine.ts";
import type { System } from "../../ffi/system.ts";
import type { BoxSetup } from "./init.ts";

/** The stack of the clone, in bytes. */
export const STACK_SIZE = 16384;

/**
 * Adds steps between which signals wait: the runtime's handlers must not run in a child, on memory that it
 * shares with us.
 */
export function planMask(plan: Plan, build: () => void): void {
  const mask = plan.alloc(8);
  plan.step("rt_sigprocmask", [linux.SIG_SETMASK, plan.struct([-1n]), mask, 8]);
  build();
  plan.step("rt_sigprocmask", [linux.SIG_SETMASK, mask, 0, 8], { always: true });
}

/** Adds the steps by which a cloned init gets mounts of its own, if it was not cloned with them. */
export function planStartMounts(plan: Plan, { mountsFd }: BoxSetup): void {
  if (mountsFd === undefined) return;
  plan.step("setns", [mountsFd, linux.CLONE_NEWNS], { what: "leave the mounts of the host" });
  plan.step("unshare", [linux.CLONE_NEWNS], { what: "have mounts of its own" });
}

/** Takes a dead init process off the kernel's list. */
export function reap(system: System, initFd: number): void {
  REAP.run(system, initFd);
}

/** Kills an init that the kernel reaps, and waits until it is dead. */
export function awaitDeath(system: System, initFd: number): void {
  KILL.run(system, initFd);
}

const KILL = new Routine("end init", ["init"], (plan, initFd) => {
  plan.step("pidfd_send_signal", [initFd, linux.SIGKILL, 0, 0], { ignore: "all" });
  const poll = plan.struct([-1, linux.POLLIN]);
  plan.step("store", [poll.part(0, 4), 4, initFd]);
  plan.step("ppoll", [poll, 1, 0, 0, 8], { ignore: "all" });
});

const REAP = new Routine("reap init", ["init"], (plan, initFd) => {
  // Fails where the caller ignores SIGCHLD: the kernel has done it then.
  plan.step("waitid", [linux.P_PIDFD, initFd, plan.alloc(128), linux.WEXITED | linux.__WALL, 0], {
    ignore: "all",
  });
});
