/**
 * Opens the shim, and by it hands a command line to the service, or starts the runtime once more. It
 * imports nothing, as it comes before everything else is loaded.
 */

/** What the shim exports. */
export const SYMBOLS = {
  /** int32 isolate_exec(struct plan *, uint32 size) */
  exec: { name: "isolate_exec", parameters: ["buffer", "u32"], result: "i32" },
  /** The same on a thread of the pool, for the one waiter of the process. */
  execAside: {
    name: "isolate_exec",
    parameters: ["buffer", "u32"],
    result: "i32",
    nonblocking: true,
  },
  /** int32 isolate_signal(int32 signal, int32 fd) */
  signal: { name: "isolate_signal", parameters: ["i32", "i32"], result: "i32" },
  /** int32 isolate_client(uint32 count) */
  client: { name: "isolate_client", parameters: ["u32"], result: "i32" },
  /** int32 isolate_again(char *script, uint32 count) */
  again: { name: "isolate_again", parameters: ["buffer", "u32"], result: "i32" },
  /** const struct abi *isolate_abi(void) */
  abi: { name: "isolate_abi", parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of the shim. */
export type ShimSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const SHIM = new URL(`../lib/libisolate-${Deno.build.arch}.so`, import.meta.url);
const ENOENT = 2;

const DENO_MIN = [2, 9] as const;

/** Tells whether a version of Deno has all that is used here. */
export function isRecentDeno(version: string = Deno.version.deno): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > DENO_MIN[0] || major === DENO_MIN[0] && minor >= DENO_MIN[1];
}

/** Says that this Deno is too old. */
export function oldDenoMessage(): string {
  return `isolate needs Deno ${DENO_MIN.join(".")} or newer, but this is Deno ${Deno.version.deno}`;
}

let opened: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** Opens the shim of this program, once. */
export function openShim(url: URL): Deno.DynamicLibrary<typeof SYMBOLS> {
  return opened ??= Deno.dlopen(url, SYMBOLS);
}

/**
 * Hands the command line of this process to the service, and does not return. Without a service, or
 * without the shim beside this file, it returns: the caller executes the command itself.
 */
export function handOver(argumentCount: number): void {
  if (SHIM.protocol !== "file:") return;
  try {
    openShim(SHIM).symbols.client(argumentCount);
  } catch {
    // The code that needs the shim reports what is wrong with it.
  }
}

/**
 * Executes this Deno once more, in this process and with the same options, with another script in the
 * place of its own. Comes back with the reason if that is not possible.
 */
export function executeAgain(script: URL, argumentCount: number): string {
  try {
    const name = new TextEncoder().encode(`${script.href}\0`);
    const errno = -openShim(SHIM).symbols.again(name, argumentCount);
    return errno === ENOENT
      ? "Cannot execute Deno again, as /proc does not say how it was started: mount it"
      : `Cannot execute Deno again: the kernel refuses it with error ${errno}`;
  } catch (error) {
    const { message } = error as Error;
    return error instanceof Deno.errors.NotCapable ? message : `Cannot load the shim: ${message}`;
  }
}
