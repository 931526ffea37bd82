/** Makes directories, with those above them. */

import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import { asCaller, type HostAccess, type Identity } from "./identity.ts";
import { anywhere, planOpen } from "./open.ts";
import { type FileStatus, planStatus, readStatus } from "./status.ts";

/** How directories are made. */
export interface MakeDirectoriesOptions {
  /** What they may be reached through, as in `open.ts`. */
  readonly resolve: number;
  /** The permissions of those that are made, whatever the umask; default: 0755 without its bits. */
  readonly mode?: number | undefined;
  /** To whom those are given that are made. */
  readonly owner?: Pick<Identity, "uid" | "gid"> | undefined;
  /** What is tried, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
}

/** A directory that a plan opens, with O_PATH. */
export interface PlannedDirectory {
  /** Its descriptor. */
  readonly fd: Slot;
  /** Holds 0 if it had to be made. */
  readonly made: Slot;
}

/**
 * Adds steps that open a directory, and make it and those above it where they are missing. Each
 * level is reached from the one above, never by a name that may mean something else by now.
 */
export function planDirectories(
  plan: Plan,
  base: number | Slot,
  parts: readonly string[],
  { resolve, mode, owner, what }: MakeDirectoriesOptions,
): PlannedDirectory {
  let above = base;
  let last: PlannedDirectory | undefined;
  for (const part of parts) {
    const [fd, made, readable] = [plan.slot(part), plan.slot(`made ${part}`), plan.slot(part)];
    const open = { flags: O_PATH | O_DIRECTORY, resolve, into: fd, what };
    const isMissing = { when: [fd, -ERRNO.ENOENT] as const, what };
    const isMade = { when: [made, 0] as const, what };
    planOpen(plan, above, part, { ...open, ignore: ERRNO.ENOENT });
    // Somebody else may be faster.
    const options = { ...isMissing, into: made, ignore: ERRNO.EEXIST };
    plan.step("mkdirat", [above, plan.string(part), mode ?? 0o755], options);
    planOpen(plan, above, part, { ...open, ...isMissing });
    if (mode !== undefined) {
      const args = [fd, plan.string("."), O_DIRECTORY | O_CLOEXEC, 0];
      plan.step("openat", args, { ...isMade, into: readable });
      plan.step("fchmod", [readable, mode], isMade);
      plan.step("close", [readable], { ...isMade, always: true, ignore: "all" });
    }
    if (owner) {
      plan.step("fchownat", [fd, plan.string(""), owner.uid, owner.gid, AT_EMPTY_PATH], isMade);
    }
    if (last) plan.step("close", [last.fd], { always: true, ignore: "all" });
    above = fd;
    last = { fd, made };
  }
  if (!last) throw new TypeError("Cannot make a directory without a name");
  return last;
}

/** Makes a directory with the caller's rights, and looks at it; one that is there stays as it is. */
export function makeDirectories(
  access: HostAccess,
  path: string,
  options: { mode?: number | undefined; what?: string } = {},
): FileStatus {
  const { mode, what = `make the directory ${path}` } = options;
  const plan = new Plan();
  const names = path.split("/").filter((part) => part !== "" && part !== ".");
  const parts = path.startsWith("/") ? ["/", ...names] : [".", ...names];
  const { fd } = asCaller(
    plan,
    access,
    () => planDirectories(plan, AT_FDCWD, parts, { resolve: anywhere(access), mode, what }),
  );
  const status = planStatus(plan, fd);
  plan.step("close", [fd], { always: true, ignore: "all" });
  access.system.run(plan, what);
  return readStatus(plan.view(status));
}
