/**
 * How openat2(2) may walk a path.
 *
 * @module
 */

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
 *
 * @param plan the plan
 * @param flags flags of open(2)
 * @returns where the structure lies; 24 bytes
 *
 * @example
 * ```ts
 * import { openHowStrict } from "isolate/box/resolve.ts";
 * import { Plan } from "isolate/ffi/plan.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(openHowStrict(new Plan(), 0).length, 24);
 * ```
 */
export function openHowStrict(plan: Plan, flags: number): Data {
  return openHow(plan, flags, RESOLVE.noCrossDevice);
}

/**
 * The same for a name on which a file system of our own is mounted.
 *
 * @param plan the plan
 * @param flags flags of open(2)
 * @returns where the structure lies; 24 bytes
 */
export function openHowMounted(plan: Plan, flags: number): Data {
  return openHow(plan, flags, 0);
}

function openHow(plan: Plan, flags: number, more: number): Data {
  const resolve = more | RESOLVE.noMagicLinks | RESOLVE.noSymlinks | RESOLVE.beneath;
  return plan.struct([BigInt(flags | O.O_CLOEXEC), 0n, BigInt(resolve)]);
}
