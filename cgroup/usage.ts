/** Memory that is in use before a program begins. */

/** The complaint about memory that cannot be got rid of: what earlier runs have left in a tmpfs. */
export function complainOfUsage(limitKib: number | undefined, usage: string | undefined): string {
  return `Cannot limit the control group of the box to ${limitKib} KiB: ` +
    `${
      Math.ceil(Number(usage) / 1024)
    } KiB are in use before the program begins (files that earlier ` +
    "runs have left in a tmpfs count)";
}
