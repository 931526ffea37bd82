/**
 * What the arguments of each operation are, for printing plans: the kernel's man pages as a table.
 */

import type { Operation } from "./abi.ts";
import type { Argument } from "./plan.ts";
import * as names from "./print_flags.ts";
import {
  buffer,
  choice,
  fd,
  flags,
  type Format,
  hex,
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

const openFlags = flags(names.OPEN, { mask: 3, names: names.ACCESS_MODE });
const atFlags = flags(names.AT);
const clock = choice(names.CLOCK);
const message = flags(names.MSG);
const signal = choice(names.SIGNAL);
const signals = signalSet(names.SIGNAL);
const mountAttributes = flags(names.MOUNT_ATTR);
const descriptorFlags = flags(names.OPEN);

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
  ["resolve", 16, 8, flags(names.RESOLVE)],
]);
const mountAttr = struct([
  ["attr_set", 0, 8, mountAttributes],
  ["attr_clr", 8, 8, mountAttributes],
  ["propagation", 16, 8, flags(names.PROPAGATION)],
  ["userns_fd", 24, 8, fd],
]);
const cloneArgs = struct([
  ["flags", 0, 8, flags(names.CLONE)],
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
  ["events", 0, 4, flags(names.EPOLL)],
  ["data", Deno.build.arch === "x86_64" ? 4 : 8, 4, (value) => String(Number(value) | 0)],
]);
const pollFd = struct([["fd", 0, 4, fd], ["events", 4, 2, flags(names.POLL)]]);
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
const interfaceFlags = struct([["flags", 16, 2, flags(names.IFF)]]);
const interfaceRequest: Format = (value, step) =>
  `{name=${text(value, step)}, ${interfaceFlags(value, step).slice(1)}`;
const nodeMode: Format = (value, step) => {
  const mode = Number(value);
  const type = choice(names.FILE_TYPE)(mode & 0o170000, step);
  return mode & 0o170000 ? `${type}|${octal(mode & 0o7777, step)}` : octal(value, step);
};
/** The type of a socket and the flags in the same number; all flags are above the types. */
const socketType = flags(names.SOCKET, { mask: 0xf, names: names.SOCKET_TYPE });
const quotaCommand: Format = (value, step) =>
  `QCMD(${choice(names.QUOTA)(Number(value) >>> 8, step)}, ${Number(value) & 0xff})`;

/** A signature in which the argument at `index` is a command, which decides about those after it. */
function byCommand(options: {
  before?: readonly Format[];
  names: names.Names;
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
const splice = flags(names.SPLICE);

/** The signature of every operation. */
export const SIGNATURES: Readonly<Record<Operation, Signature>> = {
  openat: [fd, text, openFlags, octal],
  openat2: [fd, text, openHow, number],
  close: [fd],
  close_range: [fd, fd, flags(names.CLOSE_RANGE)],
  read: [fd, room, number],
  pread64: [fd, room, number, number],
  write: [fd, buffer, number],
  pwrite64: [fd, buffer, number, number],
  ftruncate: [fd, number],
  statx: [fd, text, atFlags, flags(names.STATX), room],
  fstatfs: [fd, room],
  readlinkat: [fd, text, room, number],
  getdents64: [fd, room, number],
  mkdirat: [fd, text, octal],
  mknodat: [fd, text, nodeMode, number],
  unlinkat: [fd, text, atFlags],
  renameat2: [fd, text, fd, text, flags(names.RENAME)],
  fchownat: [fd, text, number, number, atFlags],
  fchmod: [fd, octal],
  fchmodat: [fd, text, octal],
  flock: [fd, flags(names.LOCK)],
  fcntl: byCommand({
    before: [fd],
    names: names.FCNTL,
    after: {
      F_DUPFD: [fd],
      F_DUPFD_CLOEXEC: [fd],
      F_SETFD: [flags(names.FD)],
      F_SETFL: [descriptorFlags],
      F_SETPIPE_SZ: [number],
      F_ADD_SEALS: [hex],
    },
  }),
  dup3: [fd, fd, descriptorFlags],
  pipe2: [room, descriptorFlags],
  ioctl: byCommand({
    before: [fd],
    names: names.IOCTL,
    after: { TIOCGPGRP: [room], TIOCSPGRP: [room], SIOCSIFFLAGS: [interfaceRequest] },
  }),
  splice: [fd, room, fd, room, number, splice],
  tee: [fd, fd, number, splice],
  copy_file_range: [fd, room, fd, room, number, number],
  sendfile: [fd, fd, room, number],
  memfd_create: [text, flags(names.MFD)],
  eventfd2: [number, flags(names.EFD)],
  umask: [octal],
  chdir: [text],
  fchdir: [fd],
  chroot: [text],
  quotactl_fd: [fd, quotaCommand, number, diskQuota],
  open_tree: [fd, text, flags(names.OPEN_TREE)],
  move_mount: [fd, text, fd, text, flags(names.MOVE_MOUNT)],
  mount_setattr: [fd, text, atFlags, mountAttr, number],
  fsopen: [text, flags(names.FSOPEN)],
  fsconfig: [fd, choice(names.FSCONFIG), text, text, number],
  fsmount: [fd, flags(names.FSMOUNT), mountAttributes],
  pivot_root: [text, text],
  umount2: [text, flags(names.UMOUNT)],
  execve: [text, texts, texts],
  execveat: [fd, text, texts, texts, atFlags],
  exit_group: [number],
  waitid: [choice(names.ID_TYPE), number, room, flags(names.WAIT), room],
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
  setsid: none,
  getpgid: [number],
  setpgid: [number, number],
  prlimit64: [number, choice(names.RLIMIT), limits, room],
  sched_getaffinity: [number, number, room],
  sched_setaffinity: [number, number, buffer],
  prctl: byCommand({
    names: names.PR,
    after: {
      PR_SET_PDEATHSIG: [signal],
      PR_SET_DUMPABLE: [number],
      PR_SET_NAME: [text],
      PR_CAPBSET_DROP: [choice(names.CAP)],
      PR_SET_SECUREBITS: [hex],
      PR_SET_CHILD_SUBREAPER: [number],
      PR_SET_NO_NEW_PRIVS: [number],
      PR_SET_THP_DISABLE: [number],
      PR_CAP_AMBIENT: [choice(names.PR_CAP_AMBIENT)],
    },
  }),
  capset: [capabilityHeader, capabilitySets],
  seccomp: [choice(names.SECCOMP), hex, filter],
  keyctl: byCommand({
    names: names.KEYCTL,
    after: {
      KEYCTL_JOIN_SESSION_KEYRING: [text],
      KEYCTL_REVOKE: [choice(names.KEYRING)],
      KEYCTL_CLEAR: [choice(names.KEYRING)],
      KEYCTL_GET_PERSISTENT: [number, choice(names.KEYRING)],
    },
  }),
  sethostname: [buffer, number],
  unshare: [flags(names.CLONE)],
  uname: [room],
  rt_sigprocmask: [choice(names.SIG_HOW), signals, room, number],
  clock_gettime: [clock, room],
  epoll_create1: [flags(names.EPOLL_CREATE)],
  epoll_ctl: [fd, choice(names.EPOLL_CTL), fd, epollEvent],
  epoll_pwait2: [fd, room, number, timespec, signals, number],
  timerfd_create: [clock, flags(names.TFD)],
  timerfd_settime: [fd, flags(names.TFD_TIMER), itimerspec, room],
  ppoll: [pollFd, number, timespec, signals, number],
  socket: [choice(names.AF), socketType, number],
  socketpair: [choice(names.AF), socketType, number, room],
  connect: [fd, buffer, number],
  setsockopt: [fd, choice(names.SOL), choice(names.SO), buffer, number],
  sendto: [fd, buffer, number, message, buffer, number],
  sendmsg: [fd, header, message],
  recvmsg: [fd, header, message],
  spawn: [cloneArgs],
  store: [room, number, number],
  attend: [number],
};
