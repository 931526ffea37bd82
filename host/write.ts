/**
 * Writes files. A file that is replaced appears whole: it is written beside its place under another
 * name, and then takes the place. Nobody sees a part of it, and after a failure the old one is there.
 */

import {
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
} from "../ffi/linux.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "./errors.ts";
import { asCaller, type HostAccess } from "./identity.ts";
import { anywhere, planOpen } from "./open.ts";
import { moveAside, PIECE_BYTES } from "./read.ts";
import { tooLarge } from "./status.ts";

/** A file that is being made beside the one that it replaces. */
export interface NewFilePlace {
  /** The directory, opened. */
  readonly parent: number | Slot;
  /** The name that the file has until it is complete. */
  readonly temporary: string;
  /** What is tried, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
}

/** A name for a file in the making. */
export function temporaryName(): string {
  return `.isolate-${crypto.randomUUID()}`;
}

/** Adds a step that makes a new file. */
export function planCreate(
  plan: Plan,
  access: HostAccess,
  { parent, temporary, what, mode }: NewFilePlace & { readonly mode: number },
): Slot {
  const file = plan.slot("new file");
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const name = plan.string(temporary);
  asCaller(plan, access, () => {
    plan.step("openat", [parent, name, flags, mode], { into: file, what });
  });
  return file;
}

/** Adds steps that give a file its name, where another step has had a certain result. */
export function planReplace(
  plan: Plan,
  access: HostAccess,
  { parent, temporary, what, name, when }: NewFilePlace & {
    readonly name: string;
    readonly when?: readonly [Slot, number] | undefined;
  },
): void {
  const [from, to] = [plan.string(temporary), plan.string(name)];
  asCaller(plan, access, () => {
    plan.step("renameat2", [parent, from, parent, to, 0], { what, ...when && { when } });
  });
}

/** Removes a file that was not completed. */
export function removeTemporary(access: HostAccess, { parent, temporary }: NewFilePlace): void {
  const plan = new Plan();
  asCaller(plan, access, () => {
    plan.step("unlinkat", [parent, plan.string(temporary), 0], { ignore: "all" });
  });
  access.system.attempt(plan, "remove an unfinished file");
}

interface OpenedPlace extends NewFilePlace {
  readonly parent: number;
  readonly name: string;
}

/** A file of the host that is being made with the caller's rights. */
export class NewFile {
  /** Its descriptor, for writing. */
  readonly fd: number;
  readonly #access: HostAccess;
  readonly #place: OpenedPlace;

  private constructor(access: HostAccess, fd: number, place: OpenedPlace) {
    this.#access = access;
    this.fd = fd;
    this.#place = place;
  }

  /** Begins to make a file. Its permissions are those given, or 0666 without the umask's bits. */
  static create(access: HostAccess, path: string, mode: number | undefined): NewFile {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    if (name === "" || name === "." || name === "..") {
      throw new SandboxError(
        "bad-option",
        `Cannot write ${JSON.stringify(path)}: it names a directory, not a file`,
      );
    }
    const what = `write ${path}`;
    const plan = new Plan();
    const parent = plan.slot("directory");
    const place = { parent, temporary: temporaryName(), what };
    asCaller(plan, access, () => {
      planOpen(plan, AT_FDCWD, slash < 0 ? "." : path.slice(0, slash) || "/", {
        flags: O_PATH | O_DIRECTORY,
        resolve: anywhere(access),
        into: parent,
        what,
      });
    });
    const file = planCreate(plan, access, { ...place, mode: 0o666 });
    if (mode !== undefined) plan.step("fchmod", [file, mode], { what });
    const failure = access.system.attempt(plan, what);
    const opened = { ...place, parent: plan.result(parent), name };
    const created = new NewFile(access, plan.result(file), opened);
    if (!failure) return created;
    created.drop();
    throw failure;
  }

  /** Gives the complete file its name, in place of what was there. */
  finish(): void {
    const plan = new Plan();
    planReplace(plan, this.#access, this.#place);
    this.#access.system.run(plan, this.#place.what);
    this.#close();
  }

  /** Removes the file. */
  drop(): void {
    try {
      if (this.fd >= 0) removeTemporary(this.#access, this.#place);
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#access.system.close(this.fd, this.#place.parent);
  }
}

/** Writes a file with the caller's rights, in place of what was there. */
export function replaceFile(
  access: HostAccess,
  path: string,
  { bytes, mode }: { bytes: Uint8Array; mode?: number },
): void {
  const file = NewFile.create(access, path, mode);
  try {
    access.system.writeAll(file.fd, bytes, path);
    file.finish();
  } catch (error) {
    file.drop();
    throw error;
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

/**
 * Copies a file to its end, within the kernel, and gives its size; see sendfile(2). Holes become
 * zeros. A larger one than allowed is an error.
 */
export async function copyAside(
  system: System,
  from: { fd: number; sizeBytes: number },
  { to, limitBytes, what }: { to: number; limitBytes: number; what: string },
): Promise<number> {
  if (from.sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
  for (let total = 0;;) {
    const length = Math.min(limitBytes + 1 - total, PIECE_BYTES);
    const plan = new Plan();
    plan.step("sendfile", [to, from.fd, 0, length], { into: plan.slot("copied"), what });
    const bytes = Math.min(length, Math.max(0, from.sizeBytes - total));
    const count = await moveAside(system, plan, { bytes, what });
    if (count === 0) return total;
    total += count;
    if (total > limitBytes) throw tooLarge(what, limitBytes);
  }
}
