/**
 * The command `isolate`: `deno run --allow-ffi isolate.ts --init`, and so on.
 *
 * @module
 */

import { main } from "./cli.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
