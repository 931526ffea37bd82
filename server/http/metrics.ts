/** What the execution server counts, in the text format of Prometheus. */

import type { Executor } from "../engine/executor.ts";
import type { JobResult, StageEnding } from "../engine/types.ts";
import { head, Histogram } from "../../text/prometheus.ts";

/** Every way a job can end, so that each is there from the beginning. */
const ENDINGS: readonly (StageEnding["kind"] | "refused")[] = [
  "exited",
  "signal",
  "time-limit",
  "memory-limit",
  "output-limit",
  "not-executed",
  "failed",
  "cancelled",
  "refused",
];

/** Counts requests and jobs. No label has a value that a client chose. */
export class ServerMetrics {
  readonly #requests = new Map<string, number>();
  readonly #jobs = new Map<string, number>(ENDINGS.map((ending) => [ending, 0]));
  readonly #requestSeconds = new Histogram();
  readonly #cpuSeconds = new Histogram();
  readonly #wallSeconds = new Histogram();
  #rateLimited = 0;
  #cached = 0;
  #connectionsEnded = 0;

  /** Counts a request that was answered; `route` is the pattern of its path. */
  answered(
    { route, status, durationMs }: { route: string; status: number; durationMs: number },
  ): void {
    const labels = `route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    this.#requestSeconds.add(durationMs / 1000);
    if (status === 429) this.#rateLimited++;
  }

  /** Counts connections that were closed as nothing was asked for. */
  connectionsEnded(count: number): void {
    this.#connectionsEnded += count;
  }

  /** Counts a job; undefined: it was refused. */
  jobEnded(result: JobResult | undefined): void {
    const last = result && (result.runs.at(-1) ?? result.compile);
    const ending = last ? last.ending.kind : "refused";
    this.#jobs.set(ending, (this.#jobs.get(ending) ?? 0) + 1);
    if (!result) return;
    if (result.isCached) this.#cached++;
    for (const run of result.runs) {
      this.#cpuSeconds.add(run.cpuTimeMs / 1000);
      this.#wallSeconds.add(run.wallTimeMs / 1000);
    }
  }

  /** Makes an executor whose jobs are counted. */
  counted(executor: Executor): Executor {
    const count = (result: Promise<JobResult>) => {
      result.then((value) => this.jobEnded(value), () => this.jobEnded(undefined));
      return result;
    };
    return {
      execute: (job, options) => count(executor.execute(job, options)),
      open: (job, options) => {
        const session = executor.open(job, options);
        count(session.result);
        return session;
      },
      languages: () => executor.languages(),
      load: () => executor.load(),
      close: () => executor.close(),
      [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose](),
    };
  }

  /** Writes everything. */
  text(executor: Executor, { requests }: { requests: number }): string {
    const { running, waiting, boxes } = executor.load();
    const gauge = (name: string, help: string, value: number) => [
      ...head(name, "gauge", help),
      `${name} ${value}`,
    ];
    const counter = (name: string, help: string, value: number) => [
      ...head(name, "counter", help),
      `${name} ${value}`,
    ];
    const histogram = (name: string, help: string, histogram: Histogram) => [
      ...head(name, "histogram", help),
      ...histogram.lines(name),
    ];
    return [
      ...head("isolate_api_requests_total", "counter", "Requests that were answered."),
      ...[...this.#requests].map(([labels, count]) =>
        `isolate_api_requests_total{${labels}} ${count}`
      ),
      ...histogram(
        "isolate_api_request_seconds",
        "How long requests took.",
        this.#requestSeconds,
      ),
      ...head("isolate_api_jobs_total", "counter", "Jobs by the way their last stage ended."),
      ...[...this.#jobs].map(([ending, count]) =>
        `isolate_api_jobs_total{ending="${ending}"} ${count}`
      ),
      ...histogram("isolate_api_run_cpu_seconds", "CPU time of programs.", this.#cpuSeconds),
      ...histogram("isolate_api_run_wall_seconds", "Wall time of programs.", this.#wallSeconds),
      ...counter(
        "isolate_api_compile_cached_total",
        "Jobs whose program was compiled before.",
        this.#cached,
      ),
      ...counter(
        "isolate_api_rate_limited_total",
        "Requests of clients that asked too often.",
        this.#rateLimited,
      ),
      ...counter(
        "isolate_api_connections_ended_total",
        "Connections that were closed as nothing was asked for.",
        this.#connectionsEnded,
      ),
      ...gauge("isolate_api_requests", "Requests on their way.", requests),
      ...gauge("isolate_api_jobs_running", "Jobs that run.", running),
      ...gauge("isolate_api_jobs_waiting", "Jobs that wait for a box.", waiting),
      ...gauge("isolate_api_boxes", "Boxes that there can be at once.", boxes),
    ].map((line) => `${line}\n`).join("");
  }
}
