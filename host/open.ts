/**
 * How files of the host are opened: with the caller's rights, only where a path may lead, and
 * without waiting for the other end of a pipe.
 */

import * as linux from "../ffi/linux.ts";
import { type Data, Plan, type Slot, type StepOptions } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { heldAbove } from "./held.ts";
import { asCaller, type HostAccess } from "./identity.ts";
import { type FileStatus, planStatus, readStatus } from "./status.ts";

/** Through links, but never out of the directory. */
export const BENEATH: number = linux.RESOLVE_BENEATH | linux.RESOLVE_NO_MAGICLINKS;
/** A name itself, whatever it has been replaced by; a file system of our own may be mounted on it. */
export const MOUNTED: number = BENEATH | linux.RESOLVE_NO_SYMLINKS;
/** The same on the same mount: one step down from a trusted directory. */
export const STRICT: number = MOUNTED | linux.RESOLVE_NO_XDEV;

/**
 * Where a path of the caller's may lead: anywhere that the caller gets without us. Links such as
 * /proc/self/fd/3 and /proc/self/cwd are the sandbox's own: they would lead another user past
 * directories that are closed to that user.
 */
export function anywhere(
  { caller, own }: Pick<HostAccess, "caller" | "own">,
  { followLinks = true }: { followLinks?: boolean | undefined } = {},
): number {
  if (!followLinks) return linux.RESOLVE_NO_SYMLINKS | linux.RESOLVE_NO_MAGICLINKS;
  return caller.uid === own.uid ? 0 : linux.RESOLVE_NO_MAGICLINKS;
}

/** How a file is opened by openat2(2). */
export interface OpenHow {
  /** Flags of open(2); `O_CLOEXEC` is added. */
  readonly flags: number;
  /** The permissions of a new file. Default: 0, which the kernel wants where none is made. */
  readonly mode?: number;
  /** Where the path may lead. */
  readonly resolve: number;
}

/** Adds a `struct open_how`. */
export function planHow(plan: Plan, { flags, mode = 0, resolve }: OpenHow): Data {
  return plan.struct([BigInt(flags | linux.O_CLOEXEC), BigInt(mode), BigInt(resolve)]);
}

/** Adds a step that opens a file. */
export function planOpen(
  plan: Plan,
  at: number | Slot,
  path: string | Uint8Array,
  { flags, mode, resolve, ...options }: OpenHow & StepOptions,
): void {
  const name = typeof path === "string" ? plan.string(path) : plan.bytes(path);
  const how = planHow(plan, { flags, mode: mode ?? 0, resolve });
  plan.step("openat2", [at, name, how, 24], options);
}

/** How a file is opened with the caller's rights. */
export interface OpenRequest extends Omit<OpenHow, "resolve"> {
  /** An open directory, out of which the path must not lead; default: any path. */
  readonly beneathFd?: number | undefined;
  /** Follow symbolic links. Default: yes. */
  readonly followLinks?: boolean | undefined;
  /** The option that names the file, for messages. */
  readonly reason?: string;
  /** What is tried, as the rest of a sentence that begins with "cannot". Default: open the file. */
  readonly what?: string;
}

/** Opens a file with the caller's rights, and looks at it. */
export function openFile(
  access: HostAccess,
  path: string,
  { beneathFd, followLinks = true, reason = "", what = `open ${path}`, ...how }: OpenRequest,
): { fd: number; status: FileStatus } {
  const plan = new Plan();
  const fd = plan.slot(path);
  const held = beneathFd === undefined && !followLinks ? heldAbove(path) : undefined;
  const options = { ...how, into: fd, what };
  plan.because(reason, () =>
    asCaller(plan, access, () => {
      if (held) {
        planOpen(plan, held.fd, held.rest, { ...options, resolve: MOUNTED });
      } else if (beneathFd === undefined) {
        const resolve = anywhere(access, { followLinks });
        planOpen(plan, linux.AT_FDCWD, path, { ...options, resolve });
      } else {
        const resolve = followLinks ? BENEATH : MOUNTED;
        planOpen(plan, beneathFd, path || ".", { ...options, resolve });
      }
    }));
  const status = planStatus(plan, fd);
  const failure = access.system.attempt(plan, what);
  if (!failure) return { fd: plan.result(fd), status: readStatus(plan.view(status)) };
  access.system.close(plan.result(fd));
  throw failure;
}

/** Opens a file with our own rights; undefined if it cannot be opened. */
export function tryOpen(system: System, path: string, flags: number): number | undefined {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags | linux.O_CLOEXEC, 0], {
    into: fd,
  });
  return system.attempt(plan, `open ${path}`) ? undefined : plan.result(fd);
}

/** Looks at a file, or at a link itself, with our own rights; undefined if it cannot be reached. */
export function statusOf(system: System, path: string): FileStatus | undefined {
  const fd = tryOpen(system, path, linux.O_PATH | linux.O_NOFOLLOW);
  if (fd === undefined) return undefined;
  const plan = new Plan();
  const status = planStatus(plan, fd);
  plan.step("close", [fd], { always: true });
  system.run(plan, `look at ${path}`);
  return readStatus(plan.view(status));
}
