/** A short soak: whatever runs through the service, nothing of it stays. `./dev soak` takes longer. */

import { assert, assertEquals } from "@std/assert";
import { soak } from "../support/soak.ts";

const RUNS = 500;
/** So much the heap of the runtime moves by itself. */
const MEMORY_KB = 80_000;
const THREADS_MAX = 40;
/** Slabs that hold what boxes are made of; others go with all that the machine does. */
const SLABS = ["net_namespace", "pid_namespace", "nsproxy", "mnt_cache", "shmem_inode_cache"];

Deno.test("nothing stays of runs through the service", async () => {
  const { failures, before, after } = await soak(RUNS, { warmUp: 200 });
  assertEquals(failures, "");
  assertEquals(after.processes, 0);
  assertEquals(after.mounts, before.mounts);
  assert(after.descriptors <= before.descriptors, `${after.descriptors} descriptors`);
  // The runtime's pool of threads grows to this when it is needed, and shrinks later.
  assert(after.threads <= THREADS_MAX, `${after.threads} threads`);
  assert(after.residentKb < before.residentKb + MEMORY_KB, `${after.residentKb} kB`);
  for (const name of SLABS) {
    const grown = (after.slabs.get(name) ?? 0) - (before.slabs.get(name) ?? 0);
    assert(grown < RUNS / 2, `${name}: ${grown} objects more`);
  }
});
