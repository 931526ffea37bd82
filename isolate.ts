/**
 * The command `isolate`: `deno run --allow-ffi isolate.ts --init`, and so on.
 *
 * Deno loads whatever a module imports by its name, also if it is never used. So nothing here names the
 * rest of the program: where a service carries the command out, only two small files are loaded.
 * `direct.ts` is the command that asks no service.
 *
 * @module
 */

import { executeAgain, handOver, isRecentDeno, oldDenoMessage } from "./ffi/hand_over.ts";

/** The classic commands, and those that look at boxes; others are carried out where their modules are. */
const SERVED = /^(-|(list|status|signal|stop|continue|kill|enter|metrics)$)/;

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}

/** Whether modules can be loaded that are named only now, without that anybody is asked for leave. */
function mayImport(url: URL): boolean {
  return url.protocol !== "file:" ||
    Deno.permissions.querySync({ name: "read", path: url }).state === "granted";
}

if (import.meta.main) {
  if (!isRecentDeno()) fail(oldDenoMessage());
  if (Deno.build.standalone) fail("This is compiled from isolate.ts: compile direct.ts instead");
  if (SERVED.test(Deno.args[0] ?? "")) handOver(Deno.args.length);
  const direct = new URL("./direct.ts", import.meta.url);
  if (mayImport(new URL(".", direct))) {
    const { run } = await import(direct.href);
    await run();
  }
  fail(`${executeAgain(direct, Deno.args.length)}; or run direct.ts instead of isolate.ts`);
}
