/**
 * Disk quotas of boxes; see quotactl(2).
 *
 * @module
 */

import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";

const Q_SETQUOTA = 0x800008;
const SUBCOMMAND_SHIFT = 8;
const USER_QUOTA = 0;
const QIF_LIMITS = 5;

/** How much a box's user may store on the file system of the boxes; 0 is no limit. */
export interface DiskQuota {
  /** Blocks of 1 KiB. */
  readonly blocksKib: number;
  /** Files, directories and so on. */
  readonly inodes: number;
}

/**
 * Sets the quota of a box's user.
 *
 * @param system the kernel
 * @param options any descriptor on the file system, the user, and the quota
 * @throws {SystemError} if the file system has no quotas
 */
export function setDiskQuota(
  system: System,
  options: { fd: number; uid: number; quota: DiskQuota },
): void {
  const { fd, uid, quota } = options;
  const plan = new Plan();
  const blocks = BigInt(quota.blocksKib);
  const inodes = BigInt(quota.inodes);
  // struct if_dqblk: block limits and use, inode limits and use, two times, what is valid.
  const values = plan.struct([blocks, blocks, 0n, inodes, inodes, 0n, 0n, 0n, QIF_LIMITS, 0]);
  const command = (Q_SETQUOTA << SUBCOMMAND_SHIFT) | USER_QUOTA;
  plan.because("option --quota", () => {
    plan.step("quotactl_fd", [fd, command >>> 0, uid, values], {
      what: "set the disk quota (the file system of the boxes must be mounted with user quotas, " +
        "e.g. ext4 with the quota feature)",
    });
  });
  system.run(plan, "set the disk quota");
}
