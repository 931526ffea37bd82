/** Handing a command line to the service: one call, before anything else is loaded. */

const SYMBOLS = {
  /** int32 isolate_client(uint32 count) */
  client: { name: "isolate_client", parameters: ["u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Has the service carry out the command line of this process, if one runs: then this does not come back.
 * Without one, or where the shim is not beside this file, the command is carried out here.
 */
export function handOver(argumentCount: number): void {
  if (Deno.build.standalone) return;
  const url = new URL(`../lib/libisolate-${Deno.build.arch}.so`, import.meta.url);
  if (url.protocol !== "file:") return;
  let library;
  try {
    library = Deno.dlopen(url, SYMBOLS);
  } catch {
    // Who needs the shim says what is wrong with it.
    return;
  }
  library.symbols.client(argumentCount);
}
