/** Tells who holds locks on files; see proc_locks(5). */

import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { readFile } from "../../host/read.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import { decodeOsString } from "../../text/os_string.ts";

/** Reads which files are locked, as `MAJOR:MINOR:INODE`, and the process that locked each; 0 is one we cannot see. */
export function readLocks(system: System): Map<string, number> {
  const file = readFile(system, "/proc/locks", { limitBytes: 1 << 24 });
  const found = new Map<string, number>();
  for (const line of decodeOsString(file?.bytes ?? new Uint8Array()).split("\n")) {
    // Lines with an arrow are those who wait.
    const match = /^\d+: FLOCK +\w+ +\w+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (!match) continue;
    const [pid, major, minor, inode] = match.slice(1) as [string, string, string, string];
    found.set(`${parseInt(major, 16)}:${parseInt(minor, 16)}:${inode}`, Math.max(0, Number(pid)));
  }
  return found;
}

/** Finds the process that has locked an open file; undefined: nobody has, or none that can be seen. */
export function lockHolder(system: System, fd: number): number | undefined {
  const plan = new Plan();
  const status = planStatus(plan, fd);
  system.run(plan, "look at the lock file");
  return readLocks(system).get(readStatus(plan.view(status)).identity) || undefined;
}
