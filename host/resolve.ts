/** How openat2(2) may walk a path. */

import { O } from "../ffi/abi.ts";
import type { Data, Plan } from "../ffi/plan.ts";

/** Flags of the `resolve` member of `struct open_how`. */
export const RESOLVE = {
  noCrossDevice: 1,
  noMagicLinks: 2,
  noSymlinks: 4,
  beneath: 8,
} as const;

/**
 * Adds a `struct open_how` for one step down from a trusted directory: the name itself, on the same
 * mount, whatever it has been replaced by.
 */
export function openHowStrict(plan: Plan, flags: number): Data {
  return openHow(plan, flags, RESOLVE.noCrossDevice);
}

/** The same for a name on which a file system of our own is mounted. */
export function openHowMounted(plan: Plan, flags: number): Data {
  return openHow(plan, flags, 0);
}

function openHow(plan: Plan, flags: number, more: number): Data {
  const resolve = more | RESOLVE.noMagicLinks | RESOLVE.noSymlinks | RESOLVE.beneath;
  return plan.struct([BigInt(flags | O.O_CLOEXEC), 0n, BigInt(resolve)]);
}
