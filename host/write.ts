/**
 * Writes files. A file that is replaced appears whole: it is written beside its place under another
 * name, and then takes the place. Nobody sees a part of it, and after a failure the old one is there.
 */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "./errors.ts";
import { asCaller, type HostAccess } from "./identity.ts";
import { openFile } from "./open.ts";
import { moveAside, PIECE_BYTES, SMALL_BYTES } from "./read.ts";
import { tooLarge } from "./status.ts";

/** Where a file is to appear. */
export interface NewFilePlace {
  /** The directory, opened. */
  readonly parent: number;
  readonly name: string;
  /** What is tried, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
}

/** A file that is made with the caller's rights, beside the one that it replaces. */
export class NewFile {
  /** The name that the file has until it is complete. */
  readonly temporary: string = `.isolate-${crypto.randomUUID()}`;
  readonly #access: HostAccess;
  readonly #place: NewFilePlace;

  constructor(access: HostAccess, place: NewFilePlace) {
    this.#access = access;
    this.#place = place;
  }

  /** Adds a step that makes the file. */
  planCreate(plan: Plan, mode: number): Slot {
    const { parent, what } = this.#place;
    const file = plan.slot("new file");
    const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_EXCL | linux.O_NOFOLLOW |
      linux.O_CLOEXEC;
    const args = [parent, plan.string(this.temporary), flags, mode];
    asCaller(plan, this.#access, () => plan.step("openat", args, { into: file, what }));
    return file;
  }

  /** Adds a step that gives the file its name, where another step has had a certain result. */
  planFinish(plan: Plan, when?: readonly [Slot, number]): void {
    const { parent, name, what } = this.#place;
    const args = [parent, plan.string(this.temporary), parent, plan.string(name), 0];
    const options = { what, ...when && { when } };
    asCaller(plan, this.#access, () => plan.step("renameat2", args, options));
  }

  /** Removes the file if it does not have its name yet. */
  remove(): void {
    const plan = new Plan();
    const args = [this.#place.parent, plan.string(this.temporary), 0];
    asCaller(plan, this.#access, () => plan.step("unlinkat", args, { ignore: "all" }));
    this.#access.system.attempt(plan, "remove an unfinished file");
  }
}

/** A file of the host that is being written. */
export interface OpenedNewFile {
  readonly fd: number;
  /** Gives the complete file its name. */
  finish(): void;
  /** Closes the file, and removes it if it is not finished. */
  close(): void;
}

/**
 * Begins to write a file of the host with the caller's rights. Its permissions are those given, or 0666
 * without the umask's bits.
 */
export function createFile(access: HostAccess, path: string, mode?: number): OpenedNewFile {
  const { system } = access;
  const [, above = "", name = ""] = /^(.*\/)?([^/]*)$/s.exec(path) ?? [];
  if (name === "" || name === "." || name === "..") {
    const message = `Cannot write ${JSON.stringify(path)}: it names a directory, not a file`;
    throw new SandboxError("bad-option", message);
  }
  const what = `write ${path}`;
  const { fd: parent } = openFile(access, above || ".", {
    flags: linux.O_PATH | linux.O_DIRECTORY,
    what,
  });
  const file = new NewFile(access, { parent, name, what });
  const create = new Plan();
  const slot = file.planCreate(create, 0o666);
  if (mode !== undefined) create.step("fchmod", [slot, mode], { what });
  const failure = system.attempt(create, what);
  const fd = create.result(slot);
  const created = {
    fd,
    finish() {
      const plan = new Plan();
      file.planFinish(plan);
      system.run(plan, what);
    },
    close() {
      if (fd >= 0) file.remove();
      system.close(fd, parent);
    },
  };
  if (!failure) return created;
  created.close();
  throw failure;
}

/** Writes a file with the caller's rights, in place of what was there. */
export function replaceFile(
  access: HostAccess,
  path: string,
  { bytes, mode }: { bytes: Uint8Array; mode?: number },
): void {
  const file = createFile(access, path, mode);
  try {
    access.system.writeAll(file.fd, bytes, path);
    file.finish();
  } finally {
    file.close();
  }
}

/** Writes bytes, large pieces on another thread. */
export async function writeAside(
  system: System,
  fd: number,
  { bytes, what }: { bytes: Uint8Array; what: string },
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const plan = new Plan();
    const piece = plan.bytes(bytes.subarray(at, at + PIECE_BYTES));
    plan.step("write", [fd, piece, piece.length], { into: plan.slot("written"), what });
    at += await moveAside(system, plan, { bytes: piece.length, what });
  }
}

/** How a file is copied. */
interface CopyOptions {
  /** A new file, empty. */
  readonly to: number;
  readonly limitBytes: number;
  readonly what: string;
}

/**
 * Copies a file to its end, within the kernel, and returns its size; see sendfile(2). Holes stay
 * holes: a file can seem to be far larger than the disk. A larger file than allowed is an error.
 */
export async function copyAside(
  system: System,
  from: { fd: number; sizeBytes: number },
  options: CopyOptions,
): Promise<number> {
  const { to, limitBytes, what } = options;
  if (from.sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
  // Small ones are not worth the question; of those without a size there is no other way.
  if (from.sizeBytes <= SMALL_BYTES) return await copyPart(system, from, { ...options, at: 0 });
  for (let at = 0;;) {
    const plan = new Plan();
    const [data, end, size] = [plan.slot("data"), plan.slot("end of data"), plan.slot("size")];
    plan.step("lseek", [from.fd, at, linux.SEEK_DATA], { into: data, ignore: "all" });
    plan.step("lseek", [from.fd, data, linux.SEEK_HOLE], { into: end, ignore: "all" });
    plan.step("lseek", [from.fd, 0, linux.SEEK_END], { into: size, what });
    plan.step("lseek", [from.fd, data, linux.SEEK_SET], { ignore: "all" });
    plan.step("lseek", [to, data, linux.SEEK_SET], { ignore: "all" });
    system.run(plan, what);
    const sizeBytes = plan.result(size);
    if (sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
    if (plan.result(data) === -ERRNO.ENXIO) {
      const finish = new Plan();
      finish.step("ftruncate", [to, sizeBytes], { what });
      system.run(finish, what);
      return sizeBytes;
    }
    if (plan.result(data) < 0) return await copyPart(system, from, { ...options, at });
    const part = { ...options, at: plan.result(data), untilBytes: plan.result(end) };
    const copiedTo = await copyPart(system, from, part);
    // It became shorter meanwhile.
    if (copiedTo < plan.result(end)) return copiedTo;
    at = copiedTo;
  }
}

/** Copies from where both files are, to an end; returns where that was. */
async function copyPart(
  system: System,
  from: { fd: number; sizeBytes: number },
  { to, limitBytes, what, at, untilBytes = Infinity }: CopyOptions & {
    readonly at: number;
    readonly untilBytes?: number;
  },
): Promise<number> {
  for (let total = at; total < untilBytes;) {
    const length = Math.min(limitBytes + 1 - total, untilBytes - total, PIECE_BYTES);
    const plan = new Plan();
    plan.step("sendfile", [to, from.fd, 0, length], { into: plan.slot("copied"), what });
    const bytes = Math.min(length, Math.max(0, from.sizeBytes - total));
    const count = await moveAside(system, plan, { bytes, what });
    if (count === 0) return total;
    total += count;
    if (total > limitBytes) throw tooLarge(what, limitBytes);
  }
  return untilBytes;
}
