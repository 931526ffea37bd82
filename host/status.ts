/** What the kernel knows of a file; see statx(2). */

import * as linux from "../ffi/linux.ts";
import type { Data, Plan, Slot } from "../ffi/plan.ts";
import { SandboxError } from "./errors.ts";

/** The kinds of files. */
export type FileKind =
  | "file"
  | "directory"
  | "symlink"
  | "fifo"
  | "socket"
  | "device"
  | "block-device";

/** What is known of a file. */
export interface FileStatus {
  /** What it is. */
  readonly kind: FileKind;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Its permission bits, with the set-id and sticky bits. */
  readonly mode: number;
  /** Its owner. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** The number of its hard links. */
  readonly links: number;
  /** Its device and inode, `MAJOR:MINOR:INODE`: what tells it from every other file. */
  readonly identity: string;
  /** The mount that it was reached through. */
  readonly mountId: bigint;
  /** When its content was last changed, in milliseconds since 1970. */
  readonly modifiedAtMs: number;
}

/** The size of the kernel's `struct statx`. */
export const STATX_SIZE = 256;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [linux.S_IFREG, "file"],
  [linux.S_IFDIR, "directory"],
  [linux.S_IFLNK, "symlink"],
  [linux.S_IFIFO, "fifo"],
  [linux.S_IFSOCK, "socket"],
  [linux.S_IFCHR, "device"],
  [linux.S_IFBLK, "block-device"],
]);

/**
 * Adds a step that looks at an open file; {@linkcode readStatus} reads what it found. What is cached is
 * known without asking the server of a file system, which might not answer.
 */
export function planStatus(
  plan: Plan,
  fd: number | Slot,
  { cached, ...options }: { ignore?: "all"; cached?: true } = {},
): Data {
  const status = plan.alloc(STATX_SIZE);
  const flags = linux.AT_EMPTY_PATH | (cached ? linux.AT_STATX_DONT_SYNC : 0);
  const wanted = linux.STATX_BASIC_STATS | linux.STATX_MNT_ID;
  plan.step("statx", [fd, plan.string(""), flags, wanted, status], options);
  return status;
}

/** Adds a step that looks at what a path leads to. */
export function planPathStatus(plan: Plan, path: string, { followLink = true } = {}): Data {
  const status = plan.alloc(STATX_SIZE);
  const flags = followLink ? 0 : linux.AT_SYMLINK_NOFOLLOW;
  const wanted = linux.STATX_BASIC_STATS | linux.STATX_MNT_ID;
  plan.step("statx", [linux.AT_FDCWD, plan.string(path), flags, wanted, status], {
    what: `look at ${path}`,
  });
  return status;
}

/** Reads the kernel's `struct statx`. */
export function readStatus(view: DataView): FileStatus {
  const mode = view.getUint16(28, true);
  const [major, minor] = [view.getUint32(136, true), view.getUint32(140, true)];
  return {
    kind: KINDS.get(mode & linux.S_IFMT) ?? "device",
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: mode & 0o7777,
    identity: `${major}:${minor}:${view.getBigUint64(32, true)}`,
    mountId: view.getBigUint64(144, true),
    sizeBytes: Number(view.getBigUint64(40, true)),
    modifiedAtMs: Number(view.getBigInt64(112, true)) * 1000 +
      Math.floor(view.getUint32(120, true) / 1e6),
  };
}

/** Whether only root can change a file: what root relies on must be so. */
export function isRootsAlone({ uid, mode }: FileStatus): boolean {
  return uid === 0 && (mode & 0o022) === 0;
}

const KIND_NAMES: Readonly<Record<FileKind, string>> = {
  file: "a regular file",
  directory: "a directory",
  symlink: "a symbolic link",
  fifo: "a FIFO",
  socket: "a socket",
  device: "a device",
  "block-device": "a block device",
};

/** The error for something that is not of the kind it should be. */
export function wrongKind(
  what: string,
  { found, wanted }: { found: FileKind; wanted: FileKind },
): SandboxError {
  return new SandboxError(
    "hostile-path",
    `Cannot ${what}: it is ${KIND_NAMES[found]}, not ${KIND_NAMES[wanted]}`,
  );
}

/** The error for a file that is too large. */
export function tooLarge(what: string, limitBytes: number): SandboxError {
  return new SandboxError("too-large", `Cannot ${what}: it is larger than ${limitBytes} bytes`);
}
