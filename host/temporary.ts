/** Temporary directories that do not stay when their process is killed. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { SandboxError, translatedSync } from "./errors.ts";
import { type HostAccess, withCallerRights } from "./identity.ts";
import { nameOf, readDirectory } from "./list.ts";
import { openFile, planOpen, STRICT } from "./open.ts";
import { environmentOf } from "./read.ts";
import { readLink } from "./reader.ts";
import { type FileStatus, planStatus, readStatus } from "./status.ts";
import { emptyTreeSteps } from "./tree.ts";
import { openDirectory } from "./tree_walk.ts";
import { atOnce } from "../text/slices.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PRIVATE = 0o700;
const STICKY = 0o1000;
const TRIES = 10;

/** A temporary directory, locked for as long as this object, or its process, lives. */
export interface TemporaryDirectory extends Disposable {
  /** Its absolute path. */
  readonly path: string;
}

/**
 * Makes a directory of a new name in `$TMPDIR` or `/tmp`, and removes those of the same prefix whose makers
 * have died: a lock on a directory says that its maker lives.
 */
export function openTemporary(access: HostAccess, prefix: string): TemporaryDirectory {
  const given = environmentOf(access.system).get("TMPDIR") || "/tmp";
  return translatedSync(() => {
    const flags = linux.O_DIRECTORY;
    const { fd: parent, status } = openFile(access, given, { flags });
    try {
      if (isSafe(access, status)) removeStale(access, parent, prefix);
      return make(access, { parent, prefix });
    } catch (error) {
      access.system.close(parent);
      throw error;
    }
  });
}

/** Whether others cannot give a directory of ours the name of another one. */
function isSafe({ caller }: HostAccess, { uid, mode }: FileStatus): boolean {
  return (uid === 0 || uid === caller.uid) && ((mode & 0o022) === 0 || (mode & STICKY) !== 0);
}

function make(
  access: HostAccess,
  { parent, prefix }: { parent: number; prefix: string },
): TemporaryDirectory {
  const { system } = access;
  for (let tries = 0; tries < TRIES; tries++) {
    const name = `${prefix}${crypto.randomUUID()}`;
    const what = `make the temporary directory ${name}`;
    const plan = new Plan();
    plan.step("mkdirat", [parent, plan.string(name), PRIVATE], { what });
    const fd = withCallerRights(access, () => {
      system.run(plan, what);
      return openLocked(access, parent, name);
    });
    // Another process has taken it for one that was left, in the moment before it was locked.
    if (fd === undefined) continue;
    const path = `${readLink(system, linux.AT_FDCWD, `/proc/self/fd/${parent}`)}/${name}`;
    return {
      path,
      [Symbol.dispose]() {
        withCallerRights(access, () => removeLocked(access, { parent, fd, name }));
        system.close(fd, parent);
      },
    };
  }
  throw new SandboxError(
    "hostile-path",
    "Cannot make a temporary directory: each is removed at once",
  );
}

function removeStale(access: HostAccess, parent: number, prefix: string): void {
  const { system } = access;
  withCallerRights(access, () => {
    const found: string[] = [];
    for (const entries of readDirectory(system, parent)) {
      for (const entry of entries) {
        const name = nameOf(entry);
        if (name.startsWith(prefix) && UUID.test(name.slice(prefix.length))) found.push(name);
      }
    }
    for (const name of found) {
      const fd = openLocked(access, parent, name);
      if (fd === undefined) continue;
      removeLocked(access, { parent, fd, name });
      system.close(fd);
    }
  });
}

/** Opens and locks a private directory of the caller; undefined if another process has it. */
function openLocked(
  { system, caller }: HostAccess,
  parent: number,
  name: string,
): number | undefined {
  const plan = new Plan();
  const [fd, locked] = [plan.slot("directory"), plan.slot("locked")];
  const flags = linux.O_DIRECTORY | linux.O_NOFOLLOW;
  planOpen(plan, parent, name, { flags, resolve: STRICT, into: fd });
  plan.step("flock", [fd, linux.LOCK_EX | linux.LOCK_NB], { into: locked, ignore: ERRNO.EAGAIN });
  const status = planStatus(plan, fd);
  const failure = system.attempt(plan, "open a temporary directory");
  const opened = plan.result(fd);
  if (!failure && plan.result(locked) === 0) {
    const { uid, mode, identity } = readStatus(plan.view(status));
    // Whoever had the lock before may have removed it.
    const again = openDirectory(system, parent, new TextEncoder().encode(`${name}\0`));
    if (again) system.close(again.fd);
    if (again?.identity === identity && uid === caller.uid && mode === PRIVATE) return opened;
  }
  system.close(opened);
  return undefined;
}

/** Removes what is in a directory, and then the name that it had, if that is still an empty directory's. */
function removeLocked(
  { system }: HostAccess,
  { parent, fd, name }: { parent: number; fd: number; name: string },
): void {
  atOnce(emptyTreeSteps(system, fd));
  const plan = new Plan();
  plan.step("unlinkat", [parent, plan.string(name), linux.AT_REMOVEDIR], { ignore: "all" });
  system.run(plan, "remove a temporary directory");
}
