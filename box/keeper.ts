/**
 * The keeper: watches a running box until everything in it is dead.
 *
 * It sleeps until the next moment at which a limit can be hit: the wall clock deadline, or the CPU
 * time that is left divided by the CPUs that can use it up.
 *
 * @module
 */

import { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import type { ControlGroupRun } from "../cgroup/types.ts";
import { readCpuTimeMs } from "./cpu_clock.ts";
import { SandboxError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Ending, Outcome, Usage } from "./outcome.ts";
import { type Glance, prepareGlance, type Report } from "./reports.ts";
import { reap, type Spawned } from "./spawn.ts";
import type { Log } from "./trace.ts";
import type { Waiter } from "./waiter.ts";

const SIGKILL = 9;
/** Between two looks at least so long, so that a program near its limit does not cost a CPU. */
const LOOK_MIN_MS = 0.5;
/** The same for a program that sleeps near its limit. */
const LOOK_IDLE_MAX_MS = 4;
/** A program that was killed gets so long to die, for its exact times; then its init is killed. */
const DEATH_MS = 200;

/** What is watched, and how. */
export interface KeeperOptions {
  /** The kernel. */
  readonly system: System;
  /** The waiter of the process. */
  readonly waiter: Waiter;
  /** The running box. */
  readonly box: Spawned;
  /** The limits. */
  readonly limits: Limits;
  /** How many CPUs can use up CPU time at once. */
  readonly cpus: number;
  /** When the box was started, in milliseconds of CLOCK_MONOTONIC. */
  readonly spawnedMs: number;
  /** Breaks the run off; its reason may be the number of a signal. */
  readonly abort: AbortSignal | undefined;
  /** Is told what is seen. */
  readonly log: Log;
  /** The run in the control group of the box, if it has one. */
  readonly controlGroup: ControlGroupRun | undefined;
  /** Count the CPU time of the whole control group. */
  readonly controlGroupTiming: boolean;
}

type Ended = Extract<Report, { kind: "ended" }>;
type Started = Extract<Report, { kind: "started" }>;
type Reason = "cpu" | "wall" | "abort";

/** What the keeper knows of a run. */
interface Watch {
  /** Looks at the box. */
  readonly glance: () => Glance;
  started: Started | undefined;
  ended: Ended | undefined;
  failed: SystemError | undefined;
  /** CPU time at the last look, in milliseconds. */
  cpuTimeMs: number;
  /** How long to wait near the limit if nothing happens. */
  pauseMs: number;
  killedFor: Reason | undefined;
  killedAtMs: number;
}

/**
 * Watches a box until everything in it is dead.
 *
 * @param options the box and its limits
 * @returns what became of the program
 * @throws {SandboxError} if the box failed before the program was executed, or was killed by
 *   somebody else
 */
export async function keep(options: KeeperOptions): Promise<Outcome> {
  const { system, waiter, box, abort } = options;
  const watch: Watch = {
    glance: prepareGlance(system, box),
    started: undefined,
    ended: undefined,
    failed: undefined,
    cpuTimeMs: 0,
    pauseMs: LOOK_MIN_MS,
    killedFor: undefined,
    killedAtMs: Infinity,
  };
  const onAbort = () => kill(options, watch, "abort");
  try {
    abort?.addEventListener("abort", onAbort);
    if (abort?.aborted) onAbort();
    // Init is the last to die: it ends with the program, and the kernel then kills and reaps
    // everything else in its namespace first.
    for (let seen; !(seen = listen(options, watch)).isDead;) {
      await waiter.readable([box.initFd], nextLook(options, { watch, nowMs: seen.nowMs }));
    }
    return conclude(options, watch);
  } finally {
    abort?.removeEventListener("abort", onAbort);
    waiter.forget(box.initFd);
    reap(system, box.initFd);
    system.close(box.socket, box.initFd, watch.started?.pidFd ?? -1);
  }
}

/** Looks at the box, and takes all messages that have come. */
function listen({ box, log }: KeeperOptions, watch: Watch): Glance {
  const seen = watch.glance();
  for (const report of seen.reports) {
    if (report.kind === "started") {
      const { pid } = watch.started = report;
      log(1, () => `The program is process ${pid}, its init ${box.initPid}`);
    }
    if (report.kind === "ended") {
      const { exitCode, signal } = watch.ended = report;
      log(1, () => `The program ended by ${signal ? `signal ${signal}` : `exit ${exitCode}`}`);
    }
    if (report.kind === "failed") {
      const steps = [...box.plan.steps, ...box.plan.childSteps()];
      watch.failed = new SystemError(steps[report.step], report.errno);
    }
  }
  return seen;
}

/** Checks the limits; gives the time of the next look. */
function nextLook(
  options: KeeperOptions,
  { watch, nowMs }: { watch: Watch; nowMs: number },
): number {
  const { system, limits, box, cpus } = options;
  if (watch.killedFor) {
    if (nowMs >= watch.killedAtMs + DEATH_MS) signal(system, box.initFd, SIGKILL);
    return nowMs < watch.killedAtMs + DEATH_MS ? watch.killedAtMs + DEATH_MS : Infinity;
  }
  const wallMs = limits.wallTimeMs;
  const wallDeadlineMs = wallMs ? (watch.started?.wallMs ?? options.spawnedMs) + wallMs : Infinity;
  if (nowMs > wallDeadlineMs) {
    kill(options, watch, "wall");
    return nextLook(options, { watch, nowMs });
  }
  if (!limits.cpuTimeMs || watch.ended) return wallDeadlineMs;
  const budgetMs = Math.max(limits.cpuTimeMs, limits.extraTimeMs ?? 0);
  if (!watch.started) {
    const pauseMs = Math.max(LOOK_MIN_MS, budgetMs / cpus);
    return Math.min(nowMs + pauseMs, wallDeadlineMs);
  }
  const cpuTimeMs = options.controlGroup && options.controlGroupTiming
    ? options.controlGroup.cpuTimeMs()
    : readCpuTimeMs(system, {
      programPid: watch.started.pid,
      initPid: box.initPid,
      children: limits.processes !== undefined && limits.processes !== 1,
    });
  // Gone: its last message is on the way.
  if (cpuTimeMs === undefined) return Math.min(nowMs + LOOK_IDLE_MAX_MS, wallDeadlineMs);
  const usedMs = cpuTimeMs - watch.started.cpuMs;
  options.log(2, () => `Time check: ${usedMs.toFixed(3)} of ${budgetMs} ms CPU used`);
  const isIdle = usedMs - watch.cpuTimeMs < 0.1;
  watch.pauseMs = isIdle ? Math.min(2 * watch.pauseMs, LOOK_IDLE_MAX_MS) : LOOK_MIN_MS;
  watch.cpuTimeMs = usedMs;
  if (usedMs > budgetMs) {
    kill(options, watch, "cpu");
    return nextLook(options, { watch, nowMs });
  }
  const leftMs = (budgetMs - usedMs) / cpus;
  return Math.min(nowMs + Math.max(leftMs, watch.pauseMs), wallDeadlineMs);
}

/** Kills the program, so that init can still tell its times; before there is one, the box. */
function kill(options: KeeperOptions, watch: Watch, reason: Reason): void {
  const { system, box, log } = options;
  if (watch.killedFor) return;
  listen(options, watch);
  watch.killedFor = reason;
  log(1, () => `Killing the program (${reason})`);
  watch.killedAtMs = system.nowMs();
  signal(system, watch.started?.pidFd ?? box.initFd, SIGKILL);
}

function signal(system: System, pidFd: number, signal: number): void {
  const plan = new Plan();
  plan.step("pidfd_send_signal", [pidFd, signal, 0, 0], { ignore: "all" });
  system.run(plan, "kill");
}

function conclude(options: KeeperOptions, watch: Watch): Outcome {
  const { system, limits, abort } = options;
  const { started, ended, failed, killedFor } = watch;
  if (failed) throw failed;
  if (killedFor === "abort") {
    const reason: unknown = abort?.reason;
    if (reason instanceof SandboxError) throw reason;
    const signal = typeof reason === "number" ? reason : undefined;
    return { kind: "interrupted", signal, usage: usage(options, watch, system.nowMs()) };
  }
  const used = usage(options, watch, system.nowMs());
  const isOutOfMemory = used.controlGroup !== undefined && used.controlGroup.oomKills > 0;
  // With very little memory the program's process does not get as far as the program.
  if (!started && !killedFor && !(ended && isOutOfMemory)) {
    throw new SandboxError(
      "internal",
      "The box ended before the program was started: its init process was killed, or could not " +
        "read its plan",
    );
  }
  const killed = killedFor !== undefined && (!ended || ended.signal === SIGKILL);
  const ending: Ending | undefined = killed || !ended
    ? undefined
    : ended.signal !== undefined
    ? { how: "signal", signal: ended.signal }
    : { how: "exit", exitCode: ended.exitCode! };
  const overCpu = killedFor === "cpu" || passed(used.cpuTimeMs, limits.cpuTimeMs);
  if (overCpu || killedFor === "wall" || passed(used.wallTimeMs, limits.wallTimeMs)) {
    return { kind: "time-limit", limit: overCpu ? "cpu" : "wall", killed, ending, usage: used };
  }
  if (!ended) {
    throw new SandboxError("internal", "The init process of the box was killed by somebody else");
  }
  if (isOutOfMemory) {
    return { kind: "memory-limit", ending: ending!, usage: used };
  }
  return ending!.how === "signal"
    ? { kind: "signal", signal: ending!.signal, usage: used }
    : { kind: "exit", exitCode: ending!.exitCode, usage: used };
}

function passed(valueMs: number, limitMs: number | undefined): boolean {
  return limitMs !== undefined && limitMs > 0 && valueMs > limitMs;
}

function usage(options: KeeperOptions, watch: Watch, nowMs: number): Usage {
  const { started, ended } = watch;
  const startMs = started?.wallMs ?? options.spawnedMs;
  const group = options.controlGroup?.usage();
  const cpuMs = group && options.controlGroupTiming ? group.cpuTimeMs : ended?.cpuMs;
  return {
    // What was used before execve was the sandbox's own.
    cpuTimeMs: cpuMs === undefined ? watch.cpuTimeMs : Math.max(0, cpuMs - (started?.cpuMs ?? 0)),
    wallTimeMs: Math.max(0, (ended?.wallMs ?? nowMs) - startMs),
    maxRssKib: ended?.maxRssKib ?? 0,
    voluntaryContextSwitches: ended?.voluntarySwitches ?? 0,
    forcedContextSwitches: ended?.forcedSwitches ?? 0,
    controlGroup: group && { peakMemoryKib: group.peakMemoryKib, oomKills: group.oomKills },
  };
}
