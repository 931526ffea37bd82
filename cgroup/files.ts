/** The files and directories of control groups. */

import { ERRNO, errnoName, errnoText } from "../ffi/errno.ts";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  DT_DIR,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  STATX_BASIC_STATS,
} from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { type FileStatus, readStatx, STATX_SIZE, type System } from "../ffi/system.ts";
import { Batch, type ControlGroupLog } from "./batch.ts";
import { ControlGroupError } from "./types.ts";

const LISTING_BYTES = 32768;
const WRITABLE_BY_OTHERS = 0o022;

/** The files of control groups, with a log. */
export class ControlGroupFiles {
  /** The kernel. */
  readonly system: System;
  /** Is told what is done. */
  readonly log: ControlGroupLog;

  /** Reaches the files. */
  constructor(system: System, log: ControlGroupLog) {
    this.system = system;
    this.log = log;
  }

  /** Begins a list of files to be read, written and opened in one call. */
  batch(): Batch {
    return new Batch(this.system, this.log);
  }

  /** Reads a file. */
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

  /** Writes a file that may refuse the value or not be there. */
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
    const made = plan.slot("made");
    const name = plan.string(path);
    plan.step("mkdirat", [AT_FDCWD, name, 0o755], { into: made, ignore: "all" });
    // Whatever the caller's umask is.
    plan.step("fchmodat", [AT_FDCWD, name, 0o755], { when: [made, 0], ignore: "all" });
    this.system.run(plan, `make ${path}`);
    const errno = -plan.result(made);
    if (errno === ERRNO.EEXIST) return;
    if (errno > 0) {
      throw new ControlGroupError(
        `Cannot make the control group ${path}: ${errnoText(errno)} (${errnoName(errno)})`,
      );
    }
    this.log(2, () => `Control group: made ${path}`);
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

  /** The groups in a group. */
  subgroups(path: string): string[] {
    const plan = new Plan();
    const fd = plan.slot("group");
    const length = plan.slot("length");
    const entries = plan.alloc(LISTING_BYTES);
    const flags = O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    const ignore = { ignore: "all" } as const;
    plan.step("openat", [AT_FDCWD, plan.string(path), flags, 0], { into: fd, ...ignore });
    plan.step("getdents64", [fd, entries, LISTING_BYTES], { into: length, ...ignore });
    plan.step("close", [fd], ignore);
    this.system.run(plan, `list ${path}`);
    const size = Math.max(0, plan.result(length));
    const bytes = plan.content(entries, size);
    const view = plan.view(entries);
    const names: string[] = [];
    for (let at = 0; at < size; at += view.getUint16(at + 16, true)) {
      const nameAt = at + 19; // struct linux_dirent64: inode, offset, u16 length, u8 type, name
      const name = new TextDecoder().decode(bytes.subarray(nameAt, bytes.indexOf(0, nameAt)));
      if (bytes[at + 18] === DT_DIR && name !== "." && name !== "..") names.push(name);
    }
    return names;
  }

  /** Whether a file or directory exists. */
  exists(path: string): boolean {
    return this.#status(path) !== undefined;
  }

  /** Insists that only root can make groups in a group, and so nobody else can own one of a box. */
  refuseForeign(path: string): void {
    const status = this.#status(path);
    if (!status) throw new ControlGroupError(`The control group ${path} does not exist`);
    const { uid, mode } = status;
    if (uid === 0 && (mode & WRITABLE_BY_OTHERS) === 0) return;
    throw new ControlGroupError(
      `The control group ${path} must belong to root and not be writable by others: it belongs to ` +
        `user ${uid} and has mode ${(mode & 0o7777).toString(8)}`,
    );
  }

  #status(path: string): FileStatus | undefined {
    const plan = new Plan();
    const found = plan.slot("found");
    const status = plan.alloc(STATX_SIZE);
    const args = [AT_FDCWD, plan.string(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status];
    plan.step("statx", args, { into: found, ignore: "all" });
    this.system.run(plan, `look for ${path}`);
    return plan.result(found) === 0 ? readStatx(plan.view(status)) : undefined;
  }
}
