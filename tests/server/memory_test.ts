/** The memory of the server. */

import { assert, assertEquals } from "@std/assert";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3")];
const UNKNOWN = { language: "cobol", version: "*", files: [{ content: "1" }] };

// The runtime by itself gives it back half a minute later, or never.
testWith(base, "memory that a burst has taken is given back when nobody comes", async () => {
  await using server = await ApiServer.start();
  const residentMib = () => {
    const status = Deno.readTextFileSync(`/proc/${server.process.pid}/status`);
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
  };
  const work = async () => {
    for (let i = 0; i < 40; i++) {
      const response = await server.post("api/v2/execute", UNKNOWN);
      await response.body?.cancel();
      assertEquals(response.status, 400);
    }
  };
  await Promise.all(Array.from({ length: 64 }, work));
  // What the runtime gives back by itself, it does at once.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const burstMib = residentMib();
  for (let tries = 0; residentMib() > burstMib - 10; tries++) {
    assert(tries < 150, `${residentMib()} MiB after ${burstMib} MiB`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
