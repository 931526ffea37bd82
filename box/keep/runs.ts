/** The runs of a process that others may look at and steer, and how the last one in each box ended. */

import type { ControlGroupRun } from "../../cgroup/types.ts";
import type { Outcome } from "../outcome/outcome.ts";
import type { Progress } from "../run_options.ts";
import type { CallerLimits, Limits } from "../setup/limits.ts";

/** A run that goes on. */
export interface LiveRun {
  readonly boxId: number;
  /** For whom it runs. */
  readonly callerUid: number;
  readonly command: readonly string[];
  readonly limits: Limits;
  readonly callerLimits: CallerLimits;
  readonly controlGroup: ControlGroupRun | undefined;
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** The descriptor of the box's init. */
  readonly initFd: number;
  readonly initPid: number;
  /** Says that others are in the box now, besides the program: the run ends when they have. */
  readonly visit: () => void;
  /** The descriptor of the program; undefined until it starts. It is open until this run has ended. */
  readonly programFd: () => number | undefined;
  /** What was used so far; undefined until the program starts. */
  readonly progress: () => Progress | undefined;
  /**
   * Stops everything by the control group, or lets it go on; false if that cannot be done. `undefined` only
   * asks whether it is stopped so.
   */
  readonly freeze: (frozen?: boolean) => boolean;
  /** Ends the run, as a caller who interrupts it does. */
  readonly kill: () => void;
  /** Stops the wall clock of the run, or lets it go on; it does not count towards limit or usage. */
  readonly pauseClock: (paused: boolean) => void;
}

/** A run that has ended. */
export interface LastRun {
  readonly callerUid: number;
  readonly command: readonly string[];
  /** When it ended, in milliseconds since 1970. */
  readonly endedMs: number;
  /** Undefined: the sandbox failed. */
  readonly outcome: Outcome | undefined;
}

/** Knows all runs of a process. */
export class Runs {
  readonly #live = new Map<number, LiveRun>();
  readonly #last = new Map<number, LastRun>();
  #waiting = 0;
  readonly #onEnd: (outcome: Outcome | undefined) => void;

  /** Calls back whenever a run has ended. */
  constructor(onEnd: (outcome: Outcome | undefined) => void) {
    this.#onEnd = onEnd;
  }

  /** Takes a run in; the function that is returned ends it. */
  begin(run: LiveRun): (outcome: Outcome | undefined) => void {
    const { boxId, callerUid } = run;
    const command = brief(run.command);
    this.#live.set(boxId, { ...run, command });
    this.#last.delete(boxId);
    return (outcome) => {
      this.#live.delete(boxId);
      this.#last.set(boxId, { callerUid, command: copy(command), endedMs: Date.now(), outcome });
      this.#onEnd(outcome);
    };
  }

  /** How many wait for a box that is in use. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Counts somebody as waiting until the work is done. */
  async countWaiting<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
    }
  }

  /** Forgets what ran in a box that is no more. */
  forget(boxId: number): void {
    this.#last.delete(boxId);
  }

  /** Finds what runs in a box. */
  live(boxId: number): LiveRun | undefined {
    return this.#live.get(boxId);
  }

  /** Finds what ran last in a box, if nothing runs now. */
  last(boxId: number): LastRun | undefined {
    return this.#last.get(boxId);
  }
}

/** Of a command line so many characters are shown; a caller's may have millions. */
const COMMAND_LENGTH_MAX = 4096;

function brief(command: readonly string[]): string[] {
  const kept: string[] = [];
  let left = COMMAND_LENGTH_MAX;
  for (const argument of command) {
    if (left <= 0) return [...kept, "…"];
    kept.push(argument.length > left ? `${argument.slice(0, left)}…` : argument);
    left -= argument.length + 1;
  }
  return kept;
}

/** Copies strings that may be parts of one, which they would keep in memory, with all that was typed. */
function copy(command: readonly string[]): string[] {
  return JSON.parse(JSON.stringify(command));
}
