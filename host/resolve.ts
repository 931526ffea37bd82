/** How openat2(2) may walk a path. */

import {
  O_CLOEXEC,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../ffi/linux.ts";
import type { Data, Plan } from "../ffi/plan.ts";

/**
 * Adds a `struct open_how` for one step down from a trusted directory: the name itself, on the same
 * mount, whatever it has been replaced by.
 */
export function openHowStrict(plan: Plan, flags: number): Data {
  return openHow(plan, flags, RESOLVE_NO_XDEV);
}

/** The same for a name on which a file system of our own is mounted. */
export function openHowMounted(plan: Plan, flags: number): Data {
  return openHow(plan, flags, 0);
}

function openHow(plan: Plan, flags: number, more: number): Data {
  const resolve = more | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  return plan.struct([BigInt(flags | O_CLOEXEC), 0n, BigInt(resolve)]);
}
