/**
 * Limits wall time. CPU time alone decides which program is too slow, so that a loaded machine makes no
 * verdict worse. Wall time is for programs that sleep, or wait for what never comes:
 *
 * - After twice its CPU time and 1 s, a program is killed if it has used hardly any CPU time for two
 *   seconds although its CPU had time to spare: it sleeps, for otherwise it would have run.
 * - A program that runs, or may be waiting for its CPU, gets ten times its CPU time and 10 s.
 */

import type { HostFiles, Outcome, RunOptions } from "../../mod.ts";

const IDLE_FACTOR = 2;
const IDLE_MORE_MS = 1_000;
const LIMIT_FACTOR = 10;
const LIMIT_MORE_MS = 10_000;
/** A program that uses less than this part of a CPU … */
const IDLE_PART = 0.01;
/** … for so long is idle. */
const IDLE_WINDOW_MS = 2_000;
const LOOK_EVERY_MS = 250;
/** A CPU that does nothing for this part of the time keeps no program waiting. */
const SPARE_PART = 0.1;
/** The unit of /proc/stat, whatever the kernel's own ticks are. */
const TICK_MS = 10;
/** The fields of a line of /proc/stat in which a CPU does nothing: `idle` and `iowait`. */
const IDLE_FIELDS = [4, 5] as const;

/** Computes when an idle program is killed. */
export function idleTimeMs(cpuTimeMs: number): number {
  return IDLE_FACTOR * cpuTimeMs + IDLE_MORE_MS;
}

/** Computes when any program is killed. */
export function wallTimeMs(cpuTimeMs: number): number {
  return LIMIT_FACTOR * cpuTimeMs + LIMIT_MORE_MS;
}

/** Kills a program that is idle for too long. */
export class IdleWatchdog {
  /** The wall time from which on an idle program is killed. */
  readonly idleTimeMs: number;
  readonly #stop = new AbortController();
  readonly #spareMs: () => number;
  readonly #samples: { wallMs: number; cpuMs: number; spareMs: number }[] = [];
  #othersCpuMs = 0;

  constructor(idleTimeMs: number, spareMs: () => number) {
    this.idleTimeMs = idleTimeMs;
    this.#spareMs = spareMs;
  }

  /** Makes the options of a run that is killed when it is idle for too long. */
  options(
    signal: AbortSignal,
  ): Required<Pick<RunOptions, "signal" | "onProgress" | "progressEveryMs">> {
    return {
      signal: AbortSignal.any([signal, this.#stop.signal]),
      progressEveryMs: LOOK_EVERY_MS,
      onProgress: ({ wallTimeMs, cpuTimeMs }) => this.look(wallTimeMs, cpuTimeMs),
    };
  }

  /** Makes the options of another run that this one may wait for: while that is busy, this is not idle. */
  otherOptions(): Required<Pick<RunOptions, "onProgress" | "progressEveryMs">> {
    return {
      progressEveryMs: LOOK_EVERY_MS,
      onProgress: ({ cpuTimeMs }) => {
        this.#othersCpuMs = cpuTimeMs;
      },
    };
  }

  /** Looks at the times of a program, and kills it if it has been idle for too long. */
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

  /** Whether the program was killed for being idle. */
  get isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Corrects the outcome of a run that was killed for being idle: it passed a limit on wall time. */
  outcome(outcome: Outcome): Outcome {
    if (!this.isOver || outcome.kind !== "interrupted") return outcome;
    const { usage } = outcome;
    return { kind: "time-limit", limit: "wall", killed: true, ending: undefined, usage };
  }
}

/** Tells how long CPUs have been doing nothing since the machine was started; see proc_stat(5). */
export function spareTimeMs(host: HostFiles, cpus: readonly number[] | undefined): number {
  const wanted = cpus ? cpus.map((cpu) => `cpu${cpu}`) : ["cpu"];
  const ticks = host.readText("/proc/stat", { limitBytes: 1 << 22 }).split("\n")
    .map((line) => line.split(/ +/))
    .filter(([name = ""]) => wanted.includes(name))
    .flatMap((fields) => IDLE_FIELDS.map((field) => Number(fields[field] ?? 0)));
  return TICK_MS * ticks.reduce((sum, one) => sum + one, 0);
}
