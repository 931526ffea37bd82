/**
 * Puts files and directories into a box.
 *
 * A file is written under a temporary name beside its place, and then takes its name. It is always a
 * new one: somebody may hold the old one open, or be executing it.
 *
 * While no program runs everything in a box is the caller's, so the caller's rights count: there could
 * be a folder that the caller has moved into the box, with files of others in it.
 */

import type { OpenFileOptions } from "../../host/reader.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { AT_EMPTY_PATH, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK } from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import { SystemError } from "../../ffi/system.ts";
import { planDirectories } from "../../host/directories.ts";
import { SandboxError } from "../../host/errors.ts";
import { asCaller, type HostAccess } from "../../host/identity.ts";
import { openFile, STRICT } from "../../host/open.ts";
import { SMALL_BYTES } from "../../host/read.ts";
import { tooLarge, wrongKind } from "../../host/status.ts";
import { copyAside, NewFile, type NewFilePlace, writeAside } from "../../host/write.ts";
import { checkLimit, checkMode, pathError, splitFilePath, splitPath } from "./file_paths.ts";
import type { FileAccess, FileContent, WriteOptions } from "./file_types.ts";
import { planWriterCheck, waitForWriters } from "./writers.ts";

const MODE_DEFAULT = 0o644;

/** A file on its way into a box. */
interface NewBoxFile extends NewFilePlace {
  readonly access: FileAccess;
  readonly file: NewFile;
  readonly mode: number;
  readonly limitBytes: number;
}

/** Puts a file into a box; see `BoxFiles.write`. */
export async function writeFile(
  access: FileAccess,
  path: string,
  options: WriteOptions & { content: FileContent },
): Promise<void> {
  const mode = checkMode(options.mode ?? MODE_DEFAULT);
  const limitBytes = checkLimit("limitBytes", options.limitBytes ?? Number.MAX_SAFE_INTEGER);
  const parts = splitFilePath(path);
  const name = parts.pop()!;
  const what = `write ${JSON.stringify(path)} in the box`;
  access.assertHeld();
  const place = { parent: openParent(access, { parts, what }), name, what };
  try {
    const file = new NewFile(access.sandbox, place);
    await writeContent({ ...place, access, file, mode, limitBytes }, options.content);
  } finally {
    access.sandbox.system.close(place.parent);
  }
}

async function writeContent(target: NewBoxFile, content: FileContent): Promise<void> {
  const { limitBytes, what } = target;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (!(bytes instanceof Uint8Array)) return await writeLarge(target, bytes);
  if (bytes.length > limitBytes) throw tooLarge(what, limitBytes);
  if (bytes.length > SMALL_BYTES || !(await writeSmall(target, bytes))) {
    await writeLarge(target, bytes);
  }
}

/** Writes in one plan; gives false if there was no room, and the kernel did not say why. */
async function writeSmall(target: NewBoxFile, bytes: Uint8Array): Promise<boolean> {
  const { access: { sandbox: { system } }, file, what } = target;
  const plan = new Plan();
  const fd = file.planCreate(plan, 0o600);
  const written = plan.slot("written");
  plan.step("write", [fd, plan.bytes(bytes), bytes.length], { into: written, what });
  const writers = planFinish(plan, target, fd, [written, bytes.length]);
  const failure = system.attempt(plan, what);
  const isWritten = plan.result(written) === bytes.length;
  if (failure || !isWritten) file.remove();
  if (failure) throw writeError(what, failure);
  if (isWritten) await waitForWriters(system, target, plan.result(writers));
  return isWritten;
}

type HostContent = { readonly hostFile: string } & OpenFileOptions;
type LargeContent = Uint8Array | ReadableStream<Uint8Array> | HostContent;

async function writeLarge(target: NewBoxFile, content: LargeContent): Promise<void> {
  const { access, access: { sandbox: { system } }, file, what } = target;
  const create = new Plan();
  const slot = file.planCreate(create, 0o600);
  const failure = system.attempt(create, what);
  const fd = create.result(slot);
  let isFinished = false;
  try {
    if (failure) throw failure;
    await fill(target, fd, content);
    access.assertHeld();
    const finish = new Plan();
    const writers = planFinish(finish, target, fd);
    isFinished = true;
    system.run(finish, what);
    await waitForWriters(system, target, finish.result(writers));
  } catch (error) {
    if (!isFinished) system.close(fd);
    file.remove();
    throw error instanceof SystemError ? writeError(what, error) : error;
  }
}

async function fill(target: NewBoxFile, fd: number, content: LargeContent): Promise<void> {
  const { access: { sandbox, sandbox: { system } }, what, limitBytes } = target;
  if (content instanceof Uint8Array) {
    await writeAside(system, fd, { bytes: content, what });
  } else if (content instanceof ReadableStream) {
    await pump(target, fd, content);
  } else {
    const source = openHostFile(sandbox, content);
    try {
      await copyAside(system, source, { to: fd, limitBytes, what });
    } finally {
      system.close(source.fd);
    }
  }
}

/** Opens a regular file of the host, with the caller's rights, to be copied into a box. */
function openHostFile(
  access: HostAccess,
  { hostFile: path, followLinks }: HostContent,
): { fd: number; sizeBytes: number } {
  const refuse = (reason: string) =>
    new SandboxError("bad-option", `Cannot copy ${path} into the box: ${reason}`);
  try {
    const flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    const { fd, status: { kind, sizeBytes } } = openFile(access, path, { flags, followLinks });
    if (kind === "file") return { fd, sizeBytes };
    access.system.close(fd);
  } catch (error) {
    if (!(error instanceof SystemError && error.errno === ERRNO.ELOOP)) throw error;
    throw refuse(
      followLinks === false
        ? "a symbolic link is on the way to it"
        : "it is a symbolic link; name the file that it leads to",
    );
  }
  throw refuse("it is not a regular file");
}

async function pump(
  { access, what, limitBytes }: NewBoxFile,
  fd: number,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = stream.getReader();
  try {
    for (let total = 0;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(`Cannot ${what}: the stream gave something other than a Uint8Array`);
      }
      access.assertHeld();
      total += value.length;
      if (total > limitBytes) throw tooLarge(what, limitBytes);
      await writeAside(access.sandbox.system, fd, { bytes: value, what });
    }
  } finally {
    reader.releaseLock();
  }
}

/**
 * Adds steps that give the file its owner, mode and name; gives the slot that says whether somebody
 * has it open for writing.
 */
function planFinish(
  plan: Plan,
  { access: { sandbox }, parent, name, file, mode, what }: NewBoxFile,
  fd: Slot | number,
  when?: readonly [Slot, number],
): Slot {
  const { uid, gid } = sandbox.caller;
  plan.step("fchownat", [fd, plan.string(""), uid, gid, AT_EMPTY_PATH], { what });
  plan.step("fchmod", [fd, mode], { what });
  plan.step("close", [fd], { always: true, ignore: "all" });
  const writers = planWriterCheck(plan, { parent, name: file.temporary });
  asCaller(plan, sandbox, () => {
    // Where a file is replaced ext4 writes the new one to the disk at once (auto_da_alloc).
    plan.step("unlinkat", [parent, plan.string(name), 0], { ...when && { when }, ignore: "all" });
  });
  file.planFinish(plan, when);
  return writers;
}

/** What is in the way, if it is that; else what the kernel says. */
function writeError(what: string, failure: SystemError): Error {
  const { errno, step } = failure;
  const isInTheWay = errno === ERRNO.EISDIR || errno === ERRNO.ENOTEMPTY;
  if (isInTheWay && step?.operation === "renameat2") {
    return wrongKind(what, { found: "directory", wanted: "file" });
  }
  const isOfOthers = step?.operation !== "openat2" &&
    (errno === ERRNO.EACCES || errno === ERRNO.EPERM);
  return errno === ERRNO.ENAMETOOLONG || isOfOthers ? pathError(what, failure) : failure;
}

/** Opens a directory, which is made with those above it if it does not exist. */
function openParent(
  access: FileAccess,
  { parts, what }: { parts: readonly string[]; what: string },
): number {
  const { sandbox, sandbox: { system, caller } } = access;
  const box = access.open();
  if (parts.length === 0) return box;
  const plan = new Plan();
  const options = { resolve: STRICT, mode: 0o755, owner: caller, what };
  const { fd } = asCaller(plan, sandbox, () => planDirectories(plan, box, parts, options));
  const failure = system.attempt(plan, what);
  system.close(box);
  if (!failure) return plan.result(fd);
  system.close(plan.result(fd));
  throw pathError(what, failure);
}

/** Makes a directory with those above it; see `BoxFiles.makeDirectory`. */
export function makeDirectory(access: FileAccess, path: string): void {
  const parts = splitPath(path);
  const what = `make the directory ${JSON.stringify(path)} in the box`;
  access.assertHeld();
  access.sandbox.system.close(openParent(access, { parts, what }));
}
