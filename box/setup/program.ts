/** The steps of the program's process: from the clone in the box's init to execve. */

import { O, REPORT, REPORT_KIND } from "../../ffi/abi.ts";
import { ERRNO, errnoText } from "../../ffi/errno.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
import { AT_FDCWD } from "../../ffi/system.ts";
import type { ControlGroupRun } from "../../cgroup/types.ts";
import type { Identity } from "../../host/identity.ts";
import { type CallerLimits, type Limits, planLastLimits, planLimits } from "./limits.ts";
import { planBecome } from "./privileges.ts";
import type { SyscallFilter } from "./syscall_filter.ts";

const CLONE_NEWCGROUP = 0x02000000;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const MSG_NOSIGNAL = 0x4000;
const SECCOMP_SET_MODE_FILTER = 1;
const CLOCK_MONOTONIC = 1;
const CLOCK_PROCESS_CPUTIME = 2;
const TIOCSPGRP = 0x5410;
const SIGTTOU = 22;
const SIG_SETMASK = 2;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
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

/** Where one of the standard streams of the program comes from or goes to. */
export type Stream =
  /** Stays what it is for the keeper. */
  | "inherit"
  /** A file, opened inside the box by the box's user. */
  | { readonly path: string }
  /**
   * An open descriptor of the keeper. With `transfer` the run closes it as soon as the box has it, or
   * when the run fails before: of a pipe, nobody but the program then has that end.
   */
  | { readonly fd: number; readonly transfer?: boolean };

/** What the program's process becomes. */
export interface ProgramOptions {
  /** The program and its arguments; no search in PATH. */
  readonly command: readonly string[];
  /** The whole environment. */
  readonly environment: ReadonlyMap<string, string>;
  /** Working directory inside the box. */
  readonly workingDirectory: string;
  /** Standard input. */
  readonly stdin: Stream;
  /** Standard output. */
  readonly stdout: Stream;
  /** Standard error; `"stdout"`: wherever that goes. */
  readonly stderr: Stream | "stdout";
  /** Keep descriptors above 2. */
  readonly inheritDescriptors: boolean;
  /** Make the program the foreground process group of the terminal on standard output. */
  readonly terminal: boolean;
  /** The limits. */
  readonly limits: Limits;
  /** The limits of open files that the caller has. */
  readonly callerLimits: CallerLimits;
  /** The CPUs that it is put on; undefined: where the keeper is. */
  readonly cpus?: readonly number[] | undefined;
  /** The system call filter. */
  readonly filter: SyscallFilter | undefined;
  /** The user of the box. */
  readonly boxUser: Identity;
  /** The run in the control group of the box, if it has one. */
  readonly controlGroup: ControlGroupRun | undefined;
  /** The socket to the keeper. */
  readonly reportFd: number;
}

/** Adds the steps of the program's process. */
export function planProgram(plan: Plan, options: ProgramOptions): void {
  const { limits, callerLimits } = options;
  const { controlGroup } = options;
  if (controlGroup) {
    plan.because("option --cg", () => {
      controlGroup.planEnter(plan);
      // Its own group is the topmost that it sees.
      plan.step("unshare", [CLONE_NEWCGROUP], { what: "make a namespace of control groups" });
    });
  }
  plan.step("setpgid", [0, 0]);
  if (options.terminal) planForeground(plan);
  if (options.cpus) planCpus(plan, options.cpus);
  planLimits(plan, limits, callerLimits);
  plan.because("the user of the box", () => planBecome(plan, options.boxUser));
  planKeyrings(plan);
  planStreams(plan, options);
  planWorkingDirectory(plan, options.workingDirectory);
  plan.step("fcntl", [options.reportFd, F_SETFD, FD_CLOEXEC]);
  if (options.filter) planFilter(plan, options.filter);
  planExec(plan, options);
}

/** The process group becomes the terminal's; the kernel stops those who do that from the background unless they block SIGTTOU. */
function planForeground(plan: Plan): void {
  plan.because("terminal", () => {
    const blocked = plan.struct([1n << BigInt(SIGTTOU - 1)]);
    const group = plan.slot("process group");
    const groupData = plan.alloc(8);
    plan.step("rt_sigprocmask", [SIG_SETMASK, blocked, 0, 8]);
    plan.step("getpid", [], { into: group });
    plan.step("store", [groupData, 4, group]);
    plan.step("ioctl", [1, TIOCSPGRP, groupData], {
      what: "make the program the foreground of the terminal on standard output",
    });
    plan.step("rt_sigprocmask", [SIG_SETMASK, plan.alloc(8), 0, 8]);
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

/** Nothing of the caller's keys, and nothing that an earlier run may have left in the box user's. */
function planKeyrings(plan: Plan): void {
  const KEYCTL = { joinSession: 1, clear: 7, getPersistent: 22 } as const;
  const ignore = { ignore: "all" } as const;
  plan.because("keyrings", () => {
    plan.step("keyctl", [KEYCTL.joinSession, 0, 0, 0, 0], ignore);
    for (const keyring of [-4, /* user */ -5 /* user session */]) {
      plan.step("keyctl", [KEYCTL.clear, keyring, 0, 0, 0], ignore);
    }
    const persistent = plan.slot("persistent keyring");
    const process = -2;
    plan.step("keyctl", [KEYCTL.getPersistent, -1, process, 0, 0], { ...ignore, into: persistent });
    plan.step("keyctl", [KEYCTL.clear, persistent, 0, 0, 0], ignore);
  });
}

function planWorkingDirectory(plan: Plan, path: string): void {
  plan.because("working directory", () => {
    if (!path.startsWith("/")) plan.step("chdir", [plan.string("/box")], { what: "enter /box" });
    plan.step("chdir", [plan.string(path)], { what: `enter ${path} inside the box` });
  });
}

function planStreams(plan: Plan, options: ProgramOptions): void {
  const { stdin, stdout, stderr } = options;
  if ([stdin, stdout, stderr].some((stream) => typeof stream === "object" && "path" in stream)) {
    plan.because("redirections", () => {
      plan.step("chdir", [plan.string("/box")], { what: "enter /box" });
    });
  }
  const write = O.O_WRONLY | O.O_CREAT | O.O_TRUNC;
  const planned = [
    { name: "standard input", stream: stdin, target: 0, flags: 0 },
    { name: "standard output", stream: stdout, target: 1, flags: write },
    {
      name: "standard error",
      stream: stderr === "stdout" ? "inherit" : stderr,
      target: 2,
      flags: write,
    },
  ] as const;
  // Standard streams of the keeper that change places: a copy first, lest one replaces another.
  const copies = planned.map(({ name, stream, target }) => {
    if (typeof stream !== "object" || !("fd" in stream)) return undefined;
    if (stream.fd > 2 || stream.fd === target) return undefined;
    const copy = plan.slot(`copy of ${stream.fd}`);
    plan.because(name, () => {
      plan.step("fcntl", [stream.fd, F_DUPFD_CLOEXEC, 3], { into: copy });
    });
    return copy;
  });
  const opensPath = ({ stream }: { stream: Stream }) =>
    typeof stream === "object" && "path" in stream;
  planned.forEach((one, i) => {
    if (!opensPath(one)) planStream(plan, { ...one, copy: copies[i] });
  });
  planCloseOthers(plan, options);
  for (const one of planned) if (opensPath(one)) planStream(plan, { ...one, copy: undefined });
  if (stderr === "stdout") plan.step("dup3", [1, 2, 0]);
}

/**
 * Closes what the program is not to have: now, not by execve. Until then a path that is opened for
 * the program could lead out of the box through a link to /proc/self/fd, which an earlier run has
 * left there, and a directory that the sandbox or its caller has open.
 */
function planCloseOthers(
  plan: Plan,
  { inheritDescriptors, controlGroup, reportFd }: ProgramOptions,
) {
  if (inheritDescriptors) {
    for (const fd of controlGroup?.fds ?? []) plan.step("close", [fd], { ignore: "all" });
    return;
  }
  if (reportFd > 3) plan.step("close_range", [3, reportFd - 1, 0]);
  plan.step("close_range", [reportFd + 1, 0xffffffff, 0]);
}

function planStream(plan: Plan, { name, stream, target, flags, copy }: {
  name: string;
  stream: Stream;
  target: number;
  flags: number;
  /** Instead of the descriptor. */
  copy: Slot | undefined;
}): void {
  if (stream === "inherit") return;
  plan.because(name, () => {
    if ("fd" in stream) {
      if (stream.fd !== target) plan.step("dup3", [copy ?? stream.fd, target, 0]);
      else plan.step("fcntl", [target, F_SETFD, 0]);
      return;
    }
    const fd = plan.slot(name);
    const path = plan.string(stream.path);
    plan.step("openat", [AT_FDCWD, path, flags | O.O_CLOEXEC | O.O_NOCTTY, 0o666], {
      into: fd,
      what: `open ${stream.path} inside the box, as the box's user`,
    });
    plan.step("dup3", [fd, target, 0]);
    plan.step("close", [fd]);
  });
}

function planFilter(plan: Plan, filter: SyscallFilter): void {
  plan.because("system call filter", () => {
    const program = plan.struct([filter.instructionCount, 0, 0n]);
    plan.point(program, 8, plan.bytes(filter.program));
    plan.step("seccomp", [SECCOMP_SET_MODE_FILTER, 0, program], { what: "install the filter" });
  });
}

/**
 * Tells the keeper that the program starts: when, what CPU time was used so far (not the
 * program's), and a descriptor of the process. The message also carries its process id, which the
 * kernel translates (SCM_CREDENTIALS, unix(7)). Then execve; if that fails the program's standard
 * error says why, as a shell would.
 */
function planExec(plan: Plan, options: ProgramOptions): void {
  const report = plan.struct(new Array(REPORT.size / 4).fill(0));
  plan.step("store", [report, 4, REPORT_KIND.started]);
  const control = plan.struct([20n, SOL_SOCKET, SCM_RIGHTS, 0, 0]);
  const vector = plan.struct([0n, BigInt(REPORT.size)]);
  plan.point(vector, 0, report);
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, 24n, 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  const pid = plan.slot("program");
  const pidfd = plan.slot("program");
  const path = plan.string(options.command[0]!);
  const argv = plan.pointers(options.command.map((argument) => plan.string(argument)));
  const envp = plan.pointers(
    [...options.environment].map(([name, value]) => plan.string(`${name}=${value}`)),
  );
  plan.step("getpid", [], { into: pid });
  plan.step("pidfd_open", [pid, 0], { into: pidfd });
  plan.step("store", [control.part(16, 4), 4, pidfd]);
  // However few files the program may open, that was the sandbox's last one.
  planLastLimits(plan, options.limits, options.callerLimits);
  plan.step("clock_gettime", [CLOCK_PROCESS_CPUTIME, report.part(REPORT.cpu, 16)]);
  plan.step("clock_gettime", [CLOCK_MONOTONIC, report.part(REPORT.wall, 16)]);
  plan.step("sendmsg", [options.reportFd, message, MSG_NOSIGNAL]);
  const failed = plan.slot("execve");
  plan.step("execve", [path, argv, envp], { into: failed, ignore: "all" });
  for (const errno of EXECVE_ERRNOS) {
    const line = plan.string(`execve("${options.command[0]}"): ${errnoText(errno)}\n`);
    plan.step("write", [2, line, line.length - 1], { when: [failed, -errno], ignore: "all" });
  }
  plan.step("exit_group", [EXEC_FAILED_STATUS]);
}
