/** What became of a program: a value, never an error. */

import type { Crash } from "./crash.ts";

/** What a run used, as far as the kernel knows. */
export interface Usage {
  /**
   * CPU time in milliseconds: of all processes with a control group, otherwise of the program and of
   * those of its children that have been waited for.
   */
  cpuTimeMs: number;
  /** Wall clock time in milliseconds, from execve to the end of the program. */
  wallTimeMs: number;
  /** Peak memory of the largest process in KiB. */
  maxRssKib: number;
  /** Context switches because the program waited. */
  voluntaryContextSwitches: number;
  /** Context switches because the time slice was over. */
  forcedContextSwitches: number;
  /** What all processes of the run used together, in a box with a control group. */
  controlGroup?: ControlGroupUse | undefined;
}

/** What all processes of a run in a control group used together. */
export interface ControlGroupUse {
  /**
   * Peak memory in KiB, including files in memory; with cgroup v2 before Linux 6.12 that of all runs
   * since the box was made. Undefined where the kernel does not report it (v2 before Linux 5.19).
   */
  peakMemoryKib: number | undefined;
  /** How many processes the kernel killed because the group was out of memory. */
  oomKills: number;
}

/** Why a program could not be executed; see execve(2). */
export interface NotExecuted {
  /** The error number, positive. */
  readonly errno: number;
  /** Its name, such as `ENOENT`. */
  readonly code: string;
}

/** How a program ended by itself. */
export type Ending =
  /**
   * It exited. With `notExecuted` it was never executed, and a line on its standard error says so: the exit
   * status is then 127, which programs can have, too.
   */
  | { how: "exit"; exitCode: number; notExecuted?: NotExecuted }
  /** A signal ended it; `crash` has more of that if it was asked for and the signal was not SIGKILL. */
  | { how: "signal"; signal: number; crash?: Crash };

/** What became of a program. */
export type Outcome =
  /** It ended by itself within its limits; see {@linkcode Ending}. */
  | { kind: "exit"; exitCode: number; notExecuted?: NotExecuted; usage: Usage }
  /** A signal that did not come from the sandbox ended it. */
  | { kind: "signal"; signal: number; crash?: Crash; usage: Usage }
  /** It passed a time limit; `ending` tells how it ended if that was before it was killed. */
  | {
    kind: "time-limit";
    limit: "cpu" | "wall";
    killed: boolean;
    ending: Ending | undefined;
    usage: Usage;
  }
  /**
   * The kernel killed one of its processes because its control group was out of memory; `ending` is
   * that of the main process, which may have survived.
   */
  | { kind: "memory-limit"; ending: Ending; usage: Usage }
  /** It wrote more to a stream than the stream keeps; the output up to there is kept. */
  | { kind: "output-limit"; stream: "stdout" | "stderr"; usage: Usage }
  /** Aborted by the caller; `signal` is the one that interrupted the command. */
  | { kind: "interrupted"; signal: number | undefined; usage: Usage };

/** Says which stream has passed its limit. */
export const OUTPUT_LIMIT_MESSAGES = {
  stdout: "Output limit exceeded (standard output)",
  stderr: "Output limit exceeded (standard error)",
} as const;

/** Says which time limit was passed. */
export const TIME_LIMIT_MESSAGES = {
  cpu: "Time limit exceeded",
  wall: "Time limit exceeded (wall clock)",
} as const;

/**
 * Describes an outcome in one line for people.
 *
 * @param outcome what became of the program
 * @returns the message of the classic command; for a success, `OK (… sec real, … sec wall)`
 *
 * @example
 * ```ts
 * import { outcomeMessage } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const usage = {
 *   cpuTimeMs: 1,
 *   wallTimeMs: 2,
 *   maxRssKib: 1000,
 *   voluntaryContextSwitches: 0,
 *   forcedContextSwitches: 0,
 * };
 * assertEquals(outcomeMessage({ kind: "exit", exitCode: 0, usage }), "OK (0.001 sec real, 0.002 sec wall)");
 * ```
 */
export function outcomeMessage(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exit":
    case "signal":
    case "memory-limit":
      return endingMessage(endingOf(outcome), outcome.usage);
    case "time-limit":
      return TIME_LIMIT_MESSAGES[outcome.limit];
    case "output-limit":
      return OUTPUT_LIMIT_MESSAGES[outcome.stream];
    case "interrupted":
      return "Interrupted";
  }
}

/** Finds how a program ended that nobody killed. */
export function endingOf(
  outcome: Extract<Outcome, { kind: "exit" | "signal" | "memory-limit" }>,
): Ending {
  if (outcome.kind === "memory-limit") return outcome.ending;
  return outcome.kind === "exit"
    ? {
      how: "exit",
      exitCode: outcome.exitCode,
      ...outcome.notExecuted && { notExecuted: outcome.notExecuted },
    }
    : { how: "signal", signal: outcome.signal, ...outcome.crash && { crash: outcome.crash } };
}

/** Finds what is known of the crash of a program, whatever the verdict is. */
export function crashOf(outcome: Outcome): { signal: number; crash: Crash } | undefined {
  const ending = outcome.kind === "signal" || outcome.kind === "exit"
    ? endingOf(outcome)
    : "ending" in outcome
    ? outcome.ending
    : undefined;
  if (ending?.how !== "signal" || !ending.crash) return undefined;
  return { signal: ending.signal, crash: ending.crash };
}

/** Makes the outcome of a program that stayed within its limits. */
export function endedByItself(ending: Ending, usage: Usage): Outcome {
  return ending.how === "signal"
    ? { kind: "signal", signal: ending.signal, ...ending.crash && { crash: ending.crash }, usage }
    : {
      kind: "exit",
      exitCode: ending.exitCode,
      ...ending.notExecuted && { notExecuted: ending.notExecuted },
      usage,
    };
}

function endingMessage(ending: Ending, { cpuTimeMs, wallTimeMs }: Usage): string {
  if (ending.how === "signal") return `Caught fatal signal ${ending.signal}`;
  return ending.exitCode === 0
    ? `OK (${seconds(cpuTimeMs)} sec real, ${seconds(wallTimeMs)} sec wall)`
    : `Exited with error status ${ending.exitCode}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
