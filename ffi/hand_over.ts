/** Hands a command line to the service by one call, before anything else is loaded. */

const SYMBOLS = {
  /** int32 isolate_client(uint32 count) */
  client: { name: "isolate_client", parameters: ["u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Hands the command line of this process to the service, and does not return. Without a service, or
 * without the shim beside this file, it returns: the caller executes the command itself.
 */
export function handOver(argumentCount: number): void {
  if (Deno.build.standalone) return;
  const url = new URL(`../lib/libisolate-${Deno.build.arch}.so`, import.meta.url);
  if (url.protocol !== "file:") return;
  let library;
  try {
    library = Deno.dlopen(url, SYMBOLS);
  } catch {
    // The code that needs the shim reports what is wrong with it.
    return;
  }
  library.symbols.client(argumentCount);
}
