/**
 * The command `isolate` without a service: `deno run --allow-ffi direct.ts --init`, and so on. It is what
 * services are started with, and what is compiled to a binary.
 *
 * @module
 */

import { isRecentDeno, oldDenoMessage } from "./ffi/hand_over.ts";

/**
 * Carries out the command line of this process, and ends it.
 *
 * @example
 * ```ts
 * import { run } from "@isolate/isolate/direct";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof run, "function");
 * ```
 */
export async function run(): Promise<never> {
  if (!isRecentDeno()) {
    console.error(oldDenoMessage());
    Deno.exit(2);
  }
  if (Deno.args[0]?.startsWith("-")) {
    const { enterEarly } = await import("./box/rootless/early.ts");
    await enterEarly(Deno.args);
  }
  const { main } = await import("./cli.ts");
  Deno.exit(await main(Deno.args));
}

if (import.meta.main) await run();
