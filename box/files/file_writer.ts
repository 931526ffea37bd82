/**
 * Puts files and directories into a box.
 *
 * A file is written under a temporary name beside its place, and then takes its name. It is always a
 * new one: somebody may hold the old one open, or be executing it.
 *
 * While no program runs everything in a box is the caller's, so it is his rights that count: he could
 * have moved a folder of his into the box in which there is something of others.
 */

import { ERRNO } from "../../ffi/errno.ts";
import {
  AT_EMPTY_PATH,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
} from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import { SystemError } from "../../ffi/system.ts";
import {
  checkLimit,
  checkMode,
  pathError,
  planOpenPath,
  splitFilePath,
  splitPath,
  tooLarge,
  wrongKind,
} from "./file_paths.ts";
import { copyAll, SMALL_BYTES, writeBytes } from "./file_transfer.ts";
import type { FileAccess, FileContent, WriteOptions } from "./file_types.ts";
import { openHostFile } from "../../host/open.ts";
import { asIdentity } from "../../host/identity.ts";
import { openHowStrict } from "../../host/resolve.ts";
import type { Sandbox } from "../sandbox.ts";
import { planWriterCheck, waitForWriters } from "./writers.ts";

const MODE_DEFAULT = 0o644;

/** A file on its way into a box. */
interface Target {
  readonly access: FileAccess;
  /** The open directory. */
  readonly parent: number;
  readonly name: string;
  readonly temporary: string;
  readonly mode: number;
  readonly limitBytes: number;
  /** For messages: what is tried. */
  readonly what: string;
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
  const parent = openParent(access, { parts, what });
  const temporary = `.isolate-${crypto.randomUUID()}`;
  try {
    const target = { access, parent, name, temporary, mode, limitBytes, what };
    await writeContent(target, options.content);
  } finally {
    access.sandbox.system.close(parent);
  }
}

async function writeContent(target: Target, content: FileContent): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (!(bytes instanceof Uint8Array)) return await writeLarge(target, bytes);
  if (bytes.length > target.limitBytes) throw tooLarge(target.what, target.limitBytes);
  if (bytes.length > SMALL_BYTES || !(await writeSmall(target, bytes))) {
    await writeLarge(target, bytes);
  }
}

/** Everything in one plan; gives false if there was no room, and the kernel did not say why. */
async function writeSmall(target: Target, bytes: Uint8Array): Promise<boolean> {
  const { what, access } = target;
  const plan = new Plan();
  const file = planCreate(plan, target);
  const written = plan.slot("written");
  plan.step("write", [file, plan.bytes(bytes), bytes.length], { into: written, what });
  const writers = planFinish(plan, target, file, [written, bytes.length]);
  const failure = access.sandbox.system.attempt(plan, what);
  if (failure || plan.result(written) !== bytes.length) removeTemporary(target);
  if (failure) throw writeError(target, failure);
  if (plan.result(written) !== bytes.length) return false;
  await waitForWriters(access.sandbox.system, target, plan.result(writers));
  return true;
}

type LargeContent = Uint8Array | ReadableStream<Uint8Array> | { readonly hostFile: string };

async function writeLarge(target: Target, content: LargeContent): Promise<void> {
  const { access, what } = target;
  const { system } = access.sandbox;
  const create = new Plan();
  const slot = planCreate(create, target);
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
    removeTemporary(target);
    throw error instanceof SystemError ? writeError(target, error) : error;
  }
}

async function fill(target: Target, fd: number, content: LargeContent): Promise<void> {
  const { access, what, limitBytes } = target;
  const { system } = access.sandbox;
  if (content instanceof Uint8Array) {
    await writeBytes(system, fd, { bytes: content, what });
  } else if (content instanceof ReadableStream) {
    await pump(target, fd, content);
  } else {
    const source = openHostFile(access.sandbox, content.hostFile);
    try {
      if (source.sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
      const copied = await copyAll(system, source, { to: fd, limitBytes, what });
      if (copied === undefined) throw tooLarge(what, limitBytes);
    } finally {
      system.close(source.fd);
    }
  }
}

async function pump(
  { access, what, limitBytes }: Target,
  fd: number,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = stream.getReader();
  try {
    for (let total = 0;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(`Cannot ${what}: the stream gave something else than a Uint8Array`);
      }
      access.assertHeld();
      total += value.length;
      if (total > limitBytes) throw tooLarge(what, limitBytes);
      await writeBytes(access.sandbox.system, fd, { bytes: value, what });
    }
  } finally {
    reader.releaseLock();
  }
}

function asCaller(plan: Plan, { caller, own }: Sandbox, build: () => void): void {
  asIdentity(plan, { identity: caller, own }, build);
}

function planCreate(plan: Plan, { access, parent, temporary, what }: Target): Slot {
  const file = plan.slot("new file");
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const name = plan.string(temporary);
  asCaller(plan, access.sandbox, () => {
    plan.step("openat", [parent, name, flags, 0o600], { into: file, what });
  });
  return file;
}

/**
 * Adds steps that give the file its owner, mode and name; gives the slot that says whether somebody
 * has it open for writing.
 */
function planFinish(
  plan: Plan,
  target: Target,
  file: Slot | number,
  when?: readonly [Slot, number],
): Slot {
  const { access, parent, temporary, name, mode, what } = target;
  const { uid, gid } = access.sandbox.caller;
  plan.step("fchownat", [file, plan.string(""), uid, gid, AT_EMPTY_PATH], { what });
  plan.step("fchmod", [file, mode], { what });
  plan.step("close", [file], { always: true, ignore: "all" });
  const writers = planWriterCheck(plan, { parent, name: temporary });
  const only = when ? { when } : {};
  const place = plan.string(name);
  asCaller(plan, access.sandbox, () => {
    // Where a file is replaced ext4 writes the new one to the disk at once (auto_da_alloc).
    plan.step("unlinkat", [parent, place, 0], { ...only, ignore: "all" });
    const names = [parent, plan.string(temporary), parent, place, 0];
    plan.step("renameat2", names, { ...only, what });
  });
  return writers;
}

function removeTemporary({ access, parent, temporary }: Target): void {
  const plan = new Plan();
  asCaller(plan, access.sandbox, () => {
    plan.step("unlinkat", [parent, plan.string(temporary), 0], { ignore: "all" });
  });
  access.sandbox.system.attempt(plan, "remove an unfinished file");
}

/** What is in the way, if it is that; else what the kernel says. */
function writeError({ what }: Target, failure: SystemError): Error {
  const isInTheWay = failure.step?.operation === "renameat2" &&
    (failure.errno === ERRNO.EISDIR || failure.errno === ERRNO.ENOTEMPTY);
  if (isInTheWay) return wrongKind(what, { found: "directory", wanted: "file" });
  const isOfOthers = failure.step?.operation !== "openat2" &&
    (failure.errno === ERRNO.EACCES || failure.errno === ERRNO.EPERM);
  return failure.errno === ERRNO.ENAMETOOLONG || isOfOthers ? pathError(what, failure) : failure;
}

/** Opens a directory, which is made with those above it if it does not exist. */
function openParent(
  access: FileAccess,
  { parts, what }: { parts: readonly string[]; what: string },
): number {
  const { sandbox } = access;
  const box = access.open();
  if (parts.length === 0) return box;
  try {
    const plan = new Plan();
    let found: Slot | undefined;
    asCaller(plan, sandbox, () => {
      found = planOpenPath(plan, box, { parts, flags: O_DIRECTORY, what });
    });
    const failure = sandbox.system.attempt(plan, what);
    if (!failure) return plan.result(found!);
    if (failure.errno !== ERRNO.ENOENT) throw pathError(what, failure);
    return makeLevels(sandbox, box, { parts, what });
  } finally {
    sandbox.system.close(box);
  }
}

function makeLevels(sandbox: Sandbox, box: number, options: {
  parts: readonly string[];
  what: string;
}): number {
  const { system } = sandbox;
  const { what } = options;
  const plan = new Plan();
  let last: Slot | undefined;
  asCaller(plan, sandbox, () => {
    last = planLevels(plan, box, { ...options, owner: sandbox.caller });
  });
  const failure = system.attempt(plan, what);
  const fd = plan.result(last!);
  if (!failure) return fd;
  system.close(fd);
  throw pathError(what, failure);
}

function planLevels(plan: Plan, box: number, { parts, owner, what }: {
  parts: readonly string[];
  owner: { readonly uid: number; readonly gid: number };
  what: string;
}): Slot {
  let parent: Slot | number = box;
  for (const part of parts) {
    const [made, fd] = [plan.slot(`made ${part}`), plan.slot(part)];
    const name = plan.string(part);
    plan.step("mkdirat", [parent, name, 0o755], { into: made, ignore: ERRNO.EEXIST, what });
    const how = openHowStrict(plan, O_DIRECTORY | O_NOFOLLOW);
    plan.step("openat2", [parent, name, how, 24], { into: fd, what });
    const { uid, gid } = owner;
    // Whatever the caller's umask is; and never by name, which may mean something else by now.
    plan.step("fchmod", [fd, 0o755], { when: [made, 0], what });
    plan.step("fchownat", [fd, plan.string(""), uid, gid, AT_EMPTY_PATH], {
      when: [made, 0],
      what,
    });
    if (parent !== box) plan.step("close", [parent], { always: true, ignore: "all" });
    parent = fd;
  }
  return parent as Slot;
}

/** Makes a directory with those above it; see `BoxFiles.makeDirectory`. */
export function makeDirectory(access: FileAccess, path: string): void {
  const parts = splitPath(path);
  const what = `make the directory ${JSON.stringify(path)} in the box`;
  access.assertHeld();
  access.sandbox.system.close(openParent(access, { parts, what }));
}
