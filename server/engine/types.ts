/**
 * What the dialects hand to an executor, and what they get back. All of it is plain data, which
 * `server/engine/codec.ts` writes as JSON for a queue: no object here has keys that a client chooses.
 */

/** Bytes of a file or a stream. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A file of a program. */
export interface JobFile {
  /** Its path in the program's folder: relative, without `.`, `..` and empty parts. */
  readonly name: string;
  readonly content: Bytes;
}

/** What a stage, a compiler or a program, may use. */
export interface StageLimits {
  /** CPU time of all its processes in milliseconds. */
  readonly cpuTimeMs: number;
  /** How much more CPU time it gets before it is killed; its verdict stays. Default: 0. */
  readonly extraCpuTimeMs?: number | undefined;
  /** Wall clock time in milliseconds. */
  readonly wallTimeMs: number;
  /** Memory of all its processes together in KiB; undefined: as much as the executor allows. */
  readonly memoryKib?: number | undefined;
  /** Stack of each process in KiB; undefined: only memory limits it. Programs only. */
  readonly stackKib?: number | undefined;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Open files of each process. */
  readonly openFiles: number;
  /** Size of each file that it writes in KiB. */
  readonly fileSizeKib: number;
  /** Output on each of its streams in bytes; beyond that it is killed. */
  readonly outputBytes: number;
}

/** How the program is compiled; what is not compiled ignores it. */
export interface JobCompile {
  /** More arguments of the compiler. Default: none. */
  readonly args?: readonly string[] | undefined;
  readonly limits: StageLimits;
}

/** How an output is compared with what is expected. */
export type Comparison =
  /** Word by word, white space does not matter: as the default validator of problem packages. */
  | "words"
  /** Line by line, without white space at the ends of lines and of the output. */
  | "lines"
  /** Byte by byte. */
  | "exact";

/** One run of the program. */
export interface JobRun {
  readonly args: readonly string[];
  readonly stdin: Bytes;
  readonly limits: StageLimits;
  /** Variables besides those of the language: names and values. */
  readonly environment?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Files that lie in the working directory besides those of the program. Default: none. */
  readonly files?: readonly JobFile[] | undefined;
  /** Whether standard error goes where standard output goes. Default: false. */
  readonly mergeErrors?: boolean | undefined;
  /** Whether it may use the host's network; refused unless the executor allows it. Default: false. */
  readonly network?: boolean | undefined;
  /** Standard output as it should be; undefined: it is not judged, unless by a checker. */
  readonly expectedOutput?: Bytes | undefined;
  /** Default: `"words"`. A checker takes its place. */
  readonly comparison?: Comparison | undefined;
}

/**
 * A program that judges outputs. It runs in the box of the job, when nothing is left of the program
 * whose output it judges.
 */
export interface JobChecker {
  /** The id of its language. */
  readonly language: string;
  /** Its files; the first one is the main one. */
  readonly files: readonly JobFile[];
  /**
   * How it is called, and what it says. `validator`: `checker INPUT ANSWER FEEDBACK/ < OUTPUT`, which
   * exits with 42 (accepted) or 43, as in problem packages. `testlib`: `checker INPUT OUTPUT ANSWER`,
   * which exits with 0 (accepted), 1 or 2.
   */
  readonly kind: "validator" | "testlib";
  readonly limits: StageLimits;
}

/** A program, and how often it is run. */
export interface Job {
  /** Unique; the queue knows the job by it. */
  readonly id: string;
  /** The id of the language in the table of languages, as {@linkcode Executor.languages} lists it. */
  readonly language: string;
  /** The files; the first one is the main one, and gets the ending of the language if it has none. */
  readonly files: readonly JobFile[];
  /** Undefined: {@linkcode JobCompile.limits} are those of the executor. */
  readonly compile?: JobCompile | undefined;
  /** Judges all runs; undefined: their outputs are compared. */
  readonly checker?: JobChecker | undefined;
  /** The runs, one after the other. */
  readonly runs: readonly JobRun[];
  /** Whether the first run that fails or is not accepted is the last one. Default: false. */
  readonly stopAtFirstFailure?: boolean | undefined;
  /** Jobs of a lower number come first. Default: 0. */
  readonly priority?: number | undefined;
}

/** How a stage ended. */
export type StageEnding =
  /** It exited by itself. */
  | { readonly kind: "exited"; readonly exitCode: number }
  /** A signal that the executor did not send ended it. */
  | { readonly kind: "signal"; readonly signal: number }
  | { readonly kind: "time-limit"; readonly limit: "cpu" | "wall" }
  | { readonly kind: "memory-limit" }
  | { readonly kind: "output-limit"; readonly stream: OutputStream }
  /** The kernel could not execute it; `code` is the name of the error, such as `ENOEXEC`. */
  | { readonly kind: "not-executed"; readonly code: string }
  /** The executor failed, or lacks something; the program is not to blame. One sentence says why. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Whoever wanted the job does not want it any more. */
  | { readonly kind: "cancelled" };

/** The stream that a program wrote to. */
export type OutputStream = "stdout" | "stderr";

/** What became of a stage. */
export interface StageResult {
  readonly ending: StageEnding;
  /** One sentence for people; empty if it exited with 0. */
  readonly message: string;
  /** The exit status of its main process; undefined if that did not exit. */
  readonly exitCode?: number | undefined;
  /** The signal that ended its main process, SIGKILL if the executor did; undefined if none did. */
  readonly signal?: number | undefined;
  readonly stdout: Bytes;
  readonly stderr: Bytes;
  /** Both, in order of arrival. */
  readonly output: Bytes;
  /** Whether more was written to standard output than is kept. */
  readonly isStdoutTruncated: boolean;
  readonly isStderrTruncated: boolean;
  readonly cpuTimeMs: number;
  readonly wallTimeMs: number;
  /** Peak memory in KiB. */
  readonly memoryKib: number;
  /** Whether the output is as expected; undefined if nothing was expected, or it ended otherwise. */
  readonly isAccepted?: boolean | undefined;
  /** How the output differs, or what the checker says of it, one sentence. */
  readonly difference?: string | undefined;
}

/** What became of a job. */
export interface JobResult {
  /** What the language's tool prints of its version, one line; empty if that is not known. */
  readonly version: string;
  /** Undefined: nothing was compiled. */
  readonly compile?: StageResult | undefined;
  /** Whether the compiler's result was known from an earlier job. */
  readonly isCached: boolean;
  /** The runs that took place, in order; none if compiling failed. */
  readonly runs: readonly StageResult[];
}

/** Which stage an event is about; `run` is the index of a run. */
export interface StagePlace {
  readonly stage: "compile" | "run";
  /** Undefined while compiling. */
  readonly run?: number | undefined;
}

/** What happens on the way, in order. */
export type JobEvent =
  & StagePlace
  & (
    | { readonly kind: "begin" }
    /** What was written; never more than the limit of the stage. */
    | { readonly kind: "output"; readonly stream: OutputStream; readonly bytes: Bytes }
    | { readonly kind: "end"; readonly result: StageResult }
  );
