/**
 * What the arguments of each operation are, for printing plans: the kernel's man pages as a table.
 */

import type { Operation } from "./abi.ts";
import { SIGNALS } from "./linux.ts";
import type { Argument } from "./plan.ts";
import {
  buffer,
  choice,
  fd,
  flags,
  type Format,
  hex,
  named,
  type Names,
  number,
  numbers,
  octal,
  room,
  signalSet,
  struct,
  text,
  texts,
} from "./print_values.ts";

/** The printers of an operation's arguments; of some the first ones decide what the others are. */
export type Signature = readonly Format[] | ((args: readonly Argument[]) => readonly Format[]);

const openFlags = flags(named("O_"), 3);
const atFlags = flags(named("AT_"));
const clock = choice(named("CLOCK_"));
const message = flags(named("MSG_"));
const signal = choice(SIGNALS);
const mountAttributes = flags(named("MOUNT_ATTR_"));
const descriptorFlags = flags(named("O_"));

/** See capabilities(7): a box drops all of them, so that no plan names one. */
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
  ["resolve", 16, 8, flags(named("RESOLVE_"))],
]);
const mountAttr = struct([
  ["attr_set", 0, 8, mountAttributes],
  ["attr_clr", 8, 8, mountAttributes],
  ["propagation", 16, 8, flags(named("MS_"))],
  ["userns_fd", 24, 8, fd],
]);
const cloneArgs = struct([
  ["flags", 0, 8, flags(named("CLONE_"))],
  ["pidfd", 8, 8, room],
  ["exit_signal", 32, 8, signal],
  ["stack", 40, 8, room],
  ["stack_size", 48, 8, number],
  ["cgroup", 80, 8, fd],
]);
const vector = struct([["iov_base", 0, 8, room], ["iov_len", 8, 8, number]]);
const header = struct([
  ["msg_iov", 16, 8, vector],
  ["msg_iovlen", 24, 8, number],
  ["msg_control", 32, 8, room],
  ["msg_controllen", 40, 8, number],
]);
/** Packed on x86_64 only. */
const epollEvent = struct([
  ["events", 0, 4, flags(named("EPOLL[A-Z]"))],
  ["data", Deno.build.arch === "x86_64" ? 4 : 8, 4, (value) => String(Number(value) | 0)],
]);
const pollFd = struct([["fd", 0, 4, fd], ["events", 4, 2, flags(named("POLL"))]]);
const filter = struct([["len", 0, 2, number], ["filter", 8, 8, room]]);
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
const interfaceFlags = struct([["flags", 16, 2, flags(named("IFF_"))]]);
const interfaceRequest: Format = (value, step) =>
  `{name=${text(value, step)}, ${interfaceFlags(value, step).slice(1)}`;
const nodeMode: Format = (value, step) => {
  const mode = Number(value);
  const type = choice(named("S_IF"))(mode & 0o170000, step);
  return mode & 0o170000 ? `${type}|${octal(mode & 0o7777, step)}` : octal(value, step);
};
/** The type of a socket and the flags in the same number; all flags are above the types. */
const socketType = flags(named("SOCK_"), 0xf);
const quotaCommand: Format = (value, step) =>
  `QCMD(${choice(named("Q_"))(Number(value) >>> 8, step)}, ${Number(value) & 0xff})`;

/** A signature in which the argument at `index` is a command, which decides about those after it. */
function byCommand(options: {
  before?: readonly Format[];
  names: Names;
  after: Readonly<Record<string, readonly Format[]>>;
}): Signature {
  const before = options.before ?? [];
  const command = choice(options.names);
  const commands = new Map(Object.entries(options.names).map(([name, value]) => [value, name]));
  return (args) => {
    const name = commands.get(Number(args[before.length]));
    return [...before, command, ...(name && options.after[name]) || []];
  };
}

const none: Signature = [];
const splice = flags(named("SPLICE_"));

/** The signature of every operation. */
export const SIGNATURES: Readonly<Record<Operation, Signature>> = {
  openat: [fd, text, openFlags, octal],
  openat2: [fd, text, openHow, number],
  close: [fd],
  close_range: [fd, fd, flags(named("CLOSE_RANGE_"))],
  read: [fd, room, number],
  pread64: [fd, room, number, number],
  write: [fd, buffer, number],
  pwrite64: [fd, buffer, number, number],
  ftruncate: [fd, number],
  statx: [fd, text, atFlags, flags(named("STATX_(?!ATTR)")), room],
  fstatfs: [fd, room],
  readlinkat: [fd, text, room, number],
  getdents64: [fd, room, number],
  mkdirat: [fd, text, octal],
  mknodat: [fd, text, nodeMode, number],
  unlinkat: [fd, text, atFlags],
  renameat2: [fd, text, fd, text, flags(named("RENAME_"))],
  fchownat: [fd, text, number, number, atFlags],
  fchmod: [fd, octal],
  fchmodat: [fd, text, octal],
  flock: [fd, flags(named("LOCK_"))],
  fcntl: byCommand({
    before: [fd],
    names: named("F_(?!SEAL|.*LCK)"),
    after: {
      F_DUPFD: [fd],
      F_DUPFD_CLOEXEC: [fd],
      F_SETFD: [flags(named("FD_"))],
      F_SETFL: [descriptorFlags],
      F_SETPIPE_SZ: [number],
      F_ADD_SEALS: [hex],
    },
  }),
  dup3: [fd, fd, descriptorFlags],
  pipe2: [room, descriptorFlags],
  ioctl: byCommand({
    before: [fd],
    names: named("TIOC|SIOC|FION"),
    after: { TIOCSPGRP: [room], SIOCSIFFLAGS: [interfaceRequest] },
  }),
  splice: [fd, room, fd, room, number, splice],
  sendfile: [fd, fd, room, number],
  memfd_create: [text, flags(named("MFD_"))],
  umask: [octal],
  chdir: [text],
  fchdir: [fd],
  chroot: [text],
  quotactl_fd: [fd, quotaCommand, number, diskQuota],
  open_tree: [fd, text, flags(named("OPEN_TREE_|AT_"))],
  move_mount: [fd, text, fd, text, flags(named("MOVE_MOUNT_"))],
  mount_setattr: [fd, text, atFlags, mountAttr, number],
  fsopen: [text, flags(named("FSOPEN_"))],
  fsconfig: [fd, choice(named("FSCONFIG_")), text, text, number],
  fsmount: [fd, flags(named("FSMOUNT_")), mountAttributes],
  pivot_root: [text, text],
  umount2: [text, flags(named("MNT_|UMOUNT_"))],
  execve: [text, texts, texts],
  execveat: [fd, text, texts, texts, atFlags],
  exit_group: [number],
  waitid: [choice(named("P_")), number, room, flags(named("W[A-Z]|__W")), room],
  kill: [number, signal],
  pidfd_open: [number, descriptorFlags],
  pidfd_send_signal: [fd, signal, room, number],
  getpid: none,
  getppid: none,
  getuid: none,
  geteuid: none,
  getgid: none,
  getgroups: [number, room],
  setgroups: [number, numbers],
  setresuid: [number, number, number],
  setresgid: [number, number, number],
  getpgid: [number],
  setpgid: [number, number],
  prlimit64: [number, choice(named("RLIMIT_")), limits, room],
  sched_getaffinity: [number, number, room],
  sched_setaffinity: [number, number, buffer],
  prctl: byCommand({
    names: named("PR_(?!CAP_AMBIENT_)"),
    after: {
      PR_SET_PDEATHSIG: [signal],
      PR_SET_NAME: [text],
      PR_CAPBSET_DROP: [choice(CAPABILITIES)],
      PR_SET_CHILD_SUBREAPER: [number],
      PR_SET_NO_NEW_PRIVS: [number],
      PR_CAP_AMBIENT: [choice(named("PR_CAP_AMBIENT_"))],
    },
  }),
  capset: [capabilityHeader, capabilitySets],
  seccomp: [choice(named("SECCOMP_SET_")), hex, filter],
  keyctl: byCommand({
    names: named("KEYCTL_"),
    after: {
      KEYCTL_JOIN_SESSION_KEYRING: [text],
      KEYCTL_CLEAR: [choice(named("KEY_SPEC_"))],
      KEYCTL_GET_PERSISTENT: [number, choice(named("KEY_SPEC_"))],
    },
  }),
  unshare: [flags(named("CLONE_"))],
  uname: [room],
  rt_sigprocmask: [choice(named("SIG_")), signalSet, room, number],
  clock_gettime: [clock, room],
  epoll_create1: [flags(named("EPOLL_CLOEXEC"))],
  epoll_ctl: [fd, choice(named("EPOLL_CTL_")), fd, epollEvent],
  epoll_pwait2: [fd, room, number, timespec, signalSet, number],
  timerfd_create: [clock, flags(named("TFD_[CN]"))],
  timerfd_settime: [fd, flags(named("TFD_TIMER_")), itimerspec, room],
  ppoll: [pollFd, number, timespec, signalSet, number],
  socket: [choice(named("AF_")), socketType, number],
  socketpair: [choice(named("AF_")), socketType, number, room],
  connect: [fd, buffer, number],
  setsockopt: [fd, choice(named("SOL_")), choice(named("SO_")), buffer, number],
  sendto: [fd, buffer, number, message, buffer, number],
  sendmsg: [fd, header, message],
  recvmsg: [fd, header, message],
  spawn: [cloneArgs],
  store: [room, number, number],
  reap: [number],
};
