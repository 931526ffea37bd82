/** Disk quotas of boxes; see quotactl(2). */

import { ERRNO } from "../../ffi/errno.ts";
import { Q_GETFMT, Q_SETQUOTA, QIF_LIMITS, SUBCMDSHIFT, USRQUOTA } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";

/** What quotactl(2) says of a file system that has no quotas, or has them switched off. */
const WITHOUT_QUOTAS: readonly number[] = [ERRNO.ESRCH, ERRNO.ENOSYS, ERRNO.EOPNOTSUPP];

/** How much a box's user may store on the file system of the boxes; 0: no limit. */
export interface DiskQuota {
  /** Blocks of 1 KiB. */
  readonly blocksKib: number;
  /** Files, directories and so on. */
  readonly inodes: number;
}

/** Sets the quota of a box's user. */
export function setDiskQuota(
  system: System,
  options: { fd: number; uid: number; quota: DiskQuota },
): void {
  system.run(planQuota(options), "set the disk quota");
}

/**
 * Takes the quota of a box's user away. Where quotas are not (or no longer) in force, none is left.
 */
export function clearDiskQuota(system: System, options: { fd: number; uid: number }): void {
  const plan = planQuota({ ...options, quota: { blocksKib: 0, inodes: 0 } });
  const failure = system.attempt(plan, "clear the disk quota");
  if (failure && !WITHOUT_QUOTAS.includes(failure.errno)) throw failure;
}

function planQuota({ fd, uid, quota }: { fd: number; uid: number; quota: DiskQuota }): Plan {
  const plan = new Plan();
  const blocks = BigInt(quota.blocksKib);
  const inodes = BigInt(quota.inodes);
  // struct if_dqblk: block limits and use, inode limits and use, two times, what is valid.
  const values = plan.struct([blocks, blocks, 0n, inodes, inodes, 0n, 0n, 0n, QIF_LIMITS, 0]);
  const command = (Q_SETQUOTA << SUBCMDSHIFT) | USRQUOTA;
  plan.because("option --quota", () => {
    plan.step("quotactl_fd", [fd, command >>> 0, uid, values], {
      what: "set the disk quota (the file system of the boxes must be mounted with user quotas, " +
        "e.g. ext4 with the quota feature)",
    });
  });
  return plan;
}

/** Whether the quotas of users are enabled on a file system. */
export function hasDiskQuotas(system: System, fd: number): boolean {
  const plan = new Plan();
  const command = (Q_GETFMT << SUBCMDSHIFT) | USRQUOTA;
  plan.step("quotactl_fd", [fd, command >>> 0, 0, plan.alloc(4)]);
  return system.attempt(plan, "are there disk quotas") === undefined;
}
