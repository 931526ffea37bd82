/** The files and directories of control groups. */

import { ERRNO, errnoName } from "../ffi/errno.ts";
import { AT_FDCWD, AT_REMOVEDIR, O_DIRECTORY, O_NOFOLLOW } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { planDirectories } from "../host/directories.ts";
import { nameOf, readDirectory } from "../host/list.ts";
import { statusOf, tryOpen } from "../host/open.ts";
import { isRootsAlone } from "../host/status.ts";
import { Batch, type ControlGroupLog } from "./batch.ts";
import { ControlGroupError } from "./types.ts";

/** The files of control groups, with a log. */
export class ControlGroupFiles {
  readonly system: System;
  readonly log: ControlGroupLog;

  constructor(system: System, log: ControlGroupLog) {
    this.system = system;
    this.log = log;
  }

  /** Begins a list of files to be read, written and opened in one call. */
  batch(): Batch {
    return new Batch(this.system, this.log);
  }

  /** Reads a file; undefined if it is gone. */
  read(path: string): string | undefined {
    const batch = this.batch();
    // ENODEV: the group was removed while the file was open.
    const { ENOENT, ENODEV } = ERRNO;
    const access = batch.read(path, { tolerate: [ENOENT, ENODEV] });
    batch.run(`read ${path}`);
    return access.text;
  }

  /** Writes a file. */
  write(path: string, value: string): void {
    const batch = this.batch();
    batch.write(path, value);
    batch.run(`write ${path}`);
  }

  /** Writes a file that may refuse the value or be missing; returns why it failed. */
  tryWrite(path: string, value: string): string | undefined {
    try {
      this.write(path, value);
      return undefined;
    } catch (error) {
      if (error instanceof ControlGroupError) return error.message;
      throw error;
    }
  }

  /** Makes a group. */
  makeDirectory(path: string): void {
    const plan = new Plan();
    const what = `make the control group ${path}`;
    // Whatever the caller's umask is.
    const { fd, made } = planDirectories(plan, AT_FDCWD, [path], { resolve: 0, mode: 0o755, what });
    const failure = this.system.attempt(plan, what);
    this.system.close(plan.result(fd));
    if (failure) throw new ControlGroupError(failure.message);
    if (plan.result(made) === 0) this.log(2, () => `Control group: made ${path}`);
  }

  /** Removes a group. */
  removeDirectory(path: string): number {
    const plan = new Plan();
    const removed = plan.slot("removed");
    const args = [AT_FDCWD, plan.string(path), AT_REMOVEDIR];
    plan.step("unlinkat", args, { into: removed, ignore: "all" });
    this.system.run(plan, `remove ${path}`);
    const errno = -plan.result(removed);
    if (errno === ERRNO.ENOENT) return 0;
    this.log(
      2,
      () =>
        `Control group: ${
          errno > 0 ? `cannot remove ${path} (${errnoName(errno)})` : `removed ${path}`
        }`,
    );
    return Math.max(0, errno);
  }

  /** Lists the groups in a group. */
  subgroups(path: string): string[] {
    const fd = tryOpen(this.system, path, O_DIRECTORY | O_NOFOLLOW);
    if (fd === undefined) return [];
    try {
      return [...readDirectory(this.system, fd)].flat()
        .filter(({ isDirectory }) => isDirectory).map(nameOf);
    } finally {
      this.system.close(fd);
    }
  }

  /** Whether a file or directory exists. */
  exists(path: string): boolean {
    return statusOf(this.system, path) !== undefined;
  }

  /** Insists that only root can make groups in a group, and so nobody else can own one of a box. */
  refuseForeign(path: string): void {
    const status = statusOf(this.system, path);
    if (!status) throw new ControlGroupError(`The control group ${path} does not exist`);
    if (isRootsAlone(status)) return;
    throw new ControlGroupError(
      `The control group ${path} must belong to root and not be writable by others: it belongs to ` +
        `user ${status.uid} and has mode ${status.mode.toString(8)}`,
    );
  }
}
