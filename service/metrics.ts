/** What the service counts, in the text format of Prometheus. */

import type { Outcome } from "../box/outcome/outcome.ts";
import type { Sandbox } from "../box/sandbox.ts";
import type { ReadyUses } from "../box/setup/ready.ts";
import { type BoxSight, surveyBoxes } from "../box/survey/survey.ts";
import { readText } from "../host/read.ts";
import { head, Histogram } from "../text/prometheus.ts";

/** Every way a run can end, so that each is there from the beginning. */
const OUTCOMES = [
  "success",
  "failure",
  "signal",
  "cpu-time-limit",
  "wall-time-limit",
  "memory-limit",
  "output-limit",
  "interrupted",
  "failed",
];

const BOX_STATES = ["idle", "running", "stopped", "ready", "being made", "held", "unfinished"];

/** What is read when somebody asks. */
export interface MetricSources {
  /** How many clients are connected. */
  readonly connections: () => number;
  /** How many there may be. */
  readonly connectionsMax: () => number;
  readonly sandbox: () => Sandbox;
}

/** Counts what the service does. No label has a value that a client chose. */
export class Metrics {
  readonly #sources: MetricSources;
  readonly #runs = new Map(OUTCOMES.map((label) => [label, 0]));
  readonly #wall = new Histogram();
  readonly #cpu = new Histogram();
  readonly #duration = new Histogram();
  readonly #delay = new Histogram();
  /** Counted by the boxes themselves. */
  readonly readyUses: ReadyUses = { hits: 0, misses: 0 };
  #commands = 0;
  #refused = 0;
  #errors = 0;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** Counts a run; undefined: the sandbox failed. */
  runEnded(outcome: Outcome | undefined): void {
    const label = outcome ? labelOf(outcome) : "failed";
    this.#runs.set(label, (this.#runs.get(label) ?? 0) + 1);
    if (!outcome) return;
    this.#wall.add(outcome.usage.wallTimeMs / 1000);
    this.#cpu.add(outcome.usage.cpuTimeMs / 1000);
  }

  /** Counts a command line that was carried out, and whether it could not be. */
  commandEnded({ isError, durationMs }: { isError: boolean; durationMs: number }): void {
    this.#commands++;
    this.#duration.add(durationMs / 1000);
    if (isError) this.#errors++;
  }

  /** Counts how long something waited that had happened, because the service was doing something else. */
  waited(delayMs: number): void {
    this.#delay.add(Math.max(0, delayMs) / 1000);
  }

  /** Counts a client that was one too many. */
  clientRefused(): void {
    this.#refused++;
  }

  /** Writes everything. */
  async text(): Promise<string> {
    const { connections, connectionsMax, sandbox: current } = this.#sources;
    const sandbox = current();
    const seen = await surveyBoxes(sandbox, { mayUse: () => true });
    const boxes = Map.groupBy(seen, ({ state }) => state as string);
    const sum = (of: (box: BoxSight) => number) => seen.reduce((sum, box) => sum + of(box), 0);
    const { hits, misses } = this.readyUses;
    const memory = parseInt(
      /VmRSS:\s*(\d+)/.exec(readText(sandbox.system, "/proc/self/status"))?.[1] ?? "0",
    );
    return [
      ...head("isolate_runs_total", "counter", "Runs that have ended, by outcome."),
      ...[...this.#runs].map(([label, count]) => `isolate_runs_total{outcome="${label}"} ${count}`),
      ...head("isolate_run_wall_seconds", "histogram", "Wall time of runs."),
      ...this.#wall.lines("isolate_run_wall_seconds"),
      ...head("isolate_run_cpu_seconds", "histogram", "CPU time of runs."),
      ...this.#cpu.lines("isolate_run_cpu_seconds"),
      ...head("isolate_commands_total", "counter", "Command lines that were carried out."),
      `isolate_commands_total ${this.#commands}`,
      ...head(
        "isolate_command_seconds",
        "histogram",
        "How long command lines took in the service.",
      ),
      ...this.#duration.lines("isolate_command_seconds"),
      ...head(
        "isolate_delay_seconds",
        "histogram",
        "How long what happened waited while the service did something else.",
      ),
      ...this.#delay.lines("isolate_delay_seconds"),
      ...head("isolate_errors_total", "counter", "Command lines that ended with status 2."),
      `isolate_errors_total ${this.#errors}`,
      ...head("isolate_refused_total", "counter", "Clients that were one too many."),
      `isolate_refused_total ${this.#refused}`,
      ...head("isolate_connections", "gauge", "Clients that are connected."),
      `isolate_connections ${connections()}`,
      ...head("isolate_connections_max", "gauge", "Clients that may be connected at once."),
      `isolate_connections_max ${connectionsMax()}`,
      ...head("isolate_boxes", "gauge", "Boxes by state."),
      ...BOX_STATES.map((state) =>
        `isolate_boxes{state="${state}"} ${boxes.get(state)?.length ?? 0}`
      ),
      ...head("isolate_waiting", "gauge", "Clients that wait for a box which is in use."),
      `isolate_waiting ${sandbox.runs?.waiting ?? 0}`,
      ...head("isolate_processes", "gauge", "Processes in boxes."),
      `isolate_processes ${sum(({ processes }) => processes.length)}`,
      ...head("isolate_boxes_memory_bytes", "gauge", "Resident memory of processes in boxes."),
      `isolate_boxes_memory_bytes ${sum(({ memoryKib = 0 }) => memoryKib) * 1024}`,
      ...head("isolate_ready_hits_total", "counter", "Runs that found their box ready."),
      `isolate_ready_hits_total ${hits}`,
      ...head("isolate_ready_misses_total", "counter", "Runs whose box had to be made."),
      `isolate_ready_misses_total ${misses}`,
      ...head("isolate_resident_memory_bytes", "gauge", "Memory of the service itself."),
      `isolate_resident_memory_bytes ${memory * 1024}`,
    ].map((line) => `${line}\n`).join("");
  }
}

function labelOf(outcome: Outcome): string {
  if (outcome.kind === "time-limit") return `${outcome.limit}-time-limit`;
  return outcome.kind === "exit" ? outcome.exitCode === 0 ? "success" : "failure" : outcome.kind;
}
