/**
 * Limits wall time. CPU time alone decides which program is too slow, so that a loaded machine makes no
 * verdict worse. Wall time is for programs that sleep, or wait for what never comes:
 *
 * - A program is killed when it has been idle for its CPU time and 1 s in which it could have run. The
 *   kernel tells how long its threads waited for a CPU (`/proc/PID/schedstat`); that does not count, and
 *   neither does any time in which it waited for a disk.
 * - A program that runs, or waits for its CPU, gets ten times its CPU time and 10 s.
 */

import type { HostFiles, Outcome, Progress, RunOptions } from "../../mod.ts";

const IDLE_MORE_MS = 1_000;
const LIMIT_FACTOR = 10;
const LIMIT_MORE_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** A program that uses less than this part of a CPU is idle. */
const IDLE_PART = 0.01;
/** A CPU that does nothing for this part of the time keeps no program waiting. */
const SPARE_PART = 0.1;
/** The unit of /proc/stat, whatever the kernel's own ticks are. */
const TICK_MS = 10;
/** The fields of a line of /proc/stat in which a CPU does nothing: `idle` and `iowait`. */
const IDLE_FIELDS = [4, 5] as const;

/** Computes how long a program may be idle. */
export function idleTimeMs(cpuTimeMs: number): number {
  return cpuTimeMs + IDLE_MORE_MS;
}

/** Computes when any program is killed. */
export function wallTimeMs(cpuTimeMs: number): number {
  return LIMIT_FACTOR * cpuTimeMs + LIMIT_MORE_MS;
}

/** What is known of a program at a moment; its times so far. */
type ProgramTimes = Pick<Progress, "cpuTimeMs" | "waitedMs" | "isBusy">;

/** Kills a program that is idle for too long. */
export class IdleWatchdog {
  /** How long a program may be idle. */
  readonly idleTimeMs: number;
  readonly #stop = new AbortController();
  readonly #spareMs: () => number;
  #before: (ProgramTimes & { wallTimeMs: number; spareMs: number }) | undefined;
  #other: ProgramTimes = { cpuTimeMs: 0, waitedMs: 0, isBusy: false };
  #idleMs = 0;

  /** Watches; `spareMs` tells what CPUs do where the kernel does not say how long threads wait. */
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
      onProgress: (progress) => this.look(progress),
    };
  }

  /** Makes the options of another run that this one may wait for: while that is busy, this is not idle. */
  otherOptions(): Required<Pick<RunOptions, "onProgress" | "progressEveryMs">> {
    return {
      progressEveryMs: LOOK_EVERY_MS,
      onProgress: (progress) => {
        this.#other = progress;
      },
    };
  }

  /** Looks at the times of a program, and kills it if it has been idle for too long. */
  look({ wallTimeMs, cpuTimeMs, waitedMs, isBusy }: ProgramTimes & { wallTimeMs: number }): void {
    const other = this.#other;
    const isKnown = waitedMs !== undefined && other.waitedMs !== undefined;
    const now = {
      wallTimeMs,
      cpuTimeMs: cpuTimeMs + other.cpuTimeMs,
      waitedMs: isKnown ? waitedMs + other.waitedMs : undefined,
      isBusy: isKnown ? Boolean(isBusy) || Boolean(other.isBusy) : undefined,
      spareMs: isKnown ? 0 : this.#spareMs(),
    };
    const before = this.#before ?? { ...now, wallTimeMs: 0, cpuTimeMs: 0, waitedMs: 0 };
    this.#before = now;
    const passedMs = wallTimeMs - before.wallTimeMs;
    if (now.cpuTimeMs - before.cpuTimeMs >= IDLE_PART * passedMs) return;
    if (now.waitedMs === undefined || before.waitedMs === undefined) {
      if (now.spareMs - before.spareMs < SPARE_PART * passedMs) return;
      this.#idleMs += passedMs;
    } else if (!now.isBusy) {
      // Threads that ended took their share with them.
      const waitedMs = Math.max(0, now.waitedMs - before.waitedMs);
      this.#idleMs += Math.max(0, passedMs - waitedMs);
    }
    if (this.#idleMs >= this.idleTimeMs) this.#stop.abort();
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
