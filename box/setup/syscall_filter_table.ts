/**
 * What the system call filter forbids, as a table for people to read. The numbers come from the
 * kernel's system call tables; see syscalls(2), seccomp(2) and the manual page of each call.
 */

import {
  AF_VSOCK,
  AUDIT_ARCH_AARCH64,
  AUDIT_ARCH_ARM,
  AUDIT_ARCH_I386,
  AUDIT_ARCH_X86_64,
  F_NOTIFY,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETDELEG,
  F_SETLEASE,
  F_SETLK,
  F_SETLKW,
  O_CREAT,
  RLIMIT_CORE,
  TIOCLINUX,
  TIOCSETD,
  TIOCSTI,
} from "../../ffi/linux.ts";

/** The bits of `syscall_flags` and of the option `--syscalls`. */
export const SYSCALL_FLAGS = {
  /** Key management: `keyctl`, `add_key`, `request_key`. */
  keyctl: 1,
  /** Sockets to the hypervisor: `socket(AF_VSOCK)`. */
  vsock: 2,
  /** File locks, leases and directory notification: `flock` and six commands of `fcntl`. */
  fileLocks: 4,
  /** `io_uring`, which carries out operations that no filter sees. */
  ioUring: 8,
  /** System calls of the 32-bit architecture that the processor also speaks. */
  legacyArchitectures: 16,
} as const;

/** The flags that a box has unless the configuration or the user says otherwise. */
export const ALL_SYSCALL_FLAGS = 31;

/**
 * The `AUDIT_ARCH_*` values of `linux/audit.h` by which a filter tells calling conventions apart: those
 * of an architecture itself, and of its 32-bit ancestor.
 */
export const AUDIT_ARCHITECTURES = {
  x86_64: AUDIT_ARCH_X86_64,
  i386: AUDIT_ARCH_I386,
  aarch64: AUDIT_ARCH_AARCH64,
  arm: AUDIT_ARCH_ARM,
} as const;

/** A calling convention. */
export type SyscallAbi = keyof typeof AUDIT_ARCHITECTURES;

/** The 32-bit convention that each architecture also speaks. */
export const LEGACY_ABIS = { x86_64: "i386", aarch64: "arm" } as const;

/** An architecture that the sandbox runs on. */
export type Architecture = keyof typeof LEGACY_ABIS;

/**
 * What the filter keeps up whatever the flags are, as long as there is a filter: a terminal that is the
 * caller's, files without setuid and setgid bits, a limit on core files. And what keeps that up: a filter
 * without any flag, and no rings (`io_uring`), which get past it.
 */
export type FilterWall = "terminal" | "setid" | "core" | "always" | "rings";

/** Tests an argument, counted from 0. The kernel looks at 32 bits of all these but pointers. */
export type ArgumentTest =
  & { readonly index: number }
  & (
    /** It is one of these. */
    | { readonly values: { readonly [name: string]: number } }
    /** It has one of these bits. */
    | { readonly bits: { readonly [name: string]: number } }
    /** It is a pointer to something. */
    | { readonly isGiven: true }
  );

/** One row of the table: one system call that fails. */
export interface SyscallRule {
  /** The flag that turns the rule on, or the wall that it is a part of. */
  flag: keyof typeof SYSCALL_FLAGS | "terminal" | "setid" | "core";
  call: string;
  /** Its number in each convention that has it. */
  numbers: { readonly [abi in SyscallAbi]?: number };
  /** Lets it fail only if all of this is true of its arguments. */
  arguments?: readonly ArgumentTest[];
  errno: "EPERM" | "ENOSYS" | "EAFNOSUPPORT";
}

/** Six commands of fcntl(2), one of newer kernels, and the two with 64-bit offsets that 32-bit programs also have. */
const LOCK_COMMANDS = {
  F_SETLK,
  F_SETLKW,
  F_SETLK64: 13,
  F_SETLKW64: 14,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETLEASE,
  F_SETDELEG,
  F_NOTIFY,
};

/** Bits of a mode by which a program runs as its file's owner or group, here the box's user. */
const SET_ID = { S_ISUID_or_S_ISGID: 0o6000 };
/** Where files are made; without one of these flags a mode means nothing and can be anything. */
const MAKES_FILES = { O_CREAT_or_O_TMPFILE: O_CREAT | 0o20000000 };

/** io_uring came after the system call numbers of all architectures had been aligned. */
function everywhere(number: number): { readonly [abi in SyscallAbi]: number } {
  return { x86_64: number, i386: number, aarch64: number, arm: number };
}

/**
 * The rules: at most one for a system call, because the filter decides on the first that it finds.
 *
 * `socket` of a 32-bit program through `socketcall` cannot be seen: its arguments are behind a
 * pointer, which a filter cannot follow. Flag 16 closes that way.
 */
export const SYSCALL_RULES: readonly SyscallRule[] = [
  // A key outlives the program that made it, so adding and requesting one must fail as well: it
  // would be a trace for the next program in the same box.
  {
    flag: "keyctl",
    call: "keyctl",
    numbers: { x86_64: 250, i386: 288, aarch64: 219, arm: 311 },
    errno: "ENOSYS",
  },
  {
    flag: "keyctl",
    call: "add_key",
    numbers: { x86_64: 248, i386: 286, aarch64: 217, arm: 309 },
    errno: "ENOSYS",
  },
  {
    flag: "keyctl",
    call: "request_key",
    numbers: { x86_64: 249, i386: 287, aarch64: 218, arm: 310 },
    errno: "ENOSYS",
  },
  // Network namespaces do not hold AF_VSOCK. See vsock(7).
  {
    flag: "vsock",
    call: "socket",
    numbers: { x86_64: 41, i386: 359, aarch64: 198, arm: 281 },
    arguments: [{ index: 0, values: { AF_VSOCK } }],
    errno: "EAFNOSUPPORT",
  },
  // A lock on a file that the box shares with the host can stop programs of the host.
  {
    flag: "fileLocks",
    call: "flock",
    numbers: { x86_64: 73, i386: 143, aarch64: 32, arm: 143 },
    errno: "ENOSYS",
  },
  {
    flag: "fileLocks",
    call: "fcntl",
    numbers: { x86_64: 72, i386: 55, aarch64: 25, arm: 55 },
    arguments: [{ index: 1, values: LOCK_COMMANDS }],
    errno: "EPERM",
  },
  {
    flag: "fileLocks",
    call: "fcntl64",
    numbers: { i386: 221, arm: 221 },
    arguments: [{ index: 1, values: LOCK_COMMANDS }],
    errno: "EPERM",
  },
  { flag: "ioUring", call: "io_uring_setup", numbers: everywhere(425), errno: "ENOSYS" },
  { flag: "ioUring", call: "io_uring_enter", numbers: everywhere(426), errno: "ENOSYS" },
  { flag: "ioUring", call: "io_uring_register", numbers: everywhere(427), errno: "ENOSYS" },
  // With a terminal of the caller's in its hands, a program could type commands into it.
  {
    flag: "terminal",
    call: "ioctl",
    numbers: { x86_64: 16, i386: 54, aarch64: 29, arm: 54 },
    arguments: [{ index: 1, values: { TIOCSTI, TIOCLINUX, TIOCSETD } }],
    errno: "EPERM",
  },
  // Users of the host would run such a file as the box's user, outside of any box: in the box's
  // directory, through a descriptor or a link from before the run, or in a directory that is bound.
  ...([
    ["chmod", 1, { x86_64: 90, i386: 15, arm: 15 }],
    ["fchmod", 1, { x86_64: 91, i386: 94, aarch64: 52, arm: 94 }],
    ["fchmodat", 2, { x86_64: 268, i386: 306, aarch64: 53, arm: 333 }],
    ["fchmodat2", 2, everywhere(452)],
    ["creat", 1, { x86_64: 85, i386: 8, arm: 8 }],
    ["mknod", 1, { x86_64: 133, i386: 14, arm: 14 }],
    ["mknodat", 2, { x86_64: 259, i386: 297, aarch64: 33, arm: 324 }],
  ] as const).map(([call, index, numbers]): SyscallRule => ({
    flag: "setid",
    call,
    numbers,
    arguments: [{ index, bits: SET_ID }],
    errno: "EPERM",
  })),
  {
    flag: "setid",
    call: "open",
    numbers: { x86_64: 2, i386: 5, arm: 5 },
    arguments: [{ index: 1, bits: MAKES_FILES }, { index: 2, bits: SET_ID }],
    errno: "EPERM",
  },
  {
    flag: "setid",
    call: "openat",
    numbers: { x86_64: 257, i386: 295, aarch64: 56, arm: 322 },
    arguments: [{ index: 2, bits: MAKES_FILES }, { index: 3, bits: SET_ID }],
    errno: "EPERM",
  },
  // Its mode is behind a pointer. Programs that know the call do without it on older kernels.
  { flag: "setid", call: "openat2", numbers: everywhere(437), errno: "ENOSYS" },
  // The limit that nobody asked for keeps the kernel from starting the host's handler of core files,
  // as root; with a lower one it would start it.
  {
    flag: "core",
    call: "setrlimit",
    numbers: { x86_64: 160, i386: 75, aarch64: 164, arm: 75 },
    arguments: [{ index: 0, values: { RLIMIT_CORE } }],
    errno: "EPERM",
  },
  {
    flag: "core",
    call: "prlimit64",
    numbers: { x86_64: 302, i386: 340, aarch64: 261, arm: 369 },
    arguments: [{ index: 1, values: { RLIMIT_CORE } }, { index: 2, isGiven: true }],
    errno: "EPERM",
  },
];
