/** How much memory the machine has left, and what the service gives back of its own. */

import { collectGarbage, heapBytes } from "../ffi/garbage.ts";
import type { System } from "../ffi/system.ts";
import { readFile } from "../host/read.ts";
import { decodeOsString } from "../text/os_string.ts";

/** Reads what programs can have without that others are swapped out, in MB; 0 if nobody knows. */
export function availableMemoryMb(system: System): number {
  const file = readFile(system, "/proc/meminfo");
  const found = file && /^MemAvailable:\s+(\d+) kB$/m.exec(decodeOsString(file.bytes));
  return found ? Number(found[1]) / 1024 : 0;
}

/** A heap of so many bytes is mostly what clients have left: without them it needs half as much. */
const HEAP_BYTES = 20 << 20;
/** So many looks without a client, and nobody is held up by a pause. */
const QUIET_LOOKS = 3;

/** Collects what serving has left in memory, which the runtime by itself keeps for the next burst. */
export class Leftovers {
  readonly #collect: () => Promise<void>;
  #seen = 0;
  #collectedAt = 0;
  #quietLooks = 0;

  /** `collect` frees what is not used any more. */
  constructor(collect: () => Promise<void> = collectGarbage) {
    this.#collect = collect;
  }

  /** Is told now and then how many clients were accepted so far, and how many are connected. */
  async look(
    clients: { accepted: number; connections: number },
    bytes = heapBytes(),
  ): Promise<void> {
    const { accepted, connections } = clients;
    const isQuiet = accepted === this.#seen && connections === 0;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    this.#seen = accepted;
    // What is left then is in use: nothing more to collect until others have come.
    if (this.#quietLooks < QUIET_LOOKS || accepted === this.#collectedAt) return;
    if (bytes < HEAP_BYTES) return;
    this.#collectedAt = accepted;
    await this.#collect();
  }
}
