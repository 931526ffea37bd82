/** The terminal of the caller: lent to the program, or kept from everything in the box. */

import * as linux from "../../ffi/linux.ts";
import type { Plan, StepOptions } from "../../ffi/plan.ts";

/**
 * Adds steps that make the group of the running process the foreground of the terminal on standard
 * output. From the background the kernel would stop it for that, unless SIGTTOU is blocked.
 */
export function planForeground(plan: Plan, options: StepOptions = {}): void {
  const blocked = plan.struct([1n << BigInt(linux.SIGTTOU - 1)]);
  const mask = plan.alloc(8);
  const group = plan.slot("process group");
  const groupData = plan.alloc(8);
  plan.step("rt_sigprocmask", [linux.SIG_BLOCK, blocked, mask, 8]);
  plan.step("getpgid", [0], { into: group });
  plan.step("store", [groupData, 4, group]);
  plan.step("ioctl", [1, linux.TIOCSPGRP, groupData], options);
  plan.step("rt_sigprocmask", [linux.SIG_SETMASK, mask, 0, 8], { always: true });
}

/** Adds steps that make the terminal on standard output, which is nobody's, that of the running process. */
export function planOwnTerminal(plan: Plan): void {
  plan.step("setsid", []);
  plan.step("ioctl", [1, linux.TIOCSCTTY, 0], { what: "give the program its terminal" });
}

/**
 * Adds steps after which nothing in the box has the caller's terminal as its controlling terminal:
 * /dev/tty cannot be opened, and input cannot be pushed into the terminal (TIOCSTI) through an
 * inherited descriptor.
 */
export function planLeaveTerminal(plan: Plan): void {
  const tty = plan.slot("terminal");
  const flags = linux.O_RDWR | linux.O_NOCTTY | linux.O_CLOEXEC | linux.O_NONBLOCK;
  plan.step("openat", [linux.AT_FDCWD, plan.string("/dev/tty"), flags, 0], {
    into: tty,
    ignore: "all",
  });
  plan.step("ioctl", [tty, linux.TIOCNOTTY, 0], { ignore: "all" });
}
