/**
 * The execution server: `deno run --allow-ffi --allow-net=127.0.0.1:2000 server.ts`, with the options of
 * `isolate api`.
 *
 * @module
 */

import { main } from "./cli.ts";

if (import.meta.main) Deno.exit(await main(["api", ...Deno.args]));
