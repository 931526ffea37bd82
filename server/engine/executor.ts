/** What dialects need of an executor, whether it works here or behind a queue. */

import { ExpectedError } from "../../text/errors.ts";
import type { Bytes, Job, JobEvent, JobResult } from "./types.ts";

/** A language that programs can be written in. */
export interface LanguageInfo {
  /** Its id in the table of languages. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  /** What its tool prints of its version, one line; undefined if it cannot be used here. */
  readonly version: string | undefined;
  /** Why it cannot be used here, one sentence; undefined: it can. */
  readonly missing: string | undefined;
  /** Whether programs are compiled. */
  readonly isCompiled: boolean;
}

/** How busy an executor is. */
export interface ExecutorLoad {
  /** Jobs that run. */
  readonly running: number;
  /** Jobs that wait for a box. */
  readonly waiting: number;
  /** How many boxes there can be at once. */
  readonly boxes: number;
}

/** How a job is followed. */
export interface ExecuteOptions {
  /** Cancels the job; its box is killed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told once the job runs or waits: from then on it is only refused if the executor ends. It must
   * not throw, and returns at once.
   */
  readonly onAccepted?: (() => void) | undefined;
  /** Told what happens on the way. It must not throw, and returns at once. */
  readonly onEvent?: ((event: JobEvent) => void) | undefined;
}

/** A program that runs, and its standard input. What is sent when it has ended has no effect. */
export interface Session {
  /** What became of the job. */
  readonly result: Promise<JobResult>;
  /**
   * Writes to standard input.
   *
   * @returns a promise that resolves when there is room for more; nobody has to wait for it, but what
   *   is not read is kept in memory
   */
  write(bytes: Bytes): Promise<void>;
  /** Ends standard input; a second call does nothing. */
  end(): void;
  /** Sends a signal to all processes of the program, if it runs; tells whether it does. */
  signal(signal: number): boolean;
}

/** Executes jobs. */
export interface Executor extends AsyncDisposable {
  /**
   * Compiles and runs a program. Whatever its fate is, the result says it: a cancelled job has a
   * stage that ended so, as has a job that failed here.
   *
   * @throws {BusyError} if too many jobs wait. Rejects with it
   * @throws {JobError} if there is no such language, or the job is wrong otherwise. Rejects with it
   * @throws the reason of the signal, if it is aborted before the job begins. Rejects with it
   */
  execute(job: Job, options?: ExecuteOptions): Promise<JobResult>;
  /**
   * Begins a job with one run, whose standard input comes as the program runs: first
   * {@linkcode JobRun.stdin}, then what is written. Its result rejects as
   * {@linkcode Executor.execute} does.
   */
  open(job: Job, options?: ExecuteOptions): Session;
  /** Lists all languages of the table, those that cannot be used included. */
  languages(): Promise<readonly LanguageInfo[]>;
  /** Tells how busy it is. */
  load(): ExecutorLoad;
  /**
   * Tells why it can take no job at the moment, in a few words. Default: it can once it knows its
   * languages.
   */
  readonly whyNotReady?: (() => string | undefined) | undefined;
  /** Begins no job any more, and returns once those that run have ended; others are refused. */
  close(): Promise<void>;
}

/** A job cannot be executed as it is: its client is to blame. */
export class JobError extends ExpectedError {
  /** Always `"JobError"`. */
  override readonly name = "JobError";
}

/** There are too many jobs, or the executor ends. */
export class BusyError extends ExpectedError {
  /** Always `"BusyError"`. */
  override readonly name = "BusyError";
  /** When it makes sense to try again, in seconds. */
  readonly retryAfterSeconds: number;

  /** Says why, and when to try again. */
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
