/** Lists directories whose content nobody trusts. */

import {
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  DT_DIR,
  DT_UNKNOWN,
  STATX_BASIC_STATS,
} from "../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import type { Steps } from "../text/slices.ts";
import { decodeOsString } from "../text/os_string.ts";
import { SandboxError } from "./errors.ts";
import { asCaller, type HostAccess } from "./identity.ts";
import { type FileStatus, readStatus, STATX_SIZE } from "./status.ts";

const CHUNK_BYTES = 32768;
const SMALL_CHUNK_BYTES = 1024;
const PIECE_BYTES = 16384;
const BATCH = 128;

/** One entry of a directory, as getdents64(2) tells it. */
export interface Entry {
  /** Its name with the terminating NUL: bytes, for it may be no valid text. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** Whether it is a directory; undefined where the file system does not say. */
  readonly isDirectory: boolean | undefined;
}

/** An entry of a directory, with what is known of it. */
export interface HostEntry extends FileStatus {
  /** Its name; bytes that are no UTF-8 are lone surrogates, see `decodeOsString()`. */
  readonly name: string;
}

/** Reads a directory, without `.` and `..`. */
export function* readDirectory(system: System, fd: number): Generator<Entry[]> {
  // Most directories are small: for them one call finds the entries, and that there are no more.
  for (let isFirst = true;; isFirst = false) {
    const { plan, parts } = (isFirst ? READ_FIRST : READ_MORE).run(system, fd);
    // The next one who lists a directory overwrites what was read.
    const read = parts.map(({ chunk, length }) => {
      const end = plan.result(length);
      return { end, bytes: plan.content(chunk, Math.max(0, end)).slice() };
    });
    for (const { end, bytes } of read) {
      if (end === 0) return;
      yield parseEntries(bytes);
    }
  }
}

/** Reads a directory as a part of work that others must not wait for. */
export class DirectoryPieces {
  readonly #system: System;
  readonly #fd: number;
  #read: Entry[][] | undefined;
  #isOver = false;

  constructor(system: System, fd: number) {
    this.#system = system;
    this.#fd = fd;
  }

  /** Gives some of the entries; undefined: that was all. */
  *next(): Steps<Entry[] | undefined> {
    this.#read ??= this.#begin();
    const piece = this.#read.shift();
    if (piece || this.#isOver) return piece;
    const plan = new Plan();
    const { chunk, length } = planChunk(plan, this.#fd, PIECE_BYTES);
    yield* this.#system.runInTurn(plan, "list a directory");
    const end = plan.result(length);
    return end === 0 ? undefined : parseEntries(plan.content(chunk, end));
  }

  #begin(): Entry[][] {
    const { plan, parts } = READ_FIRST.run(this.#system, this.#fd);
    const read: Entry[][] = [];
    for (const { chunk, length } of parts) {
      const end = plan.result(length);
      this.#isOver ||= end === 0;
      if (end > 0) read.push(parseEntries(plan.content(chunk, end).slice()));
    }
    return read;
  }
}

function planChunk(plan: Plan, fd: number | Slot, size: number): { chunk: Data; length: Slot } {
  const [chunk, length] = [plan.alloc(size), plan.slot("length")];
  plan.step("getdents64", [fd, chunk, size], { into: length, what: "list a directory" });
  return { chunk, length };
}

const reading = (sizes: readonly number[]) =>
  new Routine(
    "list a directory",
    ["directory"],
    (plan, fd) => sizes.map((size) => planChunk(plan, fd, size)),
  );

const READ_FIRST = reading([SMALL_CHUNK_BYTES, SMALL_CHUNK_BYTES]);
const READ_MORE = reading([CHUNK_BYTES]);

/** Reads the kernel's `struct linux_dirent64`, one after the other. */
function parseEntries(bytes: Uint8Array<ArrayBuffer>): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint16(at + 16, true);
    const type = bytes[at + 18]!;
    const start = at + 19;
    const name = bytes.subarray(start, bytes.indexOf(0, start) + 1);
    at += size;
    const isDots = name[0] === 0x2e &&
      (name.length === 2 || (name.length === 3 && name[1] === 0x2e));
    if (isDots) continue;
    entries.push({ name, isDirectory: type === DT_UNKNOWN ? undefined : type === DT_DIR });
  }
  return entries;
}

/** The name of an entry as text. */
export function nameOf({ name }: Entry): string {
  return decodeOsString(name.slice(0, -1));
}

/** Lists an open directory with the status of each entry, sorted by name; follows no link. */
export function listDirectory(
  access: HostAccess,
  fd: number,
  { entriesMax, what }: { entriesMax: number; what: string },
): HostEntry[] {
  const found: HostEntry[] = [];
  let seen = 0;
  for (const entries of readDirectory(access.system, fd)) {
    // Those that have vanished count too, lest somebody keeps us here.
    seen += entries.length;
    if (seen > entriesMax) {
      throw new SandboxError("too-large", `Cannot ${what}: it has more than ${entriesMax} entries`);
    }
    for (let at = 0; at < entries.length; at += BATCH) {
      found.push(...lookAt(access, fd, entries.slice(at, at + BATCH)));
    }
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

function lookAt(access: HostAccess, fd: number, entries: readonly Entry[]): HostEntry[] {
  const plan = new Plan();
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  const looks = asCaller(plan, access, () =>
    entries.map((entry) => {
      const [status, result] = [plan.alloc(STATX_SIZE), plan.slot("")];
      const args = [fd, plan.bytes(entry.name), flags, STATX_BASIC_STATS, status];
      // It may have vanished.
      plan.step("statx", args, { into: result, ignore: "all" });
      return { entry, status, result };
    }));
  access.system.run(plan, "look at files");
  return looks.filter(({ result }) => plan.result(result) === 0)
    .map(({ entry, status }) => ({ name: nameOf(entry), ...readStatus(plan.view(status)) }));
}
