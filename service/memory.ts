/** How much memory the machine has left; see proc_meminfo(5). */

import type { System } from "../ffi/system.ts";
import { readFile } from "../host/read.ts";
import { decodeOsString } from "../text/os_string.ts";

/** Reads what programs can have without that others are swapped out, in MB; 0 if nobody knows. */
export function availableMemoryMb(system: System): number {
  const file = readFile(system, "/proc/meminfo");
  const found = file && /^MemAvailable:\s+(\d+) kB$/m.exec(decodeOsString(file.bytes));
  return found ? Number(found[1]) / 1024 : 0;
}
