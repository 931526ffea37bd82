/** Reads files whole, never more than a limit. */

import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK } from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { joinBytes } from "../text/bytes.ts";
import { decodeOsString } from "../text/os_string.ts";
import { type FileStatus, planStatus, readStatus, tooLarge } from "./status.ts";

/** What is moved without another thread: a copy in memory of about 20 µs. */
export const SMALL_BYTES: number = 1 << 16;
/** A plan has a copy of what it moves. */
export const PIECE_BYTES: number = 1 << 20;
/** For files whose size says nothing, such as those of /proc. */
const PIECE_BYTES_MIN = 4096;

/** How a file is read. */
export interface ReadAllOptions {
  /** The size that it seems to have. */
  readonly sizeBytes: number;
  /** The most that is read. */
  readonly limitBytes: number;
  /** What is tried, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
}

/** Reads an open file to its end; a larger one than allowed is an error. */
export function readAll(
  system: System,
  fd: number,
  options: ReadAllOptions,
): Uint8Array<ArrayBuffer> {
  const reading = pieces(fd, options);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    system.run(value, options.what);
  }
}

/** Does the same, large pieces on another thread. */
export async function readAside(
  system: System,
  fd: number,
  options: ReadAllOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const reading = pieces(fd, options);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    await moveAside(system, value, { bytes: value.plannedData().byteLength, what: options.what });
  }
}

/** Gives plans to be executed, each of which reads a piece, and in the end all pieces as one. */
function* pieces(
  fd: number,
  { sizeBytes, limitBytes, what }: ReadAllOptions,
): Generator<Plan, Uint8Array<ArrayBuffer>> {
  if (sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
  const read: Uint8Array<ArrayBuffer>[] = [];
  for (let total = 0;;) {
    // One byte more than expected shows that there is an end; than allowed, that there is none yet.
    const expected = Math.max(sizeBytes + 1 - total, PIECE_BYTES_MIN);
    const plan = new Plan();
    const buffer = plan.alloc(Math.min(expected, limitBytes + 1 - total, PIECE_BYTES));
    const bytes = plan.slot("bytes");
    plan.step("read", [fd, buffer, buffer.length], { into: bytes, what });
    yield plan;
    const count = plan.result(bytes);
    if (count === 0) return joinBytes(read, total);
    total += count;
    if (total > limitBytes) throw tooLarge(what, limitBytes);
    read.push(plan.content(buffer, count));
  }
}

/**
 * Executes a plan with one step that moves bytes, and gives its result: a few at once, many on
 * another thread, lest the keeper of other boxes wait for the disk.
 */
export async function moveAside(
  system: System,
  plan: Plan,
  { bytes, what }: { bytes: number; what: string },
): Promise<number> {
  const step = plan.steps[0]!;
  if (bytes <= SMALL_BYTES) {
    system.run(plan, what);
    return plan.result(step.options.into!);
  }
  system.trace?.(plan, what);
  await system.library.execAside(plan.encode());
  const result = plan.result(step.options.into!);
  if (result < 0) throw new SystemError(step, -result);
  return result;
}

/** Reads a small file with our own rights; undefined if there is none. */
export function readFile(
  system: System,
  path: string,
  { limitBytes = 1 << 20 } = {},
): { bytes: Uint8Array<ArrayBuffer>; status: FileStatus } | undefined {
  const plan = new Plan();
  const file = plan.slot("file");
  // Never wait for a writer, should somebody have put a FIFO there.
  plan.step("openat", [AT_FDCWD, plan.string(path), O_CLOEXEC | O_NONBLOCK, 0], {
    into: file,
    what: `open ${path}`,
  });
  const found = planStatus(plan, file);
  const failure = system.attempt(plan, `open ${path}`);
  if (failure?.errno === ERRNO.ENOENT) return undefined;
  if (failure) throw failure;
  const fd = plan.result(file);
  try {
    const status = readStatus(plan.view(found));
    const what = `read ${path}`;
    return {
      bytes: readAll(system, fd, { sizeBytes: status.sizeBytes, limitBytes, what }),
      status,
    };
  } finally {
    system.close(fd);
  }
}

/** Reads a small file of text with our own rights; a missing one is empty. */
export function readText(system: System, path: string, options?: { limitBytes: number }): string {
  return decodeOsString(readFile(system, path, options)?.bytes ?? new Uint8Array());
}

const PATH_BYTES_MAX = 4096;

/** Reads what a symbolic link says, such as those of `/proc`; undefined where that is not to be seen. */
export function readLink(system: System, path: string): string | undefined {
  const plan = new Plan();
  const [target, length] = [plan.alloc(PATH_BYTES_MAX), plan.slot("length")];
  plan.step("readlinkat", [AT_FDCWD, plan.string(path), target, PATH_BYTES_MAX], {
    into: length,
    ignore: "all",
  });
  system.run(plan, `look at the link ${path}`);
  const bytes = plan.result(length);
  return bytes < 0 ? undefined : decodeOsString(plan.content(target, bytes));
}

/** What the kernel lets a process have, with room to spare. */
const ARGUMENTS = { limitBytes: 1 << 26 };

/** The environment with which this process was started; reading it so needs no permission. */
export function environmentOf(system: System): Map<string, string> {
  const variables = new Map<string, string>();
  for (const entry of readText(system, "/proc/self/environ", ARGUMENTS).split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return variables;
}

/**
 * The command line with which this process was started; reading it so needs no permission, and
 * keeps bytes that are no UTF-8.
 */
export function commandLineOf(system: System): string[] {
  return readText(system, "/proc/self/cmdline", ARGUMENTS).split("\0").slice(0, -1);
}
