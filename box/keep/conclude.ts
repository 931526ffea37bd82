/** The outcome of a run that is over, from what the keeper knows of it. */

import { SIGKILL } from "../../ffi/linux.ts";
import type { SystemError } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Crash } from "../outcome/crash.ts";
import { endedByItself, type Outcome, type Usage } from "../outcome/outcome.ts";
import type { Run } from "../run_options.ts";
import type { StartedBox } from "../setup/spawn.ts";
import type { StreamEnd } from "../streams/run_streams.ts";
import type { Report } from "./reports.ts";

/** Why the keeper killed a program. */
export type KillReason = "cpu" | "wall" | "abort" | "stream" | "progress";

/** What the keeper knows of a run. */
export interface RunFacts {
  readonly run: Run;
  readonly box: StartedBox;
  started: Extract<Report, { kind: "started" }> | undefined;
  ended: Extract<Report, { kind: "ended" }> | undefined;
  /** What it died of, if that was asked for. */
  crash: Crash | undefined;
  /** The step of the box that failed. */
  failed: SystemError | undefined;
  /** CPU time at the last look, in milliseconds. */
  cpuTimeMs: number;
  /** For how long the wall clock was paused. */
  pausedMs: number;
  killedFor: KillReason | undefined;
  thrown: unknown;
}

/**
 * Decides what became of a run. The first reason to kill the program is the verdict. If it did not
 * have to be killed, it passed a time limit, or wrote too much, or ran out of memory, or else ended by
 * itself.
 */
export function conclude(facts: RunFacts, { streamEnd, nowMs }: {
  /** Why a stream had to end the run, if one did. */
  readonly streamEnd: StreamEnd | undefined;
  /** When the box was dead, in milliseconds of CLOCK_MONOTONIC. */
  readonly nowMs: number;
}): Outcome {
  const { run, started, ended, killedFor } = facts;
  const { limits = {}, signal } = run.options;
  if (facts.failed) throw facts.failed;
  if (killedFor === "progress") throw facts.thrown;
  if (streamEnd?.kind === "error") throw streamEnd.error;
  const usage = usageOf(facts, nowMs);
  if (killedFor === "abort") return interrupted(signal?.reason, usage);
  if (streamEnd && killedFor === "stream") {
    return { kind: "output-limit", stream: streamEnd.stream, usage };
  }
  const isOutOfMemory = usage.controlGroup !== undefined && usage.controlGroup.oomKills > 0;
  // With very little memory the program's process does not get as far as the program.
  if (!started && !killedFor && !(ended && isOutOfMemory)) {
    throw new SandboxError(
      "internal",
      "The box ended before the program was started: its init process was killed, or could not " +
        "read its plan",
    );
  }
  const wasKilled = ended?.ending.how === "signal" && ended.ending.signal === SIGKILL;
  const killed = killedFor !== undefined && (!ended || wasKilled);
  const ending = killed ? undefined : ended?.ending;
  const overCpu = killedFor === "cpu" || isOver(usage.cpuTimeMs, limits.cpuTimeMs);
  if (overCpu || killedFor === "wall" || isOver(usage.wallTimeMs, limits.wallTimeMs)) {
    return { kind: "time-limit", limit: overCpu ? "cpu" : "wall", killed, ending, usage };
  }
  if (streamEnd) return { kind: "output-limit", stream: streamEnd.stream, usage };
  if (!ending) {
    throw new SandboxError("internal", "The init process of the box was killed by somebody else");
  }
  if (isOutOfMemory) return { kind: "memory-limit", ending, usage };
  return endedByItself(ending, usage);
}

function interrupted(reason: unknown, usage: Usage): Outcome {
  if (reason instanceof SandboxError) throw reason;
  return { kind: "interrupted", signal: typeof reason === "number" ? reason : undefined, usage };
}

function isOver(valueMs: number, limitMs: number | undefined): boolean {
  return limitMs !== undefined && limitMs > 0 && valueMs > limitMs;
}

function usageOf(facts: RunFacts, nowMs: number): Usage {
  const { run: { options, controlGroup }, box, started, ended } = facts;
  const group = controlGroup?.usage();
  const cpuMs = group && (options.controlGroupTiming ?? true) ? group.cpuTimeMs : ended?.cpuMs;
  return {
    // What was used before execve was the sandbox's own.
    cpuTimeMs: cpuMs === undefined ? facts.cpuTimeMs : Math.max(0, cpuMs - (started?.cpuMs ?? 0)),
    wallTimeMs: Math.max(
      0,
      (ended?.wallMs ?? nowMs) - (started?.wallMs ?? box.startedMs) - facts.pausedMs,
    ),
    maxRssKib: ended?.maxRssKib ?? 0,
    voluntaryContextSwitches: ended?.voluntaryContextSwitches ?? 0,
    forcedContextSwitches: ended?.forcedContextSwitches ?? 0,
    controlGroup: group && { peakMemoryKib: group.peakMemoryKib, oomKills: group.oomKills },
  };
}
