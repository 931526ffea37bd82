/** The CPUs to which the boxes of a pool are pinned. */

import type { System } from "../../ffi/system.ts";
import { usableCpus } from "../cpus.ts";

/** Gives each box the CPU that has the fewest. */
export class CpuShares {
  /** How many boxes each CPU has. */
  readonly #boxes: Map<number, number>;

  /** Shares these CPUs, or `"each"` that this process may use; undefined: none. */
  constructor(system: System, cpus: "each" | readonly number[] | undefined) {
    const usable = cpus === undefined ? [] : usableCpus(system);
    const shared = cpus === "each" ? usable : cpus ?? [];
    const missing = shared.find((cpu) => !usable.includes(cpu));
    if (missing !== undefined) {
      throw new RangeError(
        `Cannot pin boxes to CPU ${missing}: this process may use ${usable.join(", ")}`,
      );
    }
    this.#boxes = new Map(shared.map((cpu) => [cpu, 0]));
  }

  take(): number | undefined {
    let [chosen] = this.#boxes.keys();
    for (const [cpu, boxes] of this.#boxes) if (boxes < this.#boxes.get(chosen!)!) chosen = cpu;
    if (chosen !== undefined) this.#boxes.set(chosen, this.#boxes.get(chosen)! + 1);
    return chosen;
  }

  free(cpu: number | undefined): void {
    if (cpu !== undefined) this.#boxes.set(cpu, this.#boxes.get(cpu)! - 1);
  }
}
