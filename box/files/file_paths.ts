/** Checks and opens paths in a box, and explains why one leads nowhere, or elsewhere. */

import { ERRNO } from "../../ffi/errno.ts";
import { O_DIRECTORY, O_PATH } from "../../ffi/linux.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
import type { SystemError } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { planOpen, STRICT } from "../../host/open.ts";

/** The kernel takes paths of up to 4095 bytes; programs can make longer ones, level by level. */
const PIECE_BYTES_MAX = 3072;

/** Splits a path in a box, after a check that it leads nowhere else. */
export function splitPath(path: string): string[] {
  const problem = path === ""
    ? "it is empty"
    : path.startsWith("/")
    ? "it must be relative to box/"
    : path.includes("\0")
    ? "it has a NUL character"
    : path.split("/").includes("..")
    ? "it must not have '..' in it"
    : undefined;
  if (problem) {
    throw new SandboxError(
      "hostile-path",
      `Cannot use ${JSON.stringify(path)} as a path in the box: ${problem}`,
    );
  }
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The same for a name that must not be that of `box/` itself. */
export function splitFilePath(path: string): string[] {
  const parts = splitPath(path);
  if (parts.length > 0 && !path.endsWith("/")) return parts;
  throw new SandboxError(
    "hostile-path",
    `Cannot use ${JSON.stringify(path)} as the path of a file in the box: it names a directory`,
  );
}

/**
 * Adds steps that open what a path leads to: without following any link, on the same mount, below
 * where it begins, however long the path is.
 */
export function planOpenPath(
  plan: Plan,
  base: number,
  options: { parts: readonly string[]; flags: number; what: string },
): Slot {
  const { what } = options;
  const pieces = joinPieces(options.parts);
  let from: number | Slot = base;
  let to = plan.slot("file of the box");
  pieces.forEach((piece, i) => {
    const isLast = i === pieces.length - 1;
    const flags = isLast ? options.flags : O_PATH | O_DIRECTORY;
    planOpen(plan, from, piece, { flags, resolve: STRICT, into: to, what });
    if (from !== base) plan.step("close", [from], { always: true, ignore: "all" });
    if (isLast) return;
    from = to;
    to = plan.slot("file of the box");
  });
  return to;
}

function joinPieces(parts: readonly string[]): string[] {
  const pieces: string[] = [];
  for (const part of parts) {
    const longer = `${pieces.at(-1)}/${part}`;
    // A UTF-16 unit takes up to three bytes of UTF-8.
    if (pieces.length === 0 || 3 * longer.length > PIECE_BYTES_MAX) pieces.push(part);
    else pieces[pieces.length - 1] = longer;
  }
  return pieces.length === 0 ? ["."] : pieces;
}

/** What failures mean on a path that a program could have made. */
const HOSTILE: ReadonlyMap<number, string> = new Map([
  [ERRNO.ELOOP, "it is a symbolic link, or leads through one"],
  [ERRNO.ENOTDIR, "something on the way is not a directory"],
  [ERRNO.EXDEV, "it leads to another file system"],
  [ERRNO.ENXIO, "it is a socket, a FIFO or a device"],
  [ERRNO.ENODEV, "it is a device"],
  [ERRNO.EACCES, "it is a device, or the caller may not use it"],
  [ERRNO.EPERM, "the caller may not change it"],
  [ERRNO.EAGAIN, "a program holds it with a lease"],
  [ERRNO.EISDIR, "a directory is in its place"],
  [ERRNO.ENAMETOOLONG, "a name in it is too long"],
]);

/** The error for a path that cannot be opened or replaced. */
export function pathError(what: string, failure: SystemError): Error {
  const options = {
    cause: failure,
    errno: failure.errno,
    ...(failure.step && { step: failure.step.operation }),
  };
  if (failure.errno === ERRNO.ENOENT) {
    return new SandboxError("no-file", `Cannot ${what}: there is no such file`, options);
  }
  const meaning = HOSTILE.get(failure.errno);
  return meaning === undefined
    ? failure
    : new SandboxError("hostile-path", `Cannot ${what}: ${meaning}`, options);
}

/** Checks a limit of bytes or entries. */
export function checkLimit(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot limit files as ${name} must be a whole number >= 0: current value is ${value}`,
  );
}

/** Checks permission bits. */
export function checkMode(mode: number): number {
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o777) return mode;
  throw new RangeError(
    `Cannot set permissions as mode must be between 0 and 0o777: current value is ${mode}`,
  );
}
