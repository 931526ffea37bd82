/**
 * The names of the kernel's numbers, for printing plans. Where architectures differ the numbers
 * are those of the machine this runs on.
 */

import { O } from "./abi.ts";

/** Names and their values; of overlapping flags the one with more bits comes first. */
export type Names = Readonly<Record<string, number>>;

function inOrder(prefix: string, names: string, first = 0): Names {
  return Object.fromEntries(names.split(" ").map((name, i) => [prefix + name, first + i]));
}

/** open(2) without the access mode. */
export const OPEN: Names = Object.fromEntries(
  Object.entries(O).filter(([name]) => name !== "O_WRONLY" && name !== "O_RDWR"),
);
/** The access mode of open(2). */
export const ACCESS_MODE: Names = inOrder("O_", "RDONLY WRONLY RDWR");
/** The `at` family. */
export const AT: Names = {
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_REMOVEDIR: 0x200,
  AT_SYMLINK_FOLLOW: 0x400,
  AT_NO_AUTOMOUNT: 0x800,
  AT_EMPTY_PATH: 0x1000,
  AT_RECURSIVE: 0x8000,
};
/** The same number as AT_REMOVEDIR means something else to faccessat2(2) only. */
export const OPEN_TREE: Names = { OPEN_TREE_CLONE: 1, OPEN_TREE_CLOEXEC: O.O_CLOEXEC, ...AT };
/** openat2(2). */
export const RESOLVE: Names = {
  RESOLVE_NO_XDEV: 1,
  RESOLVE_NO_MAGICLINKS: 2,
  RESOLVE_NO_SYMLINKS: 4,
  RESOLVE_BENEATH: 8,
  RESOLVE_IN_ROOT: 16,
  RESOLVE_CACHED: 32,
};
/** clone3(2). */
export const CLONE: Names = {
  CLONE_VM: 0x100,
  CLONE_FS: 0x200,
  CLONE_FILES: 0x400,
  CLONE_SIGHAND: 0x800,
  CLONE_PIDFD: 0x1000,
  CLONE_VFORK: 0x4000,
  CLONE_PARENT: 0x8000,
  CLONE_THREAD: 0x10000,
  CLONE_NEWNS: 0x20000,
  CLONE_NEWCGROUP: 0x02000000,
  CLONE_NEWUTS: 0x04000000,
  CLONE_NEWIPC: 0x08000000,
  CLONE_NEWUSER: 0x10000000,
  CLONE_NEWPID: 0x20000000,
  CLONE_NEWNET: 0x40000000,
  CLONE_CLEAR_SIGHAND: 2 ** 32,
  CLONE_INTO_CGROUP: 2 ** 33,
};
/** fsmount(2) and mount_setattr(2). */
export const MOUNT_ATTR: Names = {
  MOUNT_ATTR_RDONLY: 1,
  MOUNT_ATTR_NOSUID: 2,
  MOUNT_ATTR_NODEV: 4,
  MOUNT_ATTR_NOEXEC: 8,
  MOUNT_ATTR_NOATIME: 0x10,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_NODIRATIME: 0x80,
  MOUNT_ATTR_NOSYMFOLLOW: 0x200000,
};
/** Propagation of mounts. */
export const PROPAGATION: Names = {
  MS_UNBINDABLE: 1 << 17,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
};
/** move_mount(2). */
export const MOVE_MOUNT: Names = {
  MOVE_MOUNT_F_SYMLINKS: 1,
  MOVE_MOUNT_F_EMPTY_PATH: 4,
  MOVE_MOUNT_T_SYMLINKS: 0x10,
  MOVE_MOUNT_T_EMPTY_PATH: 0x40,
};
/** umount2(2). */
export const UMOUNT: Names = { MNT_FORCE: 1, MNT_DETACH: 2, MNT_EXPIRE: 4, UMOUNT_NOFOLLOW: 8 };
/** fsconfig(2). */
export const FSCONFIG: Names = inOrder(
  "FSCONFIG_",
  "SET_FLAG SET_STRING SET_BINARY SET_PATH SET_PATH_EMPTY SET_FD CMD_CREATE CMD_RECONFIGURE",
);
/** fsopen(2). */
export const FSOPEN: Names = { FSOPEN_CLOEXEC: 1 };
/** fsmount(2). */
export const FSMOUNT: Names = { FSMOUNT_CLOEXEC: 1 };
/** close_range(2). */
export const CLOSE_RANGE: Names = { CLOSE_RANGE_UNSHARE: 2, CLOSE_RANGE_CLOEXEC: 4 };
/** memfd_create(2). */
export const MFD: Names = { MFD_CLOEXEC: 1, MFD_ALLOW_SEALING: 2, MFD_EXEC: 0x10 };
/** eventfd(2). */
export const EFD: Names = {
  EFD_SEMAPHORE: 1,
  EFD_NONBLOCK: O.O_NONBLOCK,
  EFD_CLOEXEC: O.O_CLOEXEC,
};
/** flock(2). */
export const LOCK: Names = { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 };
/** fcntl(2). */
export const FCNTL: Names = {
  ...inOrder("F_", "DUPFD GETFD SETFD GETFL SETFL"),
  F_DUPFD_CLOEXEC: 1030,
  F_SETPIPE_SZ: 1031,
  F_GETPIPE_SZ: 1032,
  F_ADD_SEALS: 1033,
};
/** Flags of a descriptor. */
export const FD: Names = { FD_CLOEXEC: 1 };
/** ioctl(2), as far as it is used. */
export const IOCTL: Names = {
  TIOCGPGRP: 0x540f,
  TIOCSPGRP: 0x5410,
  TIOCNOTTY: 0x5422,
  SIOCSIFFLAGS: 0x8914,
};
/** Flags of a network interface. */
export const IFF: Names = { IFF_UP: 1 };
/** splice(2), tee(2). */
export const SPLICE: Names = { SPLICE_F_MOVE: 1, SPLICE_F_NONBLOCK: 2, SPLICE_F_MORE: 4 };
/** prctl(2), as far as it is used. */
export const PR: Names = {
  PR_SET_PDEATHSIG: 1,
  PR_GET_DUMPABLE: 3,
  PR_SET_DUMPABLE: 4,
  PR_SET_NAME: 15,
  PR_CAPBSET_DROP: 24,
  PR_SET_SECUREBITS: 28,
  PR_SET_CHILD_SUBREAPER: 36,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_SET_THP_DISABLE: 41,
  PR_CAP_AMBIENT: 47,
};
/** prctl(PR_CAP_AMBIENT). */
export const PR_CAP_AMBIENT: Names = inOrder("PR_CAP_AMBIENT_", "IS_SET RAISE LOWER CLEAR_ALL", 1);
/** capabilities(7). */
export const CAP: Names = inOrder(
  "CAP_",
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO " +
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE",
);
/** getrlimit(2). */
export const RLIMIT: Names = inOrder(
  "RLIMIT_",
  "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO " +
    "RTTIME",
);
/** keyctl(2), as far as it is used. */
export const KEYCTL: Names = {
  KEYCTL_JOIN_SESSION_KEYRING: 1,
  KEYCTL_REVOKE: 3,
  KEYCTL_CLEAR: 7,
  KEYCTL_GET_PERSISTENT: 22,
};
/** The special keyrings. */
export const KEYRING: Names = {
  KEY_SPEC_THREAD_KEYRING: -1,
  KEY_SPEC_PROCESS_KEYRING: -2,
  KEY_SPEC_SESSION_KEYRING: -3,
  KEY_SPEC_USER_KEYRING: -4,
  KEY_SPEC_USER_SESSION_KEYRING: -5,
};
/** seccomp(2). */
export const SECCOMP: Names = { SECCOMP_SET_MODE_STRICT: 0, SECCOMP_SET_MODE_FILTER: 1 };
/** waitid(2): whom. */
export const ID_TYPE: Names = inOrder("P_", "ALL PID PGID PIDFD");
/** waitid(2): what for. */
export const WAIT: Names = {
  WNOHANG: 1,
  WSTOPPED: 2,
  WEXITED: 4,
  WCONTINUED: 8,
  WNOWAIT: 0x01000000,
  __WALL: 0x40000000,
};
/** clock_gettime(2). */
export const CLOCK: Names = inOrder(
  "CLOCK_",
  "REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW REALTIME_COARSE " +
    "MONOTONIC_COARSE BOOTTIME",
);
/** timerfd_create(2). */
export const TFD: Names = { TFD_NONBLOCK: O.O_NONBLOCK, TFD_CLOEXEC: O.O_CLOEXEC };
/** timerfd_settime(2). */
export const TFD_TIMER: Names = { TFD_TIMER_ABSTIME: 1, TFD_TIMER_CANCEL_ON_SET: 2 };
/** epoll_create1(2). */
export const EPOLL_CREATE: Names = { EPOLL_CLOEXEC: O.O_CLOEXEC };
/** epoll_ctl(2). */
export const EPOLL_CTL: Names = inOrder("EPOLL_CTL_", "ADD DEL MOD", 1);
/** Events of epoll(7). */
export const EPOLL: Names = {
  EPOLLIN: 1,
  EPOLLPRI: 2,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 0x10,
  EPOLLRDHUP: 0x2000,
  EPOLLONESHOT: 2 ** 30,
  EPOLLET: 2 ** 31,
};
/** Events of poll(2). */
export const POLL: Names = { POLLIN: 1, POLLPRI: 2, POLLOUT: 4, POLLERR: 8, POLLHUP: 0x10 };
/** socket(2): families. */
export const AF: Names = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16, AF_VSOCK: 40 };
/** socket(2): types. */
export const SOCKET_TYPE: Names = {
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_SEQPACKET: 5,
};
/** socket(2): what a type may be combined with. */
export const SOCKET: Names = { SOCK_NONBLOCK: O.O_NONBLOCK, SOCK_CLOEXEC: O.O_CLOEXEC };
/** setsockopt(2): levels. */
export const SOL: Names = { SOL_SOCKET: 1 };
/** setsockopt(2): options of SOL_SOCKET. */
export const SO: Names = { SO_SNDBUF: 7, SO_RCVBUF: 8, SO_PASSCRED: 16 };
/** send(2), recv(2). */
export const MSG: Names = {
  MSG_PEEK: 2,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_CMSG_CLOEXEC: 0x40000000,
};
/** rt_sigprocmask(2). */
export const SIG_HOW: Names = inOrder("SIG_", "BLOCK UNBLOCK SETMASK");
/** signal(7). */
export const SIGNAL: Names = inOrder(
  "SIG",
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP " +
    "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS",
  1,
);
/** File types in a mode. */
export const FILE_TYPE: Names = {
  S_IFIFO: 0o010000,
  S_IFCHR: 0o020000,
  S_IFDIR: 0o040000,
  S_IFBLK: 0o060000,
  S_IFREG: 0o100000,
  S_IFLNK: 0o120000,
  S_IFSOCK: 0o140000,
};
/** quotactl(2): the command without the type. */
export const QUOTA: Names = { Q_GETQUOTA: 0x800007, Q_SETQUOTA: 0x800008 };
/** statx(2). */
export const STATX: Names = { STATX_BASIC_STATS: 0x7ff, STATX_BTIME: 0x800, STATX_MNT_ID: 0x1000 };
/** renameat2(2). */
export const RENAME: Names = { RENAME_NOREPLACE: 1, RENAME_EXCHANGE: 2 };
