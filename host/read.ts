/**
 * How files of the host are opened, listed and read: with the rights of whom the sandbox acts for,
 * from anywhere or only from below one directory, and never waiting for the other end of a pipe.
 */

import { joinBytes } from "../text/bytes.ts";
import { SandboxError, toSandboxError } from "./errors.ts";
import { readDirectory } from "./list.ts";
import { asIdentity } from "./identity.ts";
import type { Sandbox } from "../box/sandbox.ts";
import { ERRNO } from "../ffi/errno.ts";
import { decodeOsString } from "../text/os_string.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  STATX_BASIC_STATS,
} from "../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import { readStatx, STATX_SIZE, type System } from "../ffi/system.ts";

const CHUNK_BYTES = 1 << 20;
const BATCH = 128;
const ENTRIES_MAX = 100_000;
/** Where `struct statx` has the time of the last change of the content. */
const STATX_MODIFIED = 112;

/** What kind of file something is; `other`: a pipe, a socket or a device. */
export type HostKind = "file" | "directory" | "link" | "other";

/** What is known of a file of the host. */
export interface HostStatus {
  /** Its kind. */
  readonly kind: HostKind;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Its permissions, with the set-id and sticky bits. */
  readonly mode: number;
  /** Its owner. */
  readonly uid: number;
  /** When its content was changed last, in milliseconds since 1970. */
  readonly modifiedAtMs: number;
}

/** An entry of a directory of the host. */
export interface HostEntry extends HostStatus {
  /** Its name; what is no valid UTF-8 becomes lone surrogates, see `decodeOsString()`. */
  readonly name: string;
}

/** Whose files are opened, and from where. */
export interface HostPlace {
  /** Whose rights count. */
  readonly sandbox: Sandbox;
  /** An open directory: paths are relative to it and never lead out; undefined: any path. */
  readonly beneathFd?: number;
}

/** Opens a file. */
export function openPath(place: HostPlace, path: string, flags: number | "regular"): number {
  const plan = new Plan();
  const fd = plan.slot("file");
  const status = plan.alloc(STATX_SIZE);
  const { caller: identity, own, system } = place.sandbox;
  asIdentity(plan, { identity, own }, () => {
    planOpen(plan, { place, path, flags: flags === "regular" ? O_NONBLOCK : flags, into: fd });
  });
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
  const failure = system.attempt(plan, `open ${path}`);
  if (failure) throw toSandboxError(failure);
  const { kind } = statusFrom(plan.view(status));
  if (flags === "regular" && kind !== "file") {
    system.close(plan.result(fd));
    throw new SandboxError(
      "hostile-path",
      `Cannot read ${path}: it is ${KIND_NAMES[kind]}, not a regular file`,
    );
  }
  return plan.result(fd);
}

const KIND_NAMES: Readonly<Record<HostKind, string>> = {
  file: "a regular file",
  directory: "a directory",
  link: "a symbolic link",
  other: "a pipe, a socket or a device",
};

function planOpen(plan: Plan, { place, path, flags, into }: {
  place: HostPlace;
  path: string;
  flags: number;
  into: Slot;
}): void {
  const options = { into, what: `open ${path}` };
  const how = planHow(plan, place, { flags, mode: 0 });
  if (place.beneathFd === undefined) {
    plan.step("openat2", [AT_FDCWD, plan.string(path), how, 24], options);
  } else {
    plan.step("openat2", [place.beneathFd, plan.string(path || "."), how, 24], options);
  }
}

/** Adds a `struct open_how` by which a file of the host may be opened. */
export function planHow(
  plan: Plan,
  { sandbox: { caller, own }, beneathFd }: HostPlace,
  { flags, mode }: { flags: number; mode: number },
): Data {
  // openat2(2) refuses flags that O_PATH makes meaningless.
  const all = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY);
  // Links such as /proc/self/cwd are the sandbox's own: they would lead a user past directories that
  // are closed to him.
  const magic = beneathFd === undefined && caller.uid === own.uid ? 0 : RESOLVE_NO_MAGICLINKS;
  const resolve = magic | (beneathFd === undefined ? 0 : RESOLVE_BENEATH);
  return plan.struct([BigInt(all), BigInt(mode), BigInt(resolve)]);
}

/** What is known of a file. */
export function statusAt(
  place: HostPlace,
  path: string,
  options: { followLink?: boolean } = {},
): HostStatus | undefined {
  const plan = new Plan();
  const fd = plan.slot("file");
  const status = plan.alloc(STATX_SIZE);
  const { caller: identity, own, system } = place.sandbox;
  const flags = options.followLink === false ? O_PATH | O_NOFOLLOW : O_PATH;
  asIdentity(plan, { identity, own }, () => planOpen(plan, { place, path, flags, into: fd }));
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
  plan.step("close", [fd]);
  const failure = system.attempt(plan, `look at ${path}`);
  if (failure?.errno === ERRNO.ENOENT) return undefined;
  if (failure) throw toSandboxError(failure);
  return statusFrom(plan.view(status));
}

function statusFrom(view: DataView): HostStatus {
  const { mode, uid, sizeBytes } = readStatx(view);
  const seconds = Number(view.getBigInt64(STATX_MODIFIED, true));
  const nanoseconds = view.getUint32(STATX_MODIFIED + 8, true);
  return {
    kind: kindOf(mode),
    sizeBytes,
    mode: mode & 0o7777,
    uid,
    modifiedAtMs: seconds * 1000 + Math.floor(nanoseconds / 1e6),
  };
}

function kindOf(mode: number): HostKind {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "link";
    default:
      return "other";
  }
}

/** Where a file really lies. */
export function realPathAt(place: HostPlace, path: string): string {
  const fd = openPath(place, path, O_PATH);
  try {
    return linkTarget(place.sandbox.system, `/proc/self/fd/${fd}`);
  } finally {
    place.sandbox.system.close(fd);
  }
}

/** What a symbolic link says. */
export function linkTarget(system: System, path: string): string {
  const plan = new Plan();
  const length = plan.slot("length");
  const target = plan.alloc(4096);
  plan.step("readlinkat", [AT_FDCWD, plan.string(path), target, target.length], {
    into: length,
    what: `read the link ${path}`,
  });
  const failure = system.attempt(plan, `read the link ${path}`);
  if (failure) throw toSandboxError(failure);
  return decodeOsString(plan.content(target, plan.result(length)));
}

/** Lists an open directory. */
export function entriesOf(
  place: HostPlace,
  fd: number,
  options: { path: string; entriesMax?: number },
): HostEntry[] {
  const { path, entriesMax = ENTRIES_MAX } = options;
  const entries: HostEntry[] = [];
  try {
    for (const chunk of readDirectory(place.sandbox.system, fd)) {
      for (let at = 0; at < chunk.length; at += BATCH) {
        entries.push(...statusesOf(place, fd, chunk.slice(at, at + BATCH).map((it) => it.name)));
      }
      if (entries.length > entriesMax) {
        throw new SandboxError(
          "hostile-path",
          `Cannot list ${path}: it has more than ${entriesMax} entries`,
        );
      }
    }
  } catch (error) {
    throw toSandboxError(error);
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function statusesOf(
  { sandbox }: HostPlace,
  fd: number,
  names: readonly Uint8Array<ArrayBuffer>[],
): HostEntry[] {
  const plan = new Plan();
  const looked: { name: Uint8Array<ArrayBuffer>; result: Slot; status: Data }[] = [];
  asIdentity(plan, { identity: sandbox.caller, own: sandbox.own }, () => {
    for (const name of names) {
      const [result, status] = [plan.slot(""), plan.alloc(STATX_SIZE)];
      const args = [fd, plan.bytes(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status];
      // It may have gone meanwhile.
      plan.step("statx", args, { into: result, ignore: "all" });
      looked.push({ name, result, status });
    }
  });
  sandbox.system.run(plan, "look at files");
  return looked.filter(({ result }) => plan.result(result) === 0).map(({ name, status }) => ({
    name: decodeOsString(name.slice(0, -1)),
    ...statusFrom(plan.view(status)),
  }));
}

/** Reads a whole regular file. */
export function readFrom(
  place: HostPlace,
  path: string,
  limitBytes: number,
): Uint8Array<ArrayBuffer> {
  const { system } = place.sandbox;
  const fd = openPath(place, path, "regular");
  try {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let total = 0;;) {
      const plan = new Plan();
      // One byte more than allowed tells a file that is too large, however it grows.
      const chunk = plan.alloc(Math.min(CHUNK_BYTES, limitBytes + 1 - total));
      const length = plan.slot("length");
      const options = { into: length, what: `read ${path}` };
      plan.step("read", [fd, chunk, chunk.length], options);
      system.run(plan, `read ${path}`);
      const count = plan.result(length);
      if (count === 0) return joinBytes(pieces, total);
      total += count;
      if (total > limitBytes) {
        const message = `Cannot read ${path}: it is larger than ${limitBytes} bytes`;
        throw new SandboxError("hostile-path", message);
      }
      pieces.push(plan.content(chunk, count));
    }
  } catch (error) {
    throw toSandboxError(error);
  } finally {
    system.close(fd);
  }
}
