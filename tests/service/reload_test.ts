/** SIGHUP reads the configuration again: a wrong one changes nothing, and counters go on. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENT, eventually, start } from "../support/isolate.ts";
import { startService, type TestService } from "../support/service.ts";

const BOX_ID = 692;

async function client({ socket }: TestService, ...args: string[]): Promise<string> {
  const env = { ISOLATE_SERVICE: socket };
  const { code, stdout, stderr } = await start([CLIENT, ...args], { env }).result;
  assertEquals(code, 0, stderr);
  return stdout;
}

/** The value of a counter. */
async function count(service: TestService, name: string): Promise<number> {
  const text = await client(service, "metrics");
  const [, value] = new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (\\d+)$`, "m").exec(text) ?? [];
  return Number(value);
}

/** Has the configuration read again, with more lines. */
async function reload(service: TestService, lines: string): Promise<void> {
  const config = service.socket.replace(/socket$/, "config");
  await Deno.writeTextFile(config, lines, { append: true });
  Deno.kill(service.pid, "SIGHUP");
}

function childrenOf({ pid }: TestService): string {
  return Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
}

Deno.test("what the service counts goes on when it reads its configuration again", async () => {
  await using service = await startService();
  await client(service, `-b${BOX_ID}`, "--init");
  for (let i = 0; i < 3; i++) await client(service, `-b${BOX_ID}`, "--run", "--", "/bin/true");
  const names = [
    'isolate_runs_total{outcome="success"}',
    "isolate_run_wall_seconds_count",
    "isolate_ready_hits_total",
    "isolate_ready_misses_total",
  ];
  const before = await Promise.all(names.map((name) => count(service, name)));
  assert(before.every((value) => value > 0), `${before}`);
  await reload(service, "service_clients = 77\n");
  await eventually(
    "it has been read",
    async () => await count(service, "isolate_connections_max") === 77,
  );
  assertEquals(await Promise.all(names.map((name) => count(service, name))), before);
  await client(service, `-b${BOX_ID}`, "--run", "--", "/bin/true");
  assertEquals(await count(service, names[0]!), before[0]! + 1);
  await client(service, `-b${BOX_ID}`, "--cleanup");
});

Deno.test("a configuration that is wrong changes nothing", async () => {
  await using service = await startService(["service_clients = 55"]);
  await reload(service, "service_clients = many\n");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(await count(service, "isolate_connections_max"), 55);
  await reload(service, "service_user.nobody-of-that-name = 1-2\n");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(await count(service, "isolate_connections_max"), 55);
  assertStringIncludes(await client(service, "--version"), "isolate");
});

Deno.test("a client that came before leaves no box ready that nobody would take", async () => {
  await using service = await startService();
  await client(service, `-b${BOX_ID}`, "--init");
  const running = client(service, `-b${BOX_ID}`, "--run", "--", "/bin/sleep", "1.5");
  await eventually("it runs", async () => /running/.test(await client(service, "list")));
  const waiting = client(service, `-b${BOX_ID}`, "--wait", "--run", "--", "/bin/true");
  await eventually(
    "both are there",
    async () => await count(service, "isolate_connections") === 3,
  );
  await reload(service, "service_clients = 66\n");
  await Promise.all([running, waiting]);
  assertEquals(await count(service, "isolate_connections_max"), 66);
  await client(service, `-b${BOX_ID}`, "--cleanup");
  await eventually("nothing is left of it", () => childrenOf(service) === "", 5000);
});
