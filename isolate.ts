/**
 * The command `isolate`: `deno run --allow-ffi isolate.ts --init`, and so on.
 *
 * @module
 */

import { handOver } from "./ffi/hand_over.ts";

if (import.meta.main) {
  // Commands for people are carried out here, where their modules are.
  if (Deno.args[0]?.startsWith("-")) handOver(Deno.args.length);
  const { main } = await import("./cli.ts");
  Deno.exit(await main(Deno.args));
}
