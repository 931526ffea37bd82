/** Programs that enter a box, in which another one may run, to look around. */

import { ERRNO, errnoText } from "../ffi/errno.ts";
import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { boxPlaces } from "./claim/paths.ts";
import type { LiveRun } from "./keep/runs.ts";
import type { RemoteCaller } from "./remote_caller.ts";
import type { Sandbox } from "./sandbox.ts";
import { planTakeStreams } from "./setup/init.ts";
import { filterWalls } from "./setup/syscall_filter.ts";
import { planLastLimit, planLimits } from "./setup/limits.ts";
import { planBecome, planBecomeVisitingRoot, planBoundCapabilities } from "./setup/privileges.ts";
import { planFilter } from "./setup/program.ts";
import { planMask } from "./setup/clone.ts";
import { planLeaveTerminal, planOwnTerminal } from "./setup/terminal.ts";
import { endVisitors, readMark } from "./visitors.ts";

const STACK_SIZE = 16384;
const NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET;
const EXEC_FAILED_STATUS = 127;

/** What enters a box. */
export interface Entrant {
  readonly command: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  /** Enter as root rather than as the box's user. */
  readonly asRoot: boolean;
  /** Whether its caller has made a terminal for it. */
  readonly ownTerminal: boolean;
}

/** What can be entered. */
export type Enterable =
  & Pick<
    LiveRun,
    "boxId" | "initFd" | "initPid" | "controlGroup" | "limits" | "callerLimits"
  >
  & Partial<Pick<LiveRun, "visit">>;

/** A program that has entered a box. */
export interface Visit {
  /** Resolves to its exit status, or 128 and the number of the signal that ended it. */
  readonly status: Promise<number>;
  /** Sends a signal to it and to what it has started in the foreground. */
  readonly signal: (signal: number) => void;
}

/**
 * Starts a program in the namespaces of a box, for a caller in another process. Unless it is root it has no
 * more rights than the box's program. It dies with the box, and all that it has started dies with it.
 */
export function enterBox(
  sandbox: Sandbox,
  live: Enterable,
  { remote, ...entrant }: Entrant & { remote: RemoteCaller },
): Visit {
  const { system } = sandbox;
  live.visit?.();
  const rootFd = openRoot(system, live.initPid);
  let started;
  try {
    started = startEntrant(system, live.initFd, {
      plan: planEntrant(sandbox, live, { ...entrant, remote, rootFd }),
      passed: [live.initFd, rootFd, remote.streamSocket],
      controlGroup: live.controlGroup,
    });
  } finally {
    system.close(rootFd);
  }
  const { pid } = started;
  return {
    status: watch(sandbox, { ...started, mark: readMark(system, pid) }),
    // Until it is reaped its number is nobody else's.
    signal: (signal) => signalGroup(system, pid, signal),
  };
}

/** Opens the root of a box that has not ended. */
function openRoot(system: System, initPid: number): number {
  const plan = new Plan();
  const root = plan.slot("root");
  const flags = linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC;
  plan.step("openat", [linux.AT_FDCWD, plan.string(`/proc/${initPid}/root`), flags, 0], {
    into: root,
    what: "find the root of the box",
  });
  system.run(plan, "find the root of a box");
  return plan.result(root);
}

function planEntrant(
  sandbox: Sandbox,
  { initFd, boxId, limits: ofRun, callerLimits }: Enterable,
  { command, environment, asRoot, ownTerminal, remote, rootFd }: Entrant & {
    remote: RemoteCaller;
    rootFd: number;
  },
): Plan {
  const { settings } = sandbox;
  // Another process would not be let in where the program may have only one.
  const limits = { ...ofRun, processes: "unlimited" } as const;
  const plan = new Plan();
  plan.step("prctl", [linux.PR_SET_NAME, plan.string("isolate-enter"), 0, 0, 0]);
  planTakeStreams(plan, { ...remote, ownTerminal });
  planLeaveTerminal(plan);
  // Init's are those that the sandbox made; the program may have made others.
  plan.step("setns", [initFd, NAMESPACES], { what: "enter the box" });
  // Below the root of its mounts, as everything in the box: see planRoot().
  plan.step("fchdir", [rootFd], { what: "enter the root of the box" });
  plan.step("chroot", [plan.string(".")]);
  plan.step("close_range", [3, 0xffffffff, 0]);
  plan.step("umask", [0o022]);
  // With a session and a terminal of its own a shell can keep its jobs apart.
  if (ownTerminal) planOwnTerminal(plan);
  else plan.step("setpgid", [0, 0]);
  planLimits(plan, limits, callerLimits);
  plan.step("keyctl", [linux.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0], { ignore: "all" });
  if (asRoot) planBecomeVisitingRoot(plan);
  else {
    planBoundCapabilities(plan);
    planBecome(plan, boxPlaces(settings, boxId).boxUser);
  }
  // A change of ids clears it.
  plan.step("prctl", [linux.PR_SET_PDEATHSIG, linux.SIGKILL, 0, 0, 0]);
  plan.step("chdir", [plan.string("/box")], { ignore: "all" });
  const configuredFlags = settings.syscallFlags;
  const walls = filterWalls(limits, { isRoot: sandbox.caller.uid === 0, configuredFlags });
  const filter = sandbox.syscallFilter(configuredFlags, walls);
  if (filter) planFilter(plan, filter);
  planLastLimit(plan, limits, callerLimits);
  const failed = plan.slot("execve");
  const argv = plan.pointers(command.map((argument) => plan.string(argument)));
  const envp = plan.pointers(
    [...environment].map(([name, value]) => plan.string(`${name}=${value}`)),
  );
  plan.step("execve", [plan.string(command[0]!), argv, envp], { into: failed, ignore: "all" });
  for (const errno of [ERRNO.ENOENT, ERRNO.EACCES, ERRNO.ENOEXEC, ERRNO.ENOTDIR]) {
    const line = plan.string(`execve("${command[0]}"): ${errnoText(errno)}\n`);
    plan.step("write", [2, line, line.length - 1], { when: [failed, -errno], ignore: "all" });
  }
  plan.step("exit_group", [EXEC_FAILED_STATUS]);
  return plan;
}

/**
 * Clones a child in the box's namespace of processes, and has it execute the shim with the plan: from then
 * on nothing that it waits for holds us up. It is then in the box's control group, and in a namespace of
 * control groups that marks all its descendants, who cannot leave it.
 */
function startEntrant(system: System, initFd: number, { plan: carriedOut, passed, controlGroup }: {
  plan: Plan;
  passed: readonly number[];
  controlGroup: LiveRun["controlGroup"];
}): { pid: number; fd: number } {
  const planFd = writeToMemory(system, carriedOut);
  const plan = new Plan();
  const [home, pid] = [plan.slot("home"), plan.slot("entrant")];
  const pidfd = plan.alloc(8);
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD;
  const cgroupFd = controlGroup?.birthFd;
  const args = plan.cloneArgs({ flags, cgroupFd, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  const argv = plan.pointers(["isolate-enter", `${planFd}`].map((text) => plan.string(text)));
  const path = plan.string("/proc/thread-self/ns/pid");
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: home });
  planMask(plan, () => {
    plan.step("setns", [initFd, linux.CLONE_NEWPID], { what: "enter the processes of the box" });
    plan.spawn(args, { into: pid, what: "clone a process that enters the box" }, () => {
      controlGroup?.planEnter(plan, controlGroup.fds);
      plan.step("unshare", [linux.CLONE_NEWCGROUP], { what: "make a namespace of control groups" });
      for (const fd of [planFd, ...passed]) plan.step("fcntl", [fd, linux.F_SETFD, 0]);
      const execute = [system.library.imageFd, plan.string(""), argv, plan.pointers([])];
      plan.step("execveat", [...execute, linux.AT_EMPTY_PATH]);
    });
    plan.step("setns", [home, linux.CLONE_NEWPID], { always: true });
  });
  plan.step("close", [home], { always: true, ignore: "all" });
  plan.step("close", [planFd], { always: true, ignore: "all" });
  const failure = system.attempt(plan, "enter a box");
  const started = { pid: plan.result(pid), fd: plan.view(pidfd).getInt32(0, true) };
  if (!failure) return started;
  if (started.pid > 0) {
    reapEntrant(system, started.fd);
    system.close(started.fd);
  }
  throw failure;
}

function writeToMemory(system: System, plan: Plan): number {
  const making = new Plan();
  const memory = making.slot("memory file");
  making.step("memfd_create", [making.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
  system.run(making, "make a memory file");
  system.trace?.(plan, "what enters a box");
  system.writeAll(making.result(memory), plan.encode(), "the plan of what enters a box");
  return making.result(memory);
}

async function watch(
  { system, waiter }: Sandbox,
  { fd, mark }: { fd: number; mark: string },
): Promise<number> {
  try {
    await waiter.readable([fd], Infinity);
    const status = reapEntrant(system, fd);
    // Jobs in the background, and whatever has a session of its own.
    await endVisitors(system, mark);
    return status;
  } finally {
    waiter.forget(fd);
    system.close(fd);
  }
}

function signalGroup(system: System, group: number, signal: number): void {
  const plan = new Plan();
  plan.step("kill", [-group, signal], { ignore: "all" });
  system.run(plan, "signal what has entered a box");
}

function reapEntrant(system: System, fd: number): number {
  const plan = new Plan();
  const info = plan.alloc(128);
  plan.step("waitid", [linux.P_PIDFD, fd, info, linux.WEXITED | linux.__WALL, 0], {
    ignore: "all",
  });
  system.run(plan, "reap what has entered a box");
  const [code, status] = [plan.view(info).getInt32(8, true), plan.view(info).getInt32(24, true)];
  return code === linux.CLD_EXITED ? status : 128 + status;
}
