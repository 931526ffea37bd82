/**
 * Memory that is in use before a program begins.
 *
 * @module
 */

/**
 * The complaint about memory that cannot be got rid of: what earlier runs have left in a tmpfs.
 *
 * @param limitKib the limit, in KiB
 * @param usage what the kernel says is in use, in bytes
 * @returns one sentence
 *
 * @example
 * ```ts
 * import { complainOfUsage } from "isolate/cgroup/usage.ts";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(complainOfUsage(1024, "4194304"), /to 1024 KiB: 4096 KiB are in use/);
 * ```
 */
export function complainOfUsage(limitKib: number | undefined, usage: string | undefined): string {
  return `Cannot limit the control group of the box to ${limitKib} KiB: ` +
    `${
      Math.ceil(Number(usage) / 1024)
    } KiB are in use before the program begins (files that earlier ` +
    "runs have left in a tmpfs count)";
}
