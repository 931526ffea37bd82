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
  F_SETLEASE,
  F_SETLK,
  F_SETLKW,
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

/** One row of the table: one system call that fails. */
export interface SyscallRule {
  /** The flag that turns the rule on, or the terminal protection of `--tty-hack`. */
  flag: keyof typeof SYSCALL_FLAGS | "terminal";
  call: string;
  /** Its number in each convention that has it. */
  numbers: { readonly [abi in SyscallAbi]?: number };
  /**
   * Lets it fail only if an argument, counted from 0, has one of these values. The kernel looks at 32
   * bits of all arguments here.
   */
  argument?: { index: number; values: { readonly [name: string]: number } };
  errno: "EPERM" | "ENOSYS" | "EAFNOSUPPORT";
}

/** Six commands of fcntl(2), and the two with 64-bit offsets that 32-bit programs also have. */
const LOCK_COMMANDS = {
  F_SETLK,
  F_SETLKW,
  F_SETLK64: 13,
  F_SETLKW64: 14,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETLEASE,
  F_NOTIFY,
};

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
    argument: { index: 0, values: { AF_VSOCK } },
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
    argument: { index: 1, values: LOCK_COMMANDS },
    errno: "EPERM",
  },
  {
    flag: "fileLocks",
    call: "fcntl64",
    numbers: { i386: 221, arm: 221 },
    argument: { index: 1, values: LOCK_COMMANDS },
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
    argument: { index: 1, values: { TIOCSTI, TIOCLINUX, TIOCSETD } },
    errno: "EPERM",
  },
];
