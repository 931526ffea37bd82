/**
 * The keeper: watches a running box until everything in it is dead.
 *
 * It sleeps until the next moment at which a limit can be hit: the wall clock deadline, or the CPU
 * time that is left divided by the CPUs that can use it up.
 */

import { errnoName } from "../../ffi/errno.ts";
import { SIGKILL } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { NotExecuted, Outcome } from "../outcome/outcome.ts";
import type { Run } from "../run_options.ts";
import { awaitDeath, reap } from "../setup/clone.ts";
import type { StartedBox } from "../setup/spawn.ts";
import type { RunStreams } from "../streams/run_streams.ts";
import { conclude, type KillReason, type RunFacts } from "./conclude.ts";
import { readRunQueue } from "./run_queue.ts";
import { readCpuTimeMs } from "./cpu_clock.ts";
import { type BoxStatus, prepareStatus } from "./reports.ts";
import type { LiveRun } from "./runs.ts";
import type { Readiness } from "./waiter.ts";

/** Between two looks at least so long, so that a program near its limit does not cost a CPU. */
const LOOK_MIN_MS = 0.5;
/** The same for a program that sleeps near its limit. */
const LOOK_IDLE_MAX_MS = 4;
/** A program that was killed gets so long to die, for its exact times; then its init is killed. */
const DEATH_MS = 200;
const PROGRESS_EVERY_MS = 100;

interface Watch extends RunFacts {
  /** Why the program could not be executed. */
  notExecuted: NotExecuted | undefined;
  /** The streams that the keeper has to move, if there are any. */
  readonly streams: RunStreams | undefined;
  readonly look: () => BoxStatus;
  /** How long to wait near the limit if nothing happens. */
  pauseMs: number;
  /** When the next limit can be hit, and the next progress is due. */
  nextLookMs: number;
  nextProgressMs: number;
  killedAtMs: number;
  /** Whether everything is stopped by the control group. */
  isFrozen: boolean;
  /** Whether init has sent its last message. */
  isClosed: boolean;
  /** Whether others have entered the box, which only the death of init ends. */
  isVisited: boolean;
  /** Since when the wall clock is paused, if it is. */
  pausedSinceMs: number | undefined;
}

/** Watches a box until everything in it is dead. */
export async function keep(
  run: Run,
  box: StartedBox,
  streams: RunStreams | undefined,
): Promise<Outcome> {
  const { sandbox: { system, waiter }, options: { signal, onEnd } } = run;
  const watch = beginWatch(run, box, streams);
  const onAbort = () => kill(watch, "abort");
  const live = liveRun(watch);
  run.onLive?.(live);
  const endLive = run.sandbox.runs?.begin(live);
  let outcome: Outcome | undefined;
  try {
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    streams?.begin(() => kill(watch, "stream"));
    let nowMs = box.startedMs;
    let status: BoxStatus;
    do {
      if (streams) await waitWithStreams(watch, streams, nowMs);
      else await waiter.ready(waitedFor(watch), nextLook(watch, nowMs));
      status = listen(watch);
      nowMs = status.nowMs;
    } while (!isOver(watch, status));
    pauseClock(watch, { paused: false, nowMs: watch.ended?.wallMs ?? nowMs });
    onEnd?.(watch.ended?.wallMs ?? nowMs);
    await streams?.finish({ deadlineMs: wallDeadlineMs(watch), abort: signal });
    return outcome = conclude(watch, { streamEnd: streams?.end, nowMs });
  } finally {
    endLive?.(outcome);
    run.onLive?.(undefined);
    signal?.removeEventListener("abort", onAbort);
    waiter.forget(box.initFd, box.socket);
    if (!box.isStaged) reap(system, box.initFd);
    else if (!outcome) awaitDeath(system, box.initFd);
    system.close(box.socket, box.initFd, watch.started?.pidFd ?? -1);
  }
}

/**
 * Whether everything in the box is dead. Init is the last to die: it ends with the program, and the kernel then
 * kills and reaps everything else in its namespace first. That takes the kernel a while: where init knows that
 * nothing else lives, and somebody else reaps it, its last message is enough.
 */
function isOver({ box, ended, isVisited }: Watch, { isDead }: BoxStatus): boolean {
  if (isDead) return true;
  return ended !== undefined && ended.isAlone && box.isStaged && !isVisited;
}

/** What tells that the box may be over: the end of init's messages, then that of init. */
function waitedFor({ box, isClosed }: Watch): Readiness {
  return box.isStaged && !isClosed ? { hungUp: box.socket } : { readable: [box.initFd] };
}

function beginWatch(run: Run, box: StartedBox, streams: RunStreams | undefined): Watch {
  const { onProgress, progressEveryMs = PROGRESS_EVERY_MS } = run.options;
  return {
    run,
    box,
    streams,
    look: prepareStatus(run.sandbox.system, box, { isTraced: run.options.crashReport ?? false }),
    started: undefined,
    ended: undefined,
    crash: undefined,
    notExecuted: undefined,
    failed: undefined,
    cpuTimeMs: 0,
    pauseMs: LOOK_MIN_MS,
    nextLookMs: 0,
    nextProgressMs: onProgress ? box.startedMs + progressEveryMs : Infinity,
    killedFor: undefined,
    killedAtMs: Infinity,
    isFrozen: false,
    isClosed: false,
    isVisited: false,
    pausedSinceMs: undefined,
    pausedMs: 0,
    thrown: undefined,
  };
}

/** Whatever the program writes wakes us; the limits need not be looked at each time. */
function waitWithStreams(watch: Watch, streams: RunStreams, nowMs: number): Promise<void> {
  streams.turn(nowMs);
  if (nowMs >= watch.nextLookMs || watch.killedFor) watch.nextLookMs = nextLook(watch, nowMs);
  const { readable, writable, nextTurnMs } = streams;
  const waited = waitedFor(watch);
  return watch.run.sandbox.waiter.ready(
    { ...waited, readable: [...waited.readable ?? [], ...readable], writable },
    Math.min(watch.nextLookMs, nextTurnMs),
  );
}

/** Looks at the box, and takes all messages that have come. */
function listen(watch: Watch): BoxStatus {
  const { box, run: { sandbox: { log } } } = watch;
  const status = watch.look();
  watch.isClosed ||= status.isClosed;
  for (const report of status.reports) {
    if (report.kind === "started") {
      const { pid } = watch.started = report;
      log(1, () => `The program is process ${pid}, its init ${box.initPid}`);
    }
    if (report.kind === "crashed") watch.crash = report.crash;
    if (report.kind === "not-executed") {
      watch.notExecuted = { errno: report.errno, code: errnoName(report.errno) };
    }
    if (report.kind === "ended") {
      const { ending } = watch.ended = report;
      if (ending.how === "signal" && watch.crash) ending.crash = watch.crash;
      if (ending.how === "exit" && watch.notExecuted) ending.notExecuted = watch.notExecuted;
      const how = ending.how === "signal" ? `signal ${ending.signal}` : `exit ${ending.exitCode}`;
      log(1, () => `The program ended by ${how}`);
    }
    if (report.kind === "failed") {
      const steps = [...box.plan.steps, ...box.plan.childSteps()];
      watch.failed = new SystemError(steps[report.step], report.errno);
      watch.failed.system = watch.run.sandbox.system;
    }
  }
  return status;
}

/** Checks the limits, and returns the time of the next look. */
function nextLook(watch: Watch, nowMs: number): number {
  const progressMs = tellProgress(watch, nowMs);
  const limitMs = watch.killedFor ? Infinity : checkLimits(watch, nowMs);
  if (!watch.killedFor) return Math.min(limitMs, progressMs);
  const lastMs = watch.killedAtMs + DEATH_MS;
  if (nowMs < lastMs) return lastMs;
  sendKill(watch.run.sandbox.system, watch.box.initFd);
  return Infinity;
}

function wallDeadlineMs({ run, box, started, pausedMs, pausedSinceMs }: Watch): number {
  const { wallTimeMs } = run.options.limits ?? {};
  if (!wallTimeMs || pausedSinceMs !== undefined) return Infinity;
  return (started?.wallMs ?? box.startedMs) + pausedMs + wallTimeMs;
}

function wallTimeMs({ box, started, pausedMs, pausedSinceMs }: Watch, nowMs: number): number {
  return Math.max(0, (pausedSinceMs ?? nowMs) - (started?.wallMs ?? box.startedMs) - pausedMs);
}

/** Lets others look at a run and steer it. */
function liveRun(watch: Watch): LiveRun {
  const { run: { sandbox, places, command, options, callerLimits, controlGroup }, box } = watch;
  return {
    boxId: places.boxId,
    callerUid: sandbox.caller.uid,
    command,
    limits: options.limits ?? {},
    callerLimits,
    controlGroup,
    sinceMs: Date.now(),
    initFd: box.initFd,
    initPid: box.initPid,
    visit: () => watch.isVisited = true,
    programFd: () => findStart(watch)?.pidFd,
    progress: () =>
      findStart(watch) && {
        cpuTimeMs: Math.max(0, (watch.ended ? undefined : cpuUsedMs(watch)) ?? watch.cpuTimeMs),
        wallTimeMs: wallTimeMs(watch, watch.ended?.wallMs ?? sandbox.system.nowMs()),
        peakMemoryKib: controlGroup?.usage().peakMemoryKib,
      },
    freeze: (frozen) => {
      if (frozen === undefined) return watch.isFrozen;
      const isDone = controlGroup?.freeze(frozen) ?? false;
      if (isDone) watch.isFrozen = frozen;
      return isDone;
    },
    kill: () => kill(watch, "abort"),
    pauseClock: (paused) => {
      pauseClock(watch, { paused, nowMs: sandbox.system.nowMs() });
      watch.nextLookMs = 0;
      // A wait for the old deadline looks again.
      sandbox.waiter.forget(box.initFd, box.socket);
    },
  };
}

/** Its message may have come since the keeper looked last. */
function findStart(watch: Watch): Watch["started"] {
  if (!watch.started) listen(watch);
  return watch.started;
}

/** Pauses the wall clock, or lets it go on; the time between is neither limited nor counted. */
function pauseClock(watch: Watch, { paused, nowMs }: { paused: boolean; nowMs: number }): void {
  if (paused) watch.pausedSinceMs ??= nowMs;
  else if (watch.pausedSinceMs !== undefined) {
    watch.pausedMs += Math.max(0, nowMs - watch.pausedSinceMs);
    watch.pausedSinceMs = undefined;
  }
}

/** Kills a program that has passed a limit; returns the time when the next one can be passed. */
function checkLimits(watch: Watch, nowMs: number): number {
  const { run: { sandbox, options: { limits = {} }, cpuCount }, started } = watch;
  const deadlineMs = wallDeadlineMs(watch);
  if (nowMs > deadlineMs) {
    kill(watch, "wall");
    return Infinity;
  }
  if (!limits.cpuTimeMs || watch.ended) return deadlineMs;
  const budgetMs = Math.max(limits.cpuTimeMs, limits.extraTimeMs ?? 0);
  if (!started) return Math.min(nowMs + Math.max(LOOK_MIN_MS, budgetMs / cpuCount), deadlineMs);
  const usedMs = cpuUsedMs(watch);
  // Gone: its last message is on the way.
  if (usedMs === undefined) return Math.min(nowMs + LOOK_IDLE_MAX_MS, deadlineMs);
  sandbox.log(2, () => `Time check: ${usedMs.toFixed(3)} of ${budgetMs} ms CPU used`);
  const isIdle = usedMs - watch.cpuTimeMs < 0.1;
  watch.pauseMs = isIdle ? Math.min(2 * watch.pauseMs, LOOK_IDLE_MAX_MS) : LOOK_MIN_MS;
  watch.cpuTimeMs = usedMs;
  if (usedMs > budgetMs) {
    kill(watch, "cpu");
    return Infinity;
  }
  const leftMs = (budgetMs - usedMs) / cpuCount;
  return Math.min(nowMs + Math.max(leftMs, watch.pauseMs), deadlineMs);
}

/** Reads the CPU time since execve; undefined if the program is gone or not there yet. */
function cpuUsedMs({ run, box, started }: Watch): number | undefined {
  const { sandbox, options: { limits = {}, controlGroupTiming = true }, controlGroup } = run;
  if (!started) return undefined;
  const cpuTimeMs = controlGroup && controlGroupTiming
    ? controlGroup.cpuTimeMs()
    : readCpuTimeMs(sandbox.system, {
      programPid: started.pid,
      initPid: box.initPid,
      children: limits.processes !== undefined && limits.processes !== 1,
    });
  return cpuTimeMs === undefined ? undefined : cpuTimeMs - started.cpuMs;
}

/** Tells the caller how the run goes if it is time to; returns when it will be time again. */
function tellProgress(watch: Watch, nowMs: number): number {
  const { run: { options, controlGroup }, started, ended, killedFor } = watch;
  const { onProgress, progressEveryMs = PROGRESS_EVERY_MS } = options;
  if (!onProgress || nowMs < watch.nextProgressMs) return watch.nextProgressMs;
  watch.nextProgressMs = nowMs + progressEveryMs;
  const cpuTimeMs = ended || killedFor ? undefined : cpuUsedMs(watch);
  if (!started || cpuTimeMs === undefined) return watch.nextProgressMs;
  const peakMemoryKib = controlGroup?.usage().peakMemoryKib;
  try {
    onProgress({
      ...readRunQueue(watch.run.sandbox.system, watch.box.initPid),
      cpuTimeMs: Math.max(0, cpuTimeMs),
      wallTimeMs: wallTimeMs(watch, nowMs),
      peakMemoryKib,
    });
  } catch (error) {
    watch.thrown = error;
    kill(watch, "progress");
  }
  return watch.nextProgressMs;
}

/** Kills the program, so that init can still report its times; before there is one, the box. */
function kill(watch: Watch, reason: KillReason): void {
  const { sandbox: { system, log } } = watch.run;
  if (watch.killedFor) return;
  listen(watch);
  // It was faster: what became of it is known to the last detail, and nothing is left to be stopped.
  if (reason !== "progress" && watch.ended) return;
  watch.killedFor = reason;
  log(1, () => `Killing the program (${reason})`);
  watch.killedAtMs = system.nowMs();
  sendKill(system, watch.started?.pidFd ?? watch.box.initFd);
}

function sendKill(system: System, pidFd: number): void {
  const plan = new Plan();
  plan.step("pidfd_send_signal", [pidFd, SIGKILL, 0, 0], { ignore: "all" });
  system.run(plan, "kill");
}
