/**
 * The command `isolate`: `deno run --allow-ffi isolate.ts --init`, and so on.
 *
 * @module
 */

import { handOver, isRecentDeno, oldDenoMessage } from "./ffi/hand_over.ts";

/** The classic commands, and those that look at boxes; others are carried out where their modules are. */
const SERVED = /^(-|(list|status|signal|stop|continue|kill|enter|metrics)$)/;

if (import.meta.main) {
  if (!isRecentDeno()) {
    console.error(oldDenoMessage());
    Deno.exit(2);
  }
  if (SERVED.test(Deno.args[0] ?? "")) handOver(Deno.args.length);
  const { main } = await import("./cli.ts");
  Deno.exit(await main(Deno.args));
}
