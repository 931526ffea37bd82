/** What the service counts, and who reads it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../support/isolate.ts";
import { parseMetrics } from "../support/prometheus.ts";
import { runsSoon, steeringTest, USER } from "../support/steering.ts";

/** So long the service puts up with a reader. */
const READER_MS = 5000;

async function ask(path: string): Promise<Deno.UnixConn> {
  const reader = await Deno.connect({ transport: "unix", path });
  await reader.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  return reader;
}

steeringTest("metrics count runs by outcome, with their durations", async (steered) => {
  const { client, begin } = steered;
  const empty = parseMetrics((await client(["metrics"])).stdout);
  assertEquals(empty.value("isolate_runs_total", { outcome: "wall-time-limit" }), 0);
  const runs = [["/bin/true"], ["/bin/false"], ["/bin/sh", "-c", "kill -9 $$"], [
    "/bin/sleep",
    "9",
  ]];
  for (const command of runs) await client(["-b1", "-w0.3", "--run", "--", ...command], USER);
  // What a visitor exits with is no error of the service; a box that is not there is.
  await client(["enter", "1", "--", "/bin/sh", "-c", "exit 2"], USER);
  await client(["-b5", "--run", "--", "/bin/true"], USER);
  const found = parseMetrics((await client(["metrics"])).stdout);
  const outcomes = ["success", "failure", "signal", "wall-time-limit", "cpu-time-limit"];
  assertEquals(outcomes.map((outcome) => found.value("isolate_runs_total", { outcome })), [
    ...[1, 2, 1, 1, 0],
  ]);
  assertEquals(found.value("isolate_errors_total"), 1);
  assertEquals(found.value("isolate_run_wall_seconds_count"), 5);
  assert(found.value("isolate_run_wall_seconds_sum") > 0.3);
  assertEquals(found.value("isolate_run_wall_seconds_bucket", { le: "0.1" }), 4);
  assert(found.value("isolate_command_seconds_count") >= 7);
  assert(found.value("isolate_delay_seconds_count") >= 7);
  assert(found.value("isolate_delay_seconds_sum") > 0);
  assertEquals(found.value("isolate_ready_hits_total") > 0, true);
  assertEquals(found.value("isolate_boxes", { state: "ready" }), 1);
  assert(found.value("isolate_resident_memory_bytes") > 1e7);

  await using _run = begin(["-b1", "-p3", "--run", "--", "/bin/sh", "-c", "sleep 20 & wait"], USER);
  await runsSoon(steered, "sleep");
  await using _waiting = begin(["-b1", "--wait", "--run", "--", "/bin/true"], USER);
  await eventually("somebody waits", async () => {
    const now = parseMetrics((await client(["metrics"])).stdout);
    return now.value("isolate_waiting") === 1;
  });
  const now = parseMetrics((await client(["metrics"])).stdout);
  assertEquals(now.value("isolate_boxes", { state: "running" }), 1);
  assertEquals(now.value("isolate_processes"), 2);
  assert(now.value("isolate_boxes_memory_bytes") > 500_000);
});

steeringTest("metrics are to be had by HTTP, whatever other readers do", async (steered) => {
  const { metricsSocket: path } = steered;
  {
    using reader = await ask(path);
    const text = await new Response(reader.readable).text();
    assertMatch(text, /^HTTP\/1.0 200 OK\r\n/);
    const [head, body] = text.split("\r\n\r\n") as [string, string];
    assertMatch(head, /^Content-Type: text\/plain; version=0\.0\.4; charset=utf-8$/m);
    assertEquals(Number(/Content-Length: (\d+)/.exec(head)![1]), body.length);
    parseMetrics(body);
  }
  // Those who ask for nothing, half of something, or do not read what they get.
  const silent = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const reader = await Deno.connect({ transport: "unix", path });
    const typed = ["", "GET /", "GET / HTTP/1.1\r\n\r\n"][i % 3]!;
    // Of so many some are turned away at once.
    await reader.write(new TextEncoder().encode(typed)).catch(() => {});
    return reader;
  }));
  const began = performance.now();
  using reader = await ask(path);
  assertMatch(await new Response(reader.readable).text(), /^HTTP\/1.0 200/);
  // Who waited for the others to be thrown out would wait for longer.
  assert(performance.now() - began < READER_MS - 500);
  for (const connection of silent) connection.close();
});
