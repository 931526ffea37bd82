/**
 * The keeper: watches a running box until everything in it is dead.
 *
 * It sleeps until the next moment at which a limit can be hit: the wall clock deadline, or the CPU
 * time that is left divided by the CPUs that can use it up.
 */

import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { ControlGroupRun } from "../../cgroup/types.ts";
import { readCpuTimeMs } from "./cpu_clock.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Limits } from "../setup/limits.ts";
import type { Ending, Outcome, Usage } from "../outcome/outcome.ts";
import { type Glance, prepareGlance, type Report } from "./reports.ts";
import type { RunStreams } from "../streams/run_streams.ts";
import { reap, type Spawned } from "../setup/spawn.ts";
import type { Log } from "../trace.ts";
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
  /** Is told when the program ended, in milliseconds of CLOCK_MONOTONIC. */
  readonly onEnd: ((endedMs: number) => void) | undefined;
  /** Is told what is seen. */
  readonly log: Log;
  /** The run in the control group of the box, if it has one. */
  readonly controlGroup: ControlGroupRun | undefined;
  /** Count the CPU time of the whole control group. */
  readonly controlGroupTiming: boolean;
  /** The streams that need looking after. */
  readonly streams: RunStreams | undefined;
  /** Who is told how it goes, and how often in milliseconds. */
  readonly progress: { readonly everyMs: number; readonly tell: TellProgress } | undefined;
}

/** How a run goes. */
export interface Progress {
  /** CPU time used so far, in milliseconds, counted as in `Usage`. */
  readonly cpuTimeMs: number;
  /** Wall clock time since the program was started, in milliseconds. */
  readonly wallTimeMs: number;
  /** In a box with a control group whose kernel tells it: peak memory so far, in KiB. */
  readonly peakMemoryKib: number | undefined;
}

/** Is told how a run goes. */
export type TellProgress = (progress: Progress) => void;

type Ended = Extract<Report, { kind: "ended" }>;
type Started = Extract<Report, { kind: "started" }>;
type Reason = "cpu" | "wall" | "abort" | "stream" | "progress";

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
  /** When the next limit can be hit, and the next progress is due. */
  nextLookMs: number;
  nextProgressMs: number;
  killedFor: Reason | undefined;
  killedAtMs: number;
  /** What was thrown by who is told of the progress. */
  thrown: unknown;
}

/** Watches a box until everything in it is dead. */
export async function keep(options: KeeperOptions): Promise<Outcome> {
  const { system, waiter, box, abort, streams } = options;
  const watch: Watch = {
    glance: prepareGlance(system, box),
    started: undefined,
    ended: undefined,
    failed: undefined,
    cpuTimeMs: 0,
    pauseMs: LOOK_MIN_MS,
    nextLookMs: 0,
    nextProgressMs: options.spawnedMs + (options.progress?.everyMs ?? Infinity),
    killedFor: undefined,
    killedAtMs: Infinity,
    thrown: undefined,
  };
  const onAbort = () => kill(options, watch, "abort");
  try {
    abort?.addEventListener("abort", onAbort);
    if (abort?.aborted) onAbort();
    streams?.begin(() => kill(options, watch, "stream"));
    // Init is the last to die: it ends with the program, and the kernel then kills and reaps
    // everything else in its namespace first.
    let seen;
    while (!(seen = listen(options, watch)).isDead) {
      const { nowMs } = seen;
      if (streams) await waitWithStreams(options, { watch, streams, nowMs });
      else await waiter.readable([box.initFd], nextLook(options, { watch, nowMs }));
    }
    const { nowMs } = seen;
    options.onEnd?.(watch.ended?.wallMs ?? nowMs);
    if (streams) await streams.finish({ deadlineMs: wallDeadlineMs(options, watch), abort });
    return conclude(options, { watch, nowMs });
  } finally {
    abort?.removeEventListener("abort", onAbort);
    waiter.forget(box.initFd);
    reap(system, box.initFd);
    system.close(box.socket, box.initFd, watch.started?.pidFd ?? -1);
  }
}

/** Whatever the program writes wakes us; the limits need not be looked at each time. */
function waitWithStreams(
  options: KeeperOptions,
  { watch, streams, nowMs }: { watch: Watch; streams: RunStreams; nowMs: number },
): Promise<void> {
  streams.turn(nowMs);
  if (nowMs >= watch.nextLookMs || watch.killedFor) {
    watch.nextLookMs = nextLook(options, { watch, nowMs });
  }
  const { readable, writable, nextTurnMs } = streams;
  return options.waiter.ready(
    { readable: [options.box.initFd, ...readable], writable },
    Math.min(watch.nextLookMs, nextTurnMs),
  );
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

interface Look {
  readonly watch: Watch;
  readonly nowMs: number;
}

/** Checks the limits; gives the time of the next look. */
function nextLook(options: KeeperOptions, look: Look): number {
  const { watch, nowMs } = look;
  const progressMs = options.progress ? tellProgress(options, look) : Infinity;
  const limitMs = watch.killedFor ? Infinity : checkLimits(options, look);
  if (!watch.killedFor) return Math.min(limitMs, progressMs);
  const lastMs = watch.killedAtMs + DEATH_MS;
  if (nowMs < lastMs) return lastMs;
  signal(options.system, options.box.initFd, SIGKILL);
  return Infinity;
}

function wallDeadlineMs({ limits, spawnedMs }: KeeperOptions, { started }: Watch): number {
  const wallMs = limits.wallTimeMs;
  return wallMs ? (started?.wallMs ?? spawnedMs) + wallMs : Infinity;
}

/** Kills a program that has passed a limit; gives the time when the next one can be passed. */
function checkLimits(options: KeeperOptions, { watch, nowMs }: Look): number {
  const { limits, cpus } = options;
  const deadlineMs = wallDeadlineMs(options, watch);
  if (nowMs > deadlineMs) {
    kill(options, watch, "wall");
    return Infinity;
  }
  if (!limits.cpuTimeMs || watch.ended) return deadlineMs;
  const budgetMs = Math.max(limits.cpuTimeMs, limits.extraTimeMs ?? 0);
  if (!watch.started) {
    const pauseMs = Math.max(LOOK_MIN_MS, budgetMs / cpus);
    return Math.min(nowMs + pauseMs, deadlineMs);
  }
  const usedMs = cpuUsedMs(options, watch.started);
  // Gone: its last message is on the way.
  if (usedMs === undefined) return Math.min(nowMs + LOOK_IDLE_MAX_MS, deadlineMs);
  options.log(2, () => `Time check: ${usedMs.toFixed(3)} of ${budgetMs} ms CPU used`);
  const isIdle = usedMs - watch.cpuTimeMs < 0.1;
  watch.pauseMs = isIdle ? Math.min(2 * watch.pauseMs, LOOK_IDLE_MAX_MS) : LOOK_MIN_MS;
  watch.cpuTimeMs = usedMs;
  if (usedMs > budgetMs) {
    kill(options, watch, "cpu");
    return Infinity;
  }
  const leftMs = (budgetMs - usedMs) / cpus;
  return Math.min(nowMs + Math.max(leftMs, watch.pauseMs), deadlineMs);
}

/** Undefined if the program is gone. */
function cpuUsedMs(options: KeeperOptions, started: Started): number | undefined {
  const { system, limits, box } = options;
  const cpuTimeMs = options.controlGroup && options.controlGroupTiming
    ? options.controlGroup.cpuTimeMs()
    : readCpuTimeMs(system, {
      programPid: started.pid,
      initPid: box.initPid,
      children: limits.processes !== undefined && limits.processes !== 1,
    });
  return cpuTimeMs === undefined ? undefined : cpuTimeMs - started.cpuMs;
}

/** Gives the time when progress is to be told again. */
function tellProgress(options: KeeperOptions, { watch, nowMs }: Look): number {
  const { everyMs, tell } = options.progress!;
  if (nowMs < watch.nextProgressMs) return watch.nextProgressMs;
  watch.nextProgressMs = nowMs + everyMs;
  const { started } = watch;
  if (!started || watch.ended || watch.killedFor) return watch.nextProgressMs;
  const cpuTimeMs = cpuUsedMs(options, started);
  if (cpuTimeMs === undefined) return watch.nextProgressMs;
  const peakMemoryKib = options.controlGroup?.usage().peakMemoryKib;
  try {
    const wallTimeMs = Math.max(0, nowMs - started.wallMs);
    tell({ cpuTimeMs: Math.max(0, cpuTimeMs), wallTimeMs, peakMemoryKib });
  } catch (error) {
    watch.thrown = error;
    kill(options, watch, "progress");
  }
  return watch.nextProgressMs;
}

/** Kills the program, so that init can still tell its times; before there is one, the box. */
function kill(options: KeeperOptions, watch: Watch, reason: Reason): void {
  const { system, box, log } = options;
  if (watch.killedFor) return;
  listen(options, watch);
  // It was faster: what became of it is known, and nothing is left to be stopped.
  if ((reason === "abort" || reason === "stream") && watch.ended) return;
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

/**
 * The first reason to kill the program is the verdict. Where it did not have to be killed: it passed
 * a time limit, or wrote too much, or ran out of memory, or else how it ended.
 */
function conclude(options: KeeperOptions, { watch, nowMs }: Look): Outcome {
  const { limits, abort } = options;
  const { started, ended, failed, killedFor } = watch;
  const end = options.streams?.end;
  if (failed) throw failed;
  if (killedFor === "progress") throw watch.thrown;
  if (end?.kind === "error") throw end.error;
  if (killedFor === "abort") {
    const reason: unknown = abort?.reason;
    if (reason instanceof SandboxError) throw reason;
    const signal = typeof reason === "number" ? reason : undefined;
    return { kind: "interrupted", signal, usage: usage(options, watch, nowMs) };
  }
  const used = usage(options, watch, nowMs);
  if (end && killedFor === "stream") {
    return { kind: "output-limit", stream: end.stream, usage: used };
  }
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
  if (end) return { kind: "output-limit", stream: end.stream, usage: used };
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
