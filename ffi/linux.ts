/**
 * The constants of the kernel by their own names. The numbers are those of the architecture that
 * this runs on; a test compares them with the C headers of both. Errors are in `errno.ts`, the
 * numbers of the system calls in the shim.
 */

// One family on a line reads best here.
// deno-fmt-ignore-file
// deno-lint-ignore-file single-var-declarator

/** The flags of open(2) that differ between the architectures. */
export const OPEN_FLAGS = {
  x86_64: { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000, O_TMPFILE: 0o20200000 },
  aarch64: { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000, O_TMPFILE: 0o20040000 },
} as const;

// open(2), openat2(2); other calls borrow some of these flags
export const { O_DIRECTORY, O_NOFOLLOW, O_TMPFILE } =
  OPEN_FLAGS[Deno.build.arch === "aarch64" ? "aarch64" : "x86_64"];
export const O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_EXCL = 0o200,
  O_NOCTTY = 0o400, O_TRUNC = 0o1000, O_NONBLOCK = 0o4000, O_NOATIME = 0o1000000,
  O_CLOEXEC = 0o2000000, O_PATH = 0o10000000;
export const RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4,
  RESOLVE_BENEATH = 8;
export const AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200,
  AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_STATX_DONT_SYNC = 0x4000,
  AT_RECURSIVE = 0x8000;
export const CLOSE_RANGE_CLOEXEC = 4;

// stat(2): types in a mode, masks of statx(2), flags of a mount as fstatfs(2) has them
export const S_IFMT = 0o170000, S_IFIFO = 0o010000, S_IFCHR = 0o020000, S_IFDIR = 0o040000,
  S_IFBLK = 0o060000, S_IFREG = 0o100000, S_IFLNK = 0o120000, S_IFSOCK = 0o140000;
export const STATX_BASIC_STATS = 0x7ff, STATX_MNT_ID = 0x1000, STATX_ATTR_MOUNT_ROOT = 0x2000;
export const ST_RDONLY = 1, ST_NOEXEC = 8;
export const DT_UNKNOWN = 0, DT_DIR = 4;
export const RENAME_NOREPLACE = 1;

// fcntl(2), flock(2)
export const F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_SETLK = 6,
  F_SETLKW = 7, F_SETSIG = 10, F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_SETLEASE = 1024, F_SETDELEG = 1040,
  F_NOTIFY = 1026, F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_ADD_SEALS = 1033,
  F_GET_SEALS = 1034;
export const FD_CLOEXEC = 1, F_RDLCK = 0, F_UNLCK = 2;
export const F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8;
export const LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8;

// memfd_create(2), splice(2)
export const MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_EXEC = 0x10;
export const SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2;

// ioctl(2): terminals, pipes, attributes of files, network interfaces
export const TIOCSPGRP = 0x5410, TIOCSTI = 0x5412, FIONREAD = 0x541b, TIOCLINUX = 0x541c,
  TIOCNOTTY = 0x5422, TIOCSETD = 0x5423, TCGETS = 0x5401, TCSETS = 0x5402, TIOCSCTTY = 0x540e,
  TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, TIOCGPTPEER = 0x5441, TIOCSPTLCK = 0x40045431,
  TIOCGDEV = 0x80045432;
export const FS_IOC_GETFLAGS = 0x80086601, FS_IOC_FSGETXATTR = 0x801c581f,
  FS_IOC_SETVERSION = 0x40087602;
export const SIOCSIFFLAGS = 0x8914, IFF_UP = 1;

// clone3(2), waitid(2)
export const CLONE_VM = 0x100, CLONE_FILES = 0x400, CLONE_PIDFD = 0x1000, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_NEWNS = 0x20000,
  CLONE_NEWCGROUP = 0x02000000, CLONE_NEWUTS = 0x04000000, CLONE_NEWIPC = 0x08000000,
  CLONE_NEWUSER = 0x10000000,
  CLONE_NEWPID = 0x20000000, CLONE_NEWNET = 0x40000000, CLONE_INTO_CGROUP = 2 ** 33;
export const P_PID = 1, P_PIDFD = 3;
export const WEXITED = 4, __WALL = 0x40000000;
export const CLD_EXITED = 1;
export const PTRACE_SEIZE = 0x4206, PTRACE_O_TRACECLONE = 8;

// signal(7), sigprocmask(2)
/** All signals. */
export const SIGNALS = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8,
  SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
  SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22,
  SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29,
  SIGPWR: 30, SIGSYS: 31,
} as const;
export const { SIGKILL, SIGPIPE, SIGCHLD, SIGSTOP, SIGTTOU, SIGURG, SIGXFSZ } = SIGNALS;
export const SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2;

// mounts: open_tree(2), move_mount(2), fsopen(2), mount_setattr(2), umount2(2), quotactl(2)
export const OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = O_CLOEXEC;
export const MOVE_MOUNT_F_EMPTY_PATH = 4, MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const FSOPEN_CLOEXEC = 1, FSMOUNT_CLOEXEC = 1;
export const FSCONFIG_SET_STRING = 1, FSCONFIG_CMD_CREATE = 6;
export const MOUNT_ATTR_RDONLY = 1, MOUNT_ATTR_NOSUID = 2, MOUNT_ATTR_NODEV = 4,
  MOUNT_ATTR_NOEXEC = 8;
export const MS_PRIVATE = 1 << 18;
export const MNT_DETACH = 2, UMOUNT_NOFOLLOW = 8;
export const Q_GETFMT = 0x800004, Q_SETQUOTA = 0x800008, SUBCMDSHIFT = 8, USRQUOTA = 0,
  QIF_BLIMITS = 1, QIF_ILIMITS = 4, QIF_LIMITS = 5;

// prctl(2), capabilities(7), seccomp(2), keyctl(2)
export const PR_SET_PDEATHSIG = 1, PR_SET_NAME = 15, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24,
  PR_SET_CHILD_SUBREAPER = 36, PR_SET_NO_NEW_PRIVS = 38, PR_CAP_AMBIENT = 47;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;
export const CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_FOWNER = 3, CAP_FSETID = 4, CAP_KILL = 5,
  CAP_SETGID = 6, CAP_SETUID = 7, CAP_DAC_READ_SEARCH = 2, CAP_SYS_PTRACE = 19, CAP_SYS_ADMIN = 21;
export const _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
export const SECCOMP_SET_MODE_FILTER = 1, SECCOMP_RET_KILL_PROCESS = 0x80000000,
  SECCOMP_RET_ERRNO = 0x00050000, SECCOMP_RET_ALLOW = 0x7fff0000;
export const BPF_LD = 0, BPF_JMP = 5, BPF_RET = 6, BPF_W = 0, BPF_ABS = 0x20, BPF_JEQ = 0x10, BPF_JGE = 0x30,
  BPF_JSET = 0x40, BPF_K = 0;
export const AUDIT_ARCH_X86_64 = 0xc000003e, AUDIT_ARCH_I386 = 0x40000003,
  AUDIT_ARCH_AARCH64 = 0xc00000b7, AUDIT_ARCH_ARM = 0x40000028;
export const KEYCTL_JOIN_SESSION_KEYRING = 1, KEYCTL_CLEAR = 7, KEYCTL_INVALIDATE = 21, KEYCTL_GET_PERSISTENT = 22;
export const KEY_SPEC_PROCESS_KEYRING = -2, KEY_SPEC_USER_KEYRING = -4,
  KEY_SPEC_USER_SESSION_KEYRING = -5;

// lseek(2)
export const SEEK_SET = 0, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4;

// landlock_create_ruleset(2)
export const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1, LANDLOCK_SCOPE_SIGNAL = 2;

// getpriority(2)
export const PRIO_PROCESS = 0, PRIO_USER = 2;

// sched_setattr(2)
export const SCHED_FLAG_KEEP_PARAMS = 0x10;

// getrlimit(2)
export const RLIMIT_FSIZE = 1, RLIMIT_STACK = 3, RLIMIT_CORE = 4, RLIMIT_NPROC = 6,
  RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8, RLIMIT_AS = 9;

// clock_gettime(2), timerfd_create(2), epoll(7), poll(2)
export const CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2;
export const TFD_NONBLOCK = O_NONBLOCK, TFD_CLOEXEC = O_CLOEXEC;
export const TFD_TIMER_ABSTIME = 1;
export const EPOLL_CLOEXEC = O_CLOEXEC, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;
export const EPOLLIN = 1, EPOLLOUT = 4, EPOLLRDHUP = 0x2000, EPOLLONESHOT = 2 ** 30;
export const POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8;

// socket(2), send(2), unix(7)
export const AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_VSOCK = 40;
export const SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = O_CLOEXEC,
  SOCK_NONBLOCK = O_NONBLOCK;
export const SOL_SOCKET = 1, SO_TYPE = 3, SO_PASSCRED = 16, SO_PEERCRED = 17,
  SO_ACCEPTCONN = 30, SO_DOMAIN = 39, SO_PEERGROUPS = 59;
export const SCM_RIGHTS = 1, SCM_CREDENTIALS = 2;
export const MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000;

// netlink(7), rtnetlink(7): messages about the network, and their attributes
export const NLM_F_REQUEST = 1, NLM_F_ACK = 4, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400,
  NLM_F_DUMP = 0x300, NLMSG_ERROR = 2, NLMSG_DONE = 3;
export const RTM_NEWLINK = 16, RTM_DELLINK = 17, RTM_GETLINK = 18, RTM_NEWADDR = 20,
  RTM_NEWROUTE = 24;
export const IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MASTER = 10, IFLA_OPERSTATE = 16,
  IFLA_LINKINFO = 18, IFLA_IFALIAS = 20, IFLA_AF_SPEC = 26, IFLA_NET_NS_FD = 28;
export const IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2, IFLA_INFO_SLAVE_KIND = 4,
  IFLA_INFO_SLAVE_DATA = 5, VETH_INFO_PEER = 1;
export const IFLA_BRPORT_STATE = 1, IFLA_BRPORT_ISOLATED = 33, BR_STATE_FORWARDING = 3,
  IF_OPER_UP = 6;
export const IFLA_INET6_ADDR_GEN_MODE = 8, IN6_ADDR_GEN_MODE_NONE = 1;
export const IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_BROADCAST = 4, IFA_FLAGS = 8, IFA_F_NODAD = 2;
export const RTA_OIF = 4, RTA_GATEWAY = 5, RT_TABLE_MAIN = 254, RTPROT_STATIC = 4,
  RTN_UNICAST = 1;
