/** The steps of the program's process: from the clone in the box's init to execve. */

import { ERRNO, errnoText } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
import { planNotExecuted, planStartReport } from "../keep/reports.ts";
import { MESSAGE_FDS_MAX, type RemoteCaller } from "../remote_caller.ts";
import type { Run } from "../run_options.ts";
import type { ProgramStreams, Stream } from "../streams/streams.ts";
import { planLastLimit, planLimits } from "./limits.ts";
import { planBecome, planBecomeRootInside, planBecomeUserInside } from "./privileges.ts";
import type { SyscallFilter } from "./syscall_filter.ts";
import { planForeground, planOwnTerminal } from "./terminal.ts";

const EXEC_FAILED_STATUS = 127;

/** What execve(2) can fail with. */
const EXECVE_ERRNOS = [
  ERRNO.EPERM,
  ERRNO.ENOENT,
  ERRNO.EIO,
  ERRNO.E2BIG,
  ERRNO.ENOEXEC,
  ERRNO.EAGAIN,
  ERRNO.ENOMEM,
  ERRNO.EACCES,
  ERRNO.EFAULT,
  ERRNO.EBUSY,
  ERRNO.ENODEV,
  ERRNO.ENOTDIR,
  ERRNO.EISDIR,
  ERRNO.EINVAL,
  ERRNO.ENFILE,
  ERRNO.EMFILE,
  ERRNO.ETXTBSY,
  ERRNO.ENAMETOOLONG,
  ERRNO.ELOOP,
  ERRNO.ELIBBAD,
  ERRNO.ESTALE,
] as const;

/** What the steps of the program's process depend on. */
export type ProgramRun =
  & Omit<Run, "sandbox" | "places" | "cpuCount" | "inherited" | "ownTerminal" | "userNamespace">
  & {
    readonly places: Pick<Run["places"], "boxUser" | "innerUser">;
  };

/** The descriptors of a run, under the numbers that its init has them. */
export interface ProgramFds {
  readonly streams: ProgramStreams;
  /** Those of the control group. */
  readonly group: readonly number[];
  /** The one of them into which the program is cloned. */
  readonly birth: number | undefined;
  /** The user namespace of the program, if it has one. */
  readonly userNamespace: number | undefined;
  /** Where the standard streams of a caller in another process come from. */
  readonly remote:
    | Pick<RemoteCaller, "streamSocket" | "streams"> & Pick<Run, "ownTerminal">
    | undefined;
  /** The numbers of those that such a caller passes on besides; all are below that of the report. */
  readonly inherited: readonly number[];
  /** All but the standard ones. */
  readonly passed: readonly number[];
}

/** Adds the steps of the program's process, which reports its start on `reportFd`. */
export function planProgram(
  plan: Plan,
  run: ProgramRun,
  { reportFd, programFds }: { reportFd: number; programFds: ProgramFds },
): void {
  const { options, callerLimits } = run;
  planGroup(plan, run, programFds.group);
  if (programFds.remote?.ownTerminal) {
    plan.because("terminal", () => planOwnTerminal(plan));
  } else {
    plan.step("setpgid", [0, 0]);
  }
  if (options.terminal && !programFds.remote?.ownTerminal) {
    const what = "make the program the foreground of the terminal on standard output";
    plan.because("terminal", () => planForeground(plan, { what, ignore: ERRNO.ENOTTY }));
  }
  planPriority(plan);
  if (options.cpus) planCpus(plan, options.cpus);
  planLimits(plan, options.limits ?? {}, callerLimits);
  plan.because("the user of the box", () => planUser(plan, run, programFds));
  planKeyrings(plan);
  planStreams(plan, programFds.streams, () => planCloseOthers(plan, run, { reportFd, programFds }));
  planWorkingDirectory(plan, options.workingDirectory ?? "/box");
  plan.step("fcntl", [reportFd, linux.F_SETFD, linux.FD_CLOEXEC]);
  planScope(plan);
  if (run.filter) planFilter(plan, run.filter);
  const pidFd = planPidFd(plan);
  // However few files the program may open, that was the sandbox's last one.
  planLastLimit(plan, options.limits ?? {}, callerLimits);
  planStartReport(plan, reportFd, pidFd);
  planExecve(plan, run, reportFd);
}

function planUser(
  plan: Plan,
  { places: { boxUser: outside, innerUser: inside }, options: { rootInside } }: ProgramRun,
  { userNamespace }: ProgramFds,
): void {
  if (userNamespace === undefined) planBecome(plan, outside);
  else if (rootInside || !inside) planBecomeRootInside(plan, userNamespace, outside);
  else planBecomeUserInside(plan, userNamespace, { outside, inside });
}

function planGroup(plan: Plan, { controlGroup }: ProgramRun, fds: readonly number[]): void {
  if (!controlGroup) return;
  plan.because("option --cg", () => {
    controlGroup.planEnter(plan, fds);
    // Its own group is the topmost that it sees.
    plan.step("unshare", [linux.CLONE_NEWCGROUP], { what: "make a namespace of control groups" });
  });
}

/** SCHED_OTHER with nice 0, as `struct sched_attr` has them: all zeros behind its size. */
const SCHED_ATTR_BYTES = 48;
const IOPRIO_WHO_PROCESS = 1;

/**
 * Makes the program's turns those of any program. What the keeper has is the keeper's: with the same
 * policy for real time, busy programs would keep it from watching them.
 */
export function planPriority(plan: Plan): void {
  plan.because("scheduling", () => {
    const usual = (flags: number) =>
      plan.struct([SCHED_ATTR_BYTES, 0, BigInt(flags), 0n, 0n, 0n, 0n]);
    const isSet = plan.slot("usual scheduling");
    const what = "give the program the usual scheduling";
    plan.step("sched_setattr", [0, usual(0), 0], { into: isSet, ignore: ERRNO.EPERM, what });
    // Without the right to lower the nice value (CAP_SYS_NICE) it stays.
    plan.step("sched_setattr", [0, usual(linux.SCHED_FLAG_KEEP_PARAMS), 0], {
      when: [isSet, -ERRNO.EPERM],
      ignore: "all",
    });
    plan.step("ioprio_set", [IOPRIO_WHO_PROCESS, 0, 0], { ignore: "all" });
  });
}

function planCpus(plan: Plan, cpus: readonly number[]): void {
  const mask = new BigUint64Array(Math.floor(Math.max(...cpus) / 64) + 1);
  for (const cpu of cpus) mask[Math.floor(cpu / 64)]! |= 1n << BigInt(cpu % 64);
  plan.because("cpus", () => {
    plan.step("sched_setaffinity", [0, mask.byteLength, plan.struct([...mask])], {
      what: `put the program on CPU ${cpus.join(", ")}`,
    });
  });
}

/** Leaves the caller's keys behind, and what an earlier run may have put into the box user's. */
export function planKeyrings(plan: Plan): void {
  const ignore = { ignore: "all" } as const;
  plan.because("keyrings", () => {
    plan.step("keyctl", [linux.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0], ignore);
    for (const keyring of [linux.KEY_SPEC_USER_KEYRING, linux.KEY_SPEC_USER_SESSION_KEYRING]) {
      const cleared = plan.slot("cleared");
      plan.step("keyctl", [linux.KEYCTL_CLEAR, keyring, 0, 0, 0], { ...ignore, into: cleared });
      // A program can take the right to change its keyring away; the next use of it makes a new one.
      const when = [cleared, -ERRNO.EACCES] as const;
      plan.step("keyctl", [linux.KEYCTL_INVALIDATE, keyring, 0, 0, 0], { ...ignore, when });
    }
    const persistent = plan.slot("persistent keyring");
    const args = [linux.KEYCTL_GET_PERSISTENT, -1, linux.KEY_SPEC_PROCESS_KEYRING, 0, 0];
    plan.step("keyctl", args, { ...ignore, into: persistent });
    plan.step("keyctl", [linux.KEYCTL_CLEAR, persistent, 0, 0, 0], ignore);
  });
}

/**
 * Connects the standard streams. What the program is not to have is closed before any path is
 * opened for it.
 */
function planStreams(plan: Plan, streams: ProgramStreams, closeOthers: () => void): void {
  const { stdin, stdout, stderr } = streams;
  const write = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC;
  const all: { name: string; stream: Stream | "stdout"; target: number; flags: number }[] = [
    { name: "standard input", stream: stdin, target: 0, flags: 0 },
    { name: "standard output", stream: stdout, target: 1, flags: write },
    { name: "standard error", stream: stderr, target: 2, flags: write },
  ];
  const paths = all.flatMap(({ stream, ...rest }) =>
    typeof stream === "object" && "path" in stream ? [{ ...rest, path: stream.path }] : []
  );
  const descriptors = all.flatMap(({ stream, ...rest }) =>
    typeof stream === "object" && "fd" in stream ? [{ ...rest, fd: stream.fd }] : []
  );
  if (paths.length > 0) {
    plan.because("redirections", () => {
      plan.step("chdir", [plan.string("/box")], { what: "enter /box" });
    });
  }
  // Standard streams of the keeper that change places are copied first, lest one replaces another.
  const sources = descriptors.map(({ name, fd, target }) => {
    if (fd > 2 || fd === target) return fd;
    const copy = plan.slot(`copy of ${fd}`);
    plan.because(name, () => plan.step("fcntl", [fd, linux.F_DUPFD_CLOEXEC, 3], { into: copy }));
    return copy;
  });
  descriptors.forEach(({ name, fd, target }, i) => {
    plan.because(name, () => {
      if (fd === target) plan.step("fcntl", [target, linux.F_SETFD, 0]);
      else plan.step("dup3", [sources[i]!, target, 0]);
    });
  });
  closeOthers();
  for (const { name, path, target, flags } of paths) {
    const fd = plan.slot(name);
    plan.because(name, () => {
      plan.step(
        "openat",
        [linux.AT_FDCWD, plan.string(path), flags | linux.O_CLOEXEC | linux.O_NOCTTY, 0o666],
        { into: fd, what: `open ${path} inside the box, as the box's user` },
      );
      plan.step("dup3", [fd, target, 0]);
      plan.step("close", [fd]);
    });
  }
  if (stderr === "stdout") plan.step("dup3", [1, 2, 0]);
}

/**
 * Closes what the program is not to have: now, not by execve. Until then a path that is opened for
 * the program could lead out of the box through a link to /proc/self/fd, which an earlier run has
 * left there, and a directory that the sandbox or its caller has open.
 */
function planCloseOthers(
  plan: Plan,
  run: ProgramRun,
  { reportFd, programFds }: { reportFd: number; programFds: ProgramFds },
): void {
  if (programFds.inherited.length > 0) {
    return planInherited(plan, { reportFd, programFds });
  }
  if (run.options.inheritDescriptors && !programFds.remote) {
    for (const fd of programFds.group) plan.step("close", [fd], { ignore: "all" });
    return;
  }
  if (reportFd > 3) plan.step("close_range", [3, reportFd - 1, 0]);
  plan.step("close_range", [reportFd + 1, 0xffffffff, 0]);
}

/**
 * Closes all but the standard streams and the report, and takes what a caller in another process passes
 * on. That gets the lowest numbers in order, none of them above its own one: from the last to the first
 * each place is free.
 */
function planInherited(
  plan: Plan,
  { reportFd, programFds: { remote, inherited } }: { reportFd: number; programFds: ProgramFds },
): void {
  const socket = reportFd + 1;
  plan.because("option --inherit-fds", () => {
    const what = "take the caller's descriptors";
    plan.step("dup3", [remote!.streamSocket, socket, linux.O_CLOEXEC], { what });
    plan.step("close_range", [3, reportFd - 1, 0]);
    plan.step("close_range", [socket + 1, 0xffffffff, 0]);
    for (let at = 0; at < inherited.length; at += MESSAGE_FDS_MAX) {
      const count = Math.min(MESSAGE_FDS_MAX, inherited.length - at);
      const vector = plan.struct([0n, 4n]);
      plan.point(vector, 0, plan.alloc(4));
      // Not one more fits than was asked for.
      const control = plan.alloc(16 + 4 * count);
      const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
      plan.point(message, 16, vector);
      plan.point(message, 32, control);
      plan.step("recvmsg", [socket, message, linux.MSG_DONTWAIT], { what });
    }
    plan.step("close", [socket]);
    for (let i = inherited.length - 1; i >= 0; i--) {
      const [taken, target] = [3 + i, inherited[i]!];
      if (taken === target) continue;
      plan.step("dup3", [taken, target, 0], { what });
      plan.step("close", [taken]);
    }
  });
}

function planWorkingDirectory(plan: Plan, path: string): void {
  plan.because("working directory", () => {
    if (!path.startsWith("/")) plan.step("chdir", [plan.string("/box")], { what: "enter /box" });
    plan.step("chdir", [plan.string(path)], { what: `enter ${path} inside the box` });
  });
}

/**
 * Adds a second wall, where the kernel has one (Linux 6.12): signals and connections to abstract sockets
 * stay among the program and its children, whatever becomes of the namespaces, and also where it shares
 * the host's network. See landlock(7). Ports of TCP are not forbidden: a box has its own loopback interface.
 */
export function planScope(plan: Plan): void {
  plan.because("scope of signals and sockets", () => {
    const ruleset = plan.slot("ruleset");
    const scoped = linux.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | linux.LANDLOCK_SCOPE_SIGNAL;
    // Of files and network nothing is handled.
    const attributes = plan.struct([0n, 0n, BigInt(scoped)]);
    const ignore = { ignore: "all" } as const;
    const args = [attributes, attributes.length, 0];
    plan.step("landlock_create_ruleset", args, { ...ignore, into: ruleset });
    plan.step("landlock_restrict_self", [ruleset, 0], ignore);
    plan.step("close", [ruleset], ignore);
  });
}

/** Adds the step that installs a system call filter. */
export function planFilter(plan: Plan, filter: SyscallFilter): void {
  plan.because("system call filter", () => {
    const program = plan.struct([filter.instructionCount, 0, 0n]);
    plan.point(program, 8, plan.bytes(filter.program));
    plan.step("seccomp", [linux.SECCOMP_SET_MODE_FILTER, 0, program], {
      what: "install the filter",
    });
  });
}

function planPidFd(plan: Plan): Slot {
  const pid = plan.slot("program");
  const pidFd = plan.slot("program");
  plan.step("getpid", [], { into: pid });
  plan.step("pidfd_open", [pid, 0], { into: pidFd });
  return pidFd;
}

/** Executes the program. If that fails, its standard error says why, as a shell would. */
function planExecve(plan: Plan, { command, environment }: ProgramRun, reportFd: number): void {
  const failed = plan.slot("execve");
  const argv = plan.pointers(command.map((argument) => plan.string(argument)));
  const envp = plan.pointers(
    [...environment].map(([name, value]) => plan.string(`${name}=${value}`)),
  );
  plan.step("execve", [plan.string(command[0]!), argv, envp], { into: failed, ignore: "all" });
  for (const errno of EXECVE_ERRNOS) {
    const line = plan.string(`execve("${command[0]}"): ${errnoText(errno)}\n`);
    plan.step("write", [2, line, line.length - 1], { when: [failed, -errno], ignore: "all" });
  }
  planNotExecuted(plan, reportFd, failed);
  plan.step("exit_group", [EXEC_FAILED_STATUS]);
}
