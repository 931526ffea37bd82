/**
 * A file system of a box's own: `box/` on a tmpfs of a fixed size, for machines without disk
 * quotas. See tmpfs(5).
 *
 * What is stored there is memory. The kernel charges it to the control group of the writer: what the
 * program writes is part of the memory of its box for as long as the file lives, and what the caller
 * puts there before is not.
 */

import { ERRNO } from "../../ffi/errno.ts";
import {
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  STATX_ATTR_MOUNT_ROOT,
  UMOUNT_NOFOLLOW,
} from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import type { Identity } from "../../host/identity.ts";
import { planPathStatus } from "../../host/status.ts";
import { planAttach, planFilesystem, planRestrictions, sizeStrings } from "../setup/mounts.ts";

/** Each of many crashed keepers could have left one on top of the other. */
const LEFTOVERS_MAX = 100;

/** How much fits into a box that has a file system of its own. */
export interface BoxSize {
  /** What all files of the box can take, in KiB; rounded up to whole pages. */
  readonly sizeKib: number;
  /**
   * How many files, directories and so on there can be, `box/` itself being one; 0: no limit.
   * Default: one for every 4 KiB, and at least 1024.
   */
  readonly inodes?: number | undefined;
}

/** Adds steps that mount a file system of the box's own. */
export function planOwnFileSystem(
  plan: Plan,
  options: { at: Slot; size: BoxSize; owner: Identity },
): void {
  const { at, size, owner } = options;
  plan.because("option --box-size", () => {
    const mount = planFilesystem(plan, "tmpfs", {
      strings: [
        ["source", "isolate"],
        ...sizeStrings(size),
        ["mode", "0700"],
        ["uid", `${owner.uid}`],
        ["gid", `${owner.gid}`],
      ],
      attr: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
    });
    planAttach(plan, mount, { fd: at, path: "" });
    // Where the mount around it is shared this one has become so, too.
    planRestrictions(plan, { fd: mount, path: "", attr: 0 });
    plan.step("close", [mount]);
  });
}

/**
 * Unmounts the file system of a box, if there is one; processes that still use it keep it alive, unseen.
 */
export function unmountOwnFileSystem(system: System, directory: string): boolean {
  for (let count = 0;; count++) {
    const plan = new Plan();
    const flags = MNT_DETACH | UMOUNT_NOFOLLOW;
    plan.step("umount2", [plan.string(`${directory}/box`), flags], {
      what: `unmount ${directory}/box`,
    });
    const failure = system.attempt(plan, "unmount what is mounted on the box");
    if (!failure && count < LEFTOVERS_MAX) continue;
    const isNothing = failure?.errno === ERRNO.EINVAL || failure?.errno === ERRNO.ENOENT ||
      failure?.errno === ERRNO.ENOTDIR;
    if (failure && !isNothing && !isUnmountedFor(failure, system, directory)) throw failure;
    return count > 0;
  }
}

/** A caller that may not unmount is refused before the kernel looks whether anything is mounted. */
function isUnmountedFor({ errno }: SystemError, system: System, directory: string): boolean {
  if (errno !== ERRNO.EPERM) return false;
  const plan = new Plan();
  const status = planPathStatus(plan, `${directory}/box`, { followLink: false });
  return system.attempt(plan, "is something mounted on the box") !== undefined ||
    !isMountRoot(plan.view(status));
}

/** Where `struct statfs` has the size of a block, the number of blocks, and that of files. */
const STATFS = { size: 120, blockSize: 8, blocks: 16, files: 40 } as const;

/** The size that a file system of a box's own was made with. */
export function sizeOfFileSystem(system: System, fd: number): BoxSize {
  const plan = new Plan();
  const status = plan.alloc(STATFS.size);
  plan.step("fstatfs", [fd, status], { what: "ask for the size of the box" });
  system.run(plan, "how large is the box");
  const read = (at: number) => Number(plan.view(status).getBigUint64(at, true));
  return {
    sizeKib: read(STATFS.blocks) * (read(STATFS.blockSize) / 1024),
    inodes: read(STATFS.files),
  };
}

/** In `struct statx`: what the descriptor names is where a file system is mounted. */
const STATX_ATTRIBUTES_AT = 8;

/** Whether a directory is the root of a file system that is mounted there. */
export function isMountRoot(status: DataView): boolean {
  return (status.getUint32(STATX_ATTRIBUTES_AT, true) & STATX_ATTR_MOUNT_ROOT) !== 0;
}
