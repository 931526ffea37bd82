/**
 * Starts a box: opens what its plan needs, clones its init and hands it the plan.
 *
 * The keeper clones a child that shares its memory just until it executes the shim's own file (no
 * copy of the runtime's address space); that is init, with a memory of its own, which reads its plan
 * from a memory file.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import type { Run } from "../run_options.ts";
import { defaultDirectoryRules } from "./directory_rules.ts";
import { type InitFds, planInit, programFds } from "./init.ts";
import { planClones } from "./mounts.ts";
import { closeSources, openSources, type PlacedRule } from "./sources.ts";

const STACK_SIZE = 16384;

/** A box that has been started. */
export interface StartedBox {
  /** Descriptor of the init process. */
  readonly initFd: number;
  readonly initPid: number;
  /** The keeper's end of the socket on which the box reports. */
  readonly socket: number;
  /** The plan that init carries out, to which its failure reports refer. */
  readonly plan: Plan;
  /** When it was started, in milliseconds of CLOCK_MONOTONIC. */
  readonly startedMs: number;
}

/** Starts a box and its program. */
export function spawnBox(run: Run): StartedBox {
  const { sandbox: { system }, places, options } = run;
  const rules = openSources(run.sandbox, {
    rules: options.directoryRules ?? defaultDirectoryRules(),
    places,
  });
  try {
    const startedMs = system.nowMs();
    const { socket, fds } = openInitFds(system, rules);
    try {
      const plan = planInit(run, rules, fds);
      system.trace?.(plan, "the box");
      system.writeAll(fds.planFd, plan.encode(), "the plan of the box");
      return { ...cloneInit(run, { socket, fds }), socket, plan, startedMs };
    } catch (error) {
      system.close(socket);
      throw error;
    } finally {
      system.close(...allOf(fds));
    }
  } finally {
    closeSources(system, rules);
  }
}

/** Opens all that init's plan has to know the descriptors of, and our end of its socket. */
function openInitFds(
  system: System,
  rules: readonly PlacedRule[],
): { socket: number; fds: InitFds } {
  const plan = new Plan();
  const pair = plan.struct([-1, -1]);
  const memory = plan.slot("memory file");
  plan.step("socketpair", [linux.AF_UNIX, linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC, 0, pair]);
  plan.step("memfd_create", [plan.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
  const clones = planClones(plan, rules);
  const failure = system.attempt(plan, "take the mounts of the directory rules");
  const socket = plan.view(pair).getInt32(0, true);
  const fds = {
    reportFd: plan.view(pair).getInt32(4, true),
    planFd: plan.result(memory),
    mountFds: clones.map((slot) => slot && plan.result(slot)),
  };
  if (!failure) return { socket, fds };
  system.close(socket, ...allOf(fds));
  throw failure;
}

function allOf({ reportFd, planFd, mountFds }: InitFds): number[] {
  return [reportFd, planFd, ...mountFds.filter((fd) => fd !== undefined)];
}

/** Clones init and has it execute the shim. */
function cloneInit(
  run: Run,
  { socket, fds }: { socket: number; fds: InitFds },
): { initFd: number; initPid: number } {
  const { system } = run.sandbox;
  const plan = new Plan();
  const pid = plan.slot("init");
  const pidfd = plan.alloc(8);
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD | namespacesOf(run);
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  const mask = plan.alloc(8);
  const all = plan.struct([-1n]);
  const argv = plan.pointers(["isolate-init", `${fds.planFd}`].map((text) => plan.string(text)));
  const envp = plan.pointers([]);
  // The kernel adds the sender's process id, as we see it, to every message of the box.
  plan.step("setsockopt", [socket, linux.SOL_SOCKET, linux.SO_PASSCRED, plan.struct([1]), 4]);
  // The runtime's handlers must not run in the child, on memory that it shares with us.
  plan.step("rt_sigprocmask", [linux.SIG_SETMASK, all, mask, 8]);
  plan.spawn(args, { into: pid, what: "clone the init process of the box" }, () => {
    for (const fd of [...allOf(fds), ...programFds(run)]) {
      plan.step("fcntl", [fd, linux.F_SETFD, 0], { what: `pass descriptor ${fd} to the box` });
    }
    const image = [system.library.imageFd, plan.string(""), argv, envp, linux.AT_EMPTY_PATH];
    plan.step("execveat", image, { what: "execute the shim as the init process of the box" });
  });
  plan.step("rt_sigprocmask", [linux.SIG_SETMASK, mask, 0, 8], { always: true });
  const failure = system.attempt(plan, "start the box");
  const started = { initFd: plan.view(pidfd).getInt32(0, true), initPid: plan.result(pid) };
  if (!failure) return started;
  if (started.initPid > 0) {
    reap(system, started.initFd);
    system.close(started.initFd);
  }
  throw failure;
}

function namespacesOf({ options, controlGroup }: Run): number {
  const always = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID;
  // From within a namespace of control groups nobody gets into a group outside of it (cgroups(7),
  // "nsdelegate"), so with a group it is the program that makes one, when it is there.
  return always | (controlGroup ? 0 : linux.CLONE_NEWCGROUP) |
    (options.shareNetwork ? 0 : linux.CLONE_NEWNET);
}

/** Takes a dead init process off the kernel's list. */
export function reap(system: System, initFd: number): void {
  const plan = new Plan();
  // Fails where the caller ignores SIGCHLD: the kernel has done it then.
  plan.step("waitid", [linux.P_PIDFD, initFd, plan.alloc(128), linux.WEXITED | linux.__WALL, 0], {
    ignore: "all",
  });
  system.run(plan, "reap init");
}
