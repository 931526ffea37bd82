/**
 * Wall time. CPU time alone decides who is too slow, so that a loaded machine makes nobody's verdict
 * worse; wall time is for those who sleep, or wait for what never comes.
 *
 * - After twice its CPU time and 1 s a program is ended if it has used hardly any CPU time for two
 *   seconds, although its CPU had time to spare: it sleeps, for otherwise it would have run.
 * - One that runs, or may be waiting for its CPU, is given ten times its CPU time and 10 s.
 */

import type { Outcome, RunOptions } from "../../mod.ts";
import type { System } from "../../ffi/system.ts";

const IDLE_FACTOR = 2;
const IDLE_MORE_MS = 1_000;
const LIMIT_FACTOR = 10;
const LIMIT_MORE_MS = 10_000;
/** Who uses less than this part of a CPU … */
const IDLE_PART = 0.01;
/** … for so long is idle; … */
const IDLE_WINDOW_MS = 2_000;
/** … which is looked at so often. */
const LOOK_EVERY_MS = 250;
/** A CPU that does nothing for this part of the time keeps nobody waiting. */
const SPARE_PART = 0.1;
/** The unit of /proc/stat, whatever the kernel's own ticks are. */
const TICK_MS = 10;
/** The fields of a line of /proc/stat in which a CPU does nothing: `idle` and `iowait`. */
const IDLE_FIELDS = [4, 5] as const;

/** When a program that is idle is ended. */
export function idleTimeMs(cpuTimeMs: number): number {
  return IDLE_FACTOR * cpuTimeMs + IDLE_MORE_MS;
}

/** When any program is ended. */
export function wallTimeMs(cpuTimeMs: number): number {
  return LIMIT_FACTOR * cpuTimeMs + LIMIT_MORE_MS;
}

/** Ends a program that is idle for too long. */
export class IdleWatchdog {
  /** When an idle program is ended, in milliseconds of wall time. */
  readonly idleTimeMs: number;
  readonly #stop = new AbortController();
  readonly #spareMs: () => number;
  readonly #samples: { wallMs: number; cpuMs: number; spareMs: number }[] = [];
  #othersCpuMs = 0;

  /** Begins to wait. */
  constructor(idleTimeMs: number, spareMs: () => number) {
    this.idleTimeMs = idleTimeMs;
    this.#spareMs = spareMs;
  }

  /** What makes a run end when it is idle for too long. */
  options(
    signal: AbortSignal,
  ): Required<Pick<RunOptions, "signal" | "onProgress" | "progressEveryMs">> {
    return {
      signal: AbortSignal.any([signal, this.#stop.signal]),
      progressEveryMs: LOOK_EVERY_MS,
      onProgress: ({ wallTimeMs, cpuTimeMs }) => this.look(wallTimeMs, cpuTimeMs),
    };
  }

  /**
   * What the run of another program needs, for whom this one may have to wait: while that one is busy
   * this one is not idle.
   */
  otherOptions(): Required<Pick<RunOptions, "onProgress" | "progressEveryMs">> {
    return {
      progressEveryMs: LOOK_EVERY_MS,
      onProgress: ({ cpuTimeMs }) => {
        this.#othersCpuMs = cpuTimeMs;
      },
    };
  }

  /** Looks at a program, and ends it if it has been idle for too long. */
  look(wallMs: number, cpuMs: number): void {
    if (wallMs < this.idleTimeMs - 2 * IDLE_WINDOW_MS) return;
    const now = { wallMs, cpuMs: cpuMs + this.#othersCpuMs, spareMs: this.#spareMs() };
    this.#samples.push(now);
    const isOld = () => (this.#samples[1]?.wallMs ?? Infinity) <= wallMs - IDLE_WINDOW_MS;
    while (isOld()) this.#samples.shift();
    const before = this.#samples[0]!;
    const passedMs = wallMs - before.wallMs;
    if (wallMs < this.idleTimeMs || passedMs < IDLE_WINDOW_MS / 2) return;
    const isIdle = now.cpuMs - before.cpuMs < IDLE_PART * passedMs;
    if (isIdle && now.spareMs - before.spareMs >= SPARE_PART * passedMs) this.#stop.abort();
  }

  /** Whether it was ended for being idle. */
  get isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** What became of the run: who was ended for being idle has passed a limit of wall time. */
  outcome(outcome: Outcome): Outcome {
    if (!this.isOver || outcome.kind !== "interrupted") return outcome;
    const { usage } = outcome;
    return { kind: "time-limit", limit: "wall", killed: true, ending: undefined, usage };
  }
}

/** How long CPUs have been doing nothing since the machine was started; see proc_stat(5). */
export function spareTimeMs(system: System, cpus: readonly number[] | undefined): number {
  const file = system.readFile("/proc/stat", { limitBytes: 1 << 22 });
  const wanted = cpus ? new Set(cpus.map((cpu) => `cpu${cpu}`)) : new Set(["cpu"]);
  let ticks = 0;
  for (const line of new TextDecoder().decode(file?.bytes).split("\n")) {
    if (!line.startsWith("cpu")) break;
    const fields = line.split(/ +/);
    if (!wanted.has(fields[0]!)) continue;
    for (const field of IDLE_FIELDS) ticks += Number(fields[field] ?? 0);
  }
  return ticks * TICK_MS;
}
