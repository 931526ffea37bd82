/** The CPUs that this process may use. */

import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";

/** Room for 8192 CPUs, more than any kernel is built for. */
const MASK_BYTES = 1024;

/** Lists the CPUs that this process may use; see sched_getaffinity(2). */
export function usableCpus(system: System): number[] {
  const plan = new Plan();
  const read = planUsableCpus(plan);
  system.run(plan, "which CPUs may be used");
  return read();
}

/** Adds a step that asks for the usable CPUs, and returns what reads the answer. */
export function planUsableCpus(plan: Plan): () => number[] {
  const mask = plan.alloc(MASK_BYTES);
  const length = plan.slot("length");
  plan.step("sched_getaffinity", [0, MASK_BYTES, mask], { into: length });
  return () => {
    const cpus: number[] = [];
    plan.content(mask, plan.result(length)).forEach((byte, i) => {
      for (let bit = 0; bit < 8; bit++) if (byte & 1 << bit) cpus.push(8 * i + bit);
    });
    return cpus;
  };
}
