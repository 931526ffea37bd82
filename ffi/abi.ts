/**
 * What TypeScript and the shim must agree on: operation codes and layouts. A test compares it with
 * what the built libraries of both architectures say about themselves.
 */

/** A shim with another version of the plan format is refused. */
export const ABI_VERSION = 13;

/** Begins every plan. */
export const PLAN_MAGIC = 0x4c505349;

/** Lists the operations in the order of their codes: system calls, then the shim's own. */
// deno-fmt-ignore
export const OPERATIONS = [
  "openat", "openat2", "close", "close_range", "read", "pread64", "write", "pwrite64",
  "ftruncate", "statx", "fstatfs", "readlinkat", "getdents64", "mkdirat", "mknodat", "unlinkat",
  "renameat2", "fchownat", "fchmod", "fchmodat", "flock", "fcntl", "dup3", "pipe2", "ioctl",
  "splice", "sendfile", "memfd_create", "umask", "chdir", "fchdir", "chroot", "quotactl_fd",
  "open_tree", "move_mount", "mount_setattr", "fsopen", "fsconfig", "fsmount", "pivot_root",
  "umount2", "execve", "execveat", "exit_group", "waitid", "kill", "pidfd_open",
  "pidfd_send_signal", "getpid", "getppid", "getuid", "geteuid", "getgid", "getgroups",
  "setgroups", "setresuid", "setresgid", "getpgid", "setpgid", "prlimit64", "sched_getaffinity",
  "sched_setaffinity", "prctl", "capset", "seccomp", "keyctl", "unshare", "uname",
  "rt_sigprocmask", "clock_gettime", "epoll_create1", "epoll_ctl", "epoll_pwait2",
  "timerfd_create", "timerfd_settime", "ppoll", "socket", "socketpair", "bind", "listen", "accept4",
  "connect", "setsockopt", "getsockopt", "sendto", "sendmsg", "recvmsg", "setns", "sethostname",
  "setsid", "flistxattr", "utimensat", "ptrace", "lseek", "sched_setattr", "ioprio_set",
  "fremovexattr", "landlock_create_ruleset", "landlock_restrict_self", "getpriority", "setpriority", "symlinkat",
  "spawn", "store", "load", "next", "reap", "spawn_each",
] as const;

/** A system call, or one of the shim's own operations, that a plan's step can name. */
export type Operation = typeof OPERATIONS[number];

export const OPERATION_CODES: ReadonlyMap<Operation, number> = new Map(
  OPERATIONS.map((name, code) => [name, code]),
);

/** Lays out a plan: header, steps, slots (8 bytes each), pointers (8 bytes each), data. */
export const PLAN = {
  size: 48,
  magic: 0,
  version: 4,
  totalSize: 8,
  stepCount: 12,
  mainCount: 16,
  slotCount: 20,
  pointerCount: 24,
  reportFd: 28,
  failedStep: 32,
  failedErrno: 36,
} as const;

export const STEP = {
  size: 64,
  operation: 0,
  flags: 2,
  ignoredErrno: 3,
  resultSlot: 4,
  guardSlot: 6,
  guardValue: 8,
  kinds: 12,
  args: 16,
} as const;

/** Lays out a message from a box to its keeper. */
export const REPORT = {
  size: 72,
  kind: 0,
  step: 4,
  status: 8,
  code: 12,
  wall: 16,
  cpu: 32,
  maxRssKib: 48,
  voluntarySwitches: 56,
  forcedSwitches: 64,
} as const;

/** Lays out what comes before the end of a program that was traced. */
export const CRASH = {
  size: 304,
  kind: 0,
  thread: 4,
  signal: 8,
  code: 12,
  address: 16,
  registerBytes: 24,
  registers: 32,
} as const;

export const REPORT_KIND = { failed: 1, started: 2, ended: 3, crashed: 4, notExecuted: 5 } as const;

export const STEP_FLAG = { ignore: 1, always: 2 } as const;

/** Says how the shim reads an argument of a step. */
export const ARGUMENT = { value: 0, data: 1, buffer: 2, slot: 3 } as const;

/** Stands for "none" as a result slot or guard. */
export const NO_SLOT = 0xffff;
