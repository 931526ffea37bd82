/** Has the runtime give memory back. */

/** How much memory the runtime has for objects, used or not. */
export function heapBytes(): number {
  return Deno.memoryUsage().heapTotal;
}

/**
 * Has the runtime give back all that it can, which takes some hundredths of a second. It would do so by
 * itself only when memory is short, and has no other way to be asked.
 */
export async function collectGarbage(): Promise<void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import("node:v8"),
    import("node:vm"),
  ]);
  setFlagsFromString("--expose-gc");
  // Functions that were not there at the start are in new contexts only.
  const collect = runInNewContext("gc") as (options: Record<string, string>) => void;
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  trim();
}

const LIBC = {
  malloc_trim: { parameters: ["usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Has the C library give back what is free among the memory that it manages, such as buffers. */
function trim(): void {
  try {
    const libc = Deno.dlopen("libc.so.6", LIBC);
    libc.symbols.malloc_trim(0n);
    libc.close();
  } catch {
    // There are others than glibc, which have no such function.
  }
}
