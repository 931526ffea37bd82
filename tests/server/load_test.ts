/** Many clients at once; `./dev soak api` does the same for longer. */

import { assert, assertEquals } from "@std/assert";
import { ApiServer } from "../support/api_server.ts";
import { loadApi } from "../support/api_load.ts";
import { needs, testWith } from "../support/skip.ts";

testWith(
  [needs.root(), needs.command("python3")],
  "200 clients at once, beside half-open ones, are answered or told to come back",
  async () => {
    await using server = await ApiServer.start("--run-time=10");
    const report = await loadApi(server, { clients: 200, silent: 60, seconds: 3 });
    assertEquals(report.failures, []);
    assert(report.answered > 0);
  },
);
