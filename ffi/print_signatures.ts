/** Says what the arguments of each operation are: the kernel's man pages as a table. */

import type { Operation } from "./abi.ts";
import { S_IFMT, SIGNALS } from "./linux.ts";
import type { Argument } from "./plan.ts";
import {
  buffer,
  choice,
  fd,
  flags,
  type Format,
  hex,
  named,
  nameOf,
  type Names,
  number,
  numbers,
  octal,
  output,
  signalSet,
  struct,
  text,
  texts,
} from "./print_values.ts";

/** Prints the arguments of an operation; of some the first ones decide what the others are. */
export type Signature = readonly Format[] | ((args: readonly Argument[]) => readonly Format[]);

const openFlags = flags("O_", 3);
const atFlags = flags("AT_");
const clock = choice("CLOCK_");
const message = flags("MSG_");
const signal = choice(SIGNALS);
const mountAttributes = flags("MOUNT_ATTR_");
const descriptorFlags = flags("O_");

/** Numbers all capabilities. A box drops them in a loop, so that no plan names one. See capabilities(7). */
export const CAPABILITIES: Names = Object.fromEntries(
  ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO " +
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE")
    .split(" ").map((name, number) => [`CAP_${name}`, number]),
);

const limit: Format = (value, step) =>
  value === 2n ** 64n - 1n ? "RLIM_INFINITY" : number(value, step);
const zeros = { zeros: true };
const limits = struct([["rlim_cur", 0, 8, limit], ["rlim_max", 8, 8, limit]], zeros);
const timespec = struct([["tv_sec", 0, 8, number], ["tv_nsec", 8, 8, number]], zeros);
const itimerspec = struct([
  ["interval_sec", 0, 8, number],
  ["interval_nsec", 8, 8, number],
  ["value_sec", 16, 8, number],
  ["value_nsec", 24, 8, number],
]);
const openHow = struct([
  ["flags", 0, 8, openFlags],
  ["mode", 8, 8, octal],
  ["resolve", 16, 8, flags("RESOLVE_")],
]);
const mountAttr = struct([
  ["attr_set", 0, 8, mountAttributes],
  ["attr_clr", 8, 8, mountAttributes],
  ["propagation", 16, 8, flags("MS_")],
  ["userns_fd", 24, 8, fd],
]);
const cloneArgs = struct([
  ["flags", 0, 8, flags("CLONE_")],
  ["pidfd", 8, 8, output],
  ["exit_signal", 32, 8, signal],
  ["stack", 40, 8, output],
  ["stack_size", 48, 8, number],
  ["cgroup", 80, 8, fd],
]);
const vector = struct([["iov_base", 0, 8, output], ["iov_len", 8, 8, number]]);
const header = struct([
  ["msg_iov", 16, 8, vector],
  ["msg_iovlen", 24, 8, number],
  ["msg_control", 32, 8, output],
  ["msg_controllen", 40, 8, number],
]);
/** The kernel packs it on x86_64 only. */
const epollEvent = struct([
  ["events", 0, 4, flags("EPOLL[A-Z]")],
  ["data", Deno.build.arch === "x86_64" ? 4 : 8, 4, (value) => String(Number(value) | 0)],
]);
const pollFd = struct([["fd", 0, 4, fd], ["events", 4, 2, flags("POLL")]]);
const filter = struct([["len", 0, 2, number], ["filter", 8, 8, output]]);
const capabilityHeader = struct([["version", 0, 4, hex], ["pid", 4, 4, number]]);
const capabilitySets = struct([
  ["effective", 0, 4, hex],
  ["permitted", 4, 4, hex],
  ["inheritable", 8, 4, hex],
]);
const diskQuota = struct([
  ["bhardlimit", 0, 8, number],
  ["bsoftlimit", 8, 8, number],
  ["ihardlimit", 24, 8, number],
  ["isoftlimit", 32, 8, number],
  ["valid", 64, 4, hex],
]);
const interfaceFlags = struct([["flags", 16, 2, flags("IFF_")]]);
const interfaceRequest: Format = (value, step) =>
  `{name=${text(value, step)}, ${interfaceFlags(value, step).slice(1)}`;
const nodeMode: Format = (value, step) => {
  const mode = Number(value);
  const type = choice("S_IF")(mode & S_IFMT, step);
  return mode & S_IFMT ? `${type}|${octal(mode & ~S_IFMT, step)}` : octal(value, step);
};
/** Prints the type of a socket and the flags in the same number; all flags lie above the types. */
const socketType = flags("SOCK_", 0xf);
const quotaCommand: Format = (value, step) =>
  `QCMD(${choice("Q_")(Number(value) >>> 8, step)}, ${Number(value) & 0xff})`;

/** Makes a signature in which a command decides about the arguments after it. */
function byCommand(options: {
  before?: readonly Format[];
  names: string;
  after: Readonly<Record<string, readonly Format[]>>;
}): Signature {
  const before = options.before ?? [];
  const command = choice(options.names);
  const names = named(options.names);
  return (args) => {
    const name = nameOf(names, Number(args[before.length]));
    return [...before, command, ...(name && options.after[name]) || []];
  };
}

const none: Signature = [];
const splice = flags("SPLICE_");

export const SIGNATURES: Readonly<Record<Operation, Signature>> = {
  openat: [fd, text, openFlags, octal],
  openat2: [fd, text, openHow, number],
  close: [fd],
  close_range: [fd, fd, flags("CLOSE_RANGE_")],
  read: [fd, output, number],
  pread64: [fd, output, number, number],
  write: [fd, buffer, number],
  pwrite64: [fd, buffer, number, number],
  ftruncate: [fd, number],
  statx: [fd, text, atFlags, flags("STATX_(?!ATTR)"), output],
  fstatfs: [fd, output],
  readlinkat: [fd, text, output, number],
  getdents64: [fd, output, number],
  mkdirat: [fd, text, octal],
  mknodat: [fd, text, nodeMode, number],
  unlinkat: [fd, text, atFlags],
  renameat2: [fd, text, fd, text, flags("RENAME_")],
  fchownat: [fd, text, number, number, atFlags],
  fchmod: [fd, octal],
  fchmodat: [fd, text, octal],
  flock: [fd, flags("LOCK_")],
  fcntl: byCommand({
    before: [fd],
    names: "F_(?!SEAL|.*LCK)",
    after: {
      F_DUPFD: [fd],
      F_DUPFD_CLOEXEC: [fd],
      F_SETFD: [flags("FD_")],
      F_SETFL: [descriptorFlags],
      F_SETPIPE_SZ: [number],
      F_ADD_SEALS: [hex],
    },
  }),
  dup3: [fd, fd, descriptorFlags],
  pipe2: [output, descriptorFlags],
  ioctl: byCommand({
    before: [fd],
    names: "TC|TIOC|SIOC|FION|FS_IOC",
    after: { TIOCSPGRP: [output], SIOCSIFFLAGS: [interfaceRequest] },
  }),
  splice: [fd, output, fd, output, number, splice],
  sendfile: [fd, fd, output, number],
  memfd_create: [text, flags("MFD_")],
  umask: [octal],
  chdir: [text],
  fchdir: [fd],
  chroot: [text],
  quotactl_fd: [fd, quotaCommand, number, diskQuota],
  open_tree: [fd, text, flags("OPEN_TREE_|AT_")],
  move_mount: [fd, text, fd, text, flags("MOVE_MOUNT_")],
  mount_setattr: [fd, text, atFlags, mountAttr, number],
  fsopen: [text, flags("FSOPEN_")],
  fsconfig: [fd, choice("FSCONFIG_"), text, text, number],
  fsmount: [fd, flags("FSMOUNT_"), mountAttributes],
  pivot_root: [text, text],
  umount2: [text, flags("MNT_|UMOUNT_")],
  execve: [text, texts, texts],
  execveat: [fd, text, texts, texts, atFlags],
  exit_group: [number],
  waitid: [choice("P_"), number, output, flags("W[A-Z]|__W"), output],
  kill: [number, signal],
  pidfd_open: [number, descriptorFlags],
  pidfd_send_signal: [fd, signal, output, number],
  getpid: none,
  getppid: none,
  getuid: none,
  geteuid: none,
  getgid: none,
  getgroups: [number, output],
  setgroups: [number, numbers],
  setresuid: [number, number, number],
  setresgid: [number, number, number],
  getpgid: [number],
  setpgid: [number, number],
  setsid: none,
  flistxattr: [fd, output, number],
  utimensat: [fd, text, output, atFlags],
  prlimit64: [number, choice("RLIMIT_"), limits, output],
  lseek: [fd, number, choice("SEEK_")],
  sched_setattr: [number, buffer, number],
  ioprio_set: [number, number, number],
  fremovexattr: [fd, text],
  landlock_create_ruleset: [buffer, number, number],
  landlock_restrict_self: [fd, number],
  getpriority: [number, number],
  setpriority: [number, number, number],
  symlinkat: [text, fd, text],
  sched_getaffinity: [number, number, output],
  sched_setaffinity: [number, number, buffer],
  prctl: byCommand({
    names: "PR_(?!CAP_AMBIENT_)",
    after: {
      PR_SET_PDEATHSIG: [signal],
      PR_SET_NAME: [text],
      PR_CAPBSET_DROP: [choice(CAPABILITIES)],
      PR_SET_CHILD_SUBREAPER: [number],
      PR_SET_NO_NEW_PRIVS: [number],
      PR_CAP_AMBIENT: [choice("PR_CAP_AMBIENT_")],
    },
  }),
  capset: [capabilityHeader, capabilitySets],
  seccomp: [choice("SECCOMP_SET_"), hex, filter],
  keyctl: byCommand({
    names: "KEYCTL_",
    after: {
      KEYCTL_JOIN_SESSION_KEYRING: [text],
      KEYCTL_CLEAR: [choice("KEY_SPEC_")],
      KEYCTL_GET_PERSISTENT: [number, choice("KEY_SPEC_")],
    },
  }),
  unshare: [flags("CLONE_")],
  uname: [output],
  rt_sigprocmask: [choice("SIG_"), signalSet, output, number],
  clock_gettime: [clock, output],
  epoll_create1: [flags("EPOLL_CLOEXEC")],
  epoll_ctl: [fd, choice("EPOLL_CTL_"), fd, epollEvent],
  epoll_pwait2: [fd, output, number, timespec, signalSet, number],
  timerfd_create: [clock, flags("TFD_[CN]")],
  timerfd_settime: [fd, flags("TFD_TIMER_"), itimerspec, output],
  ppoll: [pollFd, number, timespec, signalSet, number],
  socket: [choice("AF_"), socketType, number],
  socketpair: [choice("AF_"), socketType, number, output],
  connect: [fd, buffer, number],
  bind: [fd, buffer, number],
  listen: [fd, number],
  accept4: [fd, output, output, socketType],
  getsockopt: [fd, choice("SOL_"), choice("SO_"), output, output],
  setns: [fd, flags("CLONE_")],
  sethostname: [text, number],
  setsockopt: [fd, choice("SOL_"), choice("SO_"), buffer, number],
  sendto: [fd, buffer, number, message, buffer, number],
  sendmsg: [fd, header, message],
  recvmsg: [fd, header, message],
  spawn: [cloneArgs],
  store: [output, number, number],
  load: [output, number],
  ptrace: [choice("PTRACE_(?!O_)"), number, output, flags("PTRACE_O_")],
  next: [fd],
  reap: [number, number],
  spawn_each: [cloneArgs, number, number, number, fd],
};
