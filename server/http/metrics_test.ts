import { assertEquals } from "@std/assert";
import { parseMetrics } from "isolate/tests/support/prometheus.ts";
import type { Executor } from "../engine/executor.ts";
import type { JobResult } from "../engine/types.ts";
import { ServerMetrics } from "./metrics.ts";

Deno.test("ServerMetrics writes what a strict reader of Prometheus' format takes", () => {
  const executor = { load: () => ({ running: 1, waiting: 2, boxes: 3 }) } as unknown as Executor;
  const metrics = new ServerMetrics();
  metrics.answered({ route: "/a/{id}", status: 200, durationMs: 3 });
  metrics.answered({ route: "/a/{id}", status: 429, durationMs: 1 });
  metrics.jobEnded(undefined);
  const run = { ending: { kind: "exited", exitCode: 0 }, cpuTimeMs: 5, wallTimeMs: 6 };
  metrics.jobEnded({ version: "", isCached: true, runs: [run] } as unknown as JobResult);
  const { value } = parseMetrics(metrics.text(executor, { requests: 4 }));
  const name = "isolate_api_requests_total";
  assertEquals(value(name, { route: "/a/{id}", status: "200" }), 1);
  assertEquals(value("isolate_api_rate_limited_total"), 1);
  assertEquals(value("isolate_api_jobs_total", { ending: "exited" }), 1);
  assertEquals(value("isolate_api_jobs_total", { ending: "refused" }), 1);
  assertEquals(value("isolate_api_jobs_total", { ending: "signal" }), 0);
  assertEquals(value("isolate_api_compile_cached_total"), 1);
  assertEquals(value("isolate_api_run_cpu_seconds_count"), 1);
  assertEquals(value("isolate_api_jobs_waiting"), 2);
  assertEquals(value("isolate_api_requests"), 4);
});
