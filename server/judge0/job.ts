/** From a submission to a job, and from its result to the attributes that clients ask for. */

import type { Bytes, Job, JobFile, JobResult, StageLimits, StageResult } from "../engine/types.ts";
import { type Attributes, decimal } from "./attributes.ts";
import { mainFileName } from "./language_ids.ts";
import { runStatus, STATUS } from "./statuses.ts";

/** Pipes and files of a runtime, besides those of its program. */
const OPEN_FILES = 256;
/** More than Piston's clients are used to. */
const COMPILE_OUTPUT_BYTES = 64 << 10;
const EMPTY: Bytes = new Uint8Array();

/** What became of a submission, by the names of the API. */
export interface Findings {
  readonly status_id: number;
  readonly stdout: Bytes | null;
  readonly stderr: Bytes | null;
  readonly compile_output: Bytes | null;
  readonly message: Bytes | null;
  readonly exit_code: number | null;
  readonly exit_signal: number | null;
  /** Seconds, written as there. */
  readonly time: string | null;
  readonly wall_time: string | null;
  /** Kilobytes. */
  readonly memory: number | null;
}

/** What is known before anything is. */
export const NO_FINDINGS: Findings = {
  status_id: STATUS.inQueue,
  stdout: null,
  stderr: null,
  compile_output: null,
  message: null,
  exit_code: null,
  exit_signal: null,
  time: null,
  wall_time: null,
  memory: null,
};

/** Makes a job of a submission. */
export function jobOf({ id, language, attributes, files, compileLimits }: {
  id: string;
  /** Its id in the table of languages. */
  language: string;
  attributes: Attributes;
  /** The additional files. */
  files: readonly JobFile[];
  /** Those of the executor. */
  compileLimits: StageLimits;
}): Job {
  const { expected_output: expected, compiler_options: options } = attributes;
  const run = {
    args: words(attributes.command_line_arguments),
    stdin: attributes.stdin ?? EMPTY,
    limits: limitsOf(attributes),
    mergeErrors: attributes.redirect_stderr_to_stdout,
    network: attributes.enable_network,
    ...expected !== null && { expectedOutput: expected, comparison: "lines" as const },
  };
  const main = { name: mainFileName(language), content: attributes.source_code ?? EMPTY };
  return {
    id,
    language,
    // The source replaces a file of its name in the archive.
    files: [main, ...files.filter(({ name }) => name !== main.name)],
    compile: {
      args: words(options),
      limits: { ...compileLimits, outputBytes: COMPILE_OUTPUT_BYTES },
    },
    runs: Array.from({ length: attributes.number_of_runs }, () => run),
    stopAtFirstFailure: true,
  };
}

/** Splits at white space; nothing has a meaning to a shell, as there is none. */
function words(text: string | null): string[] {
  return text?.split(/\s+/).filter((word) => word !== "") ?? [];
}

/** All limits hold for all processes together, also where a submission wants them for each. */
function limitsOf(attributes: Attributes): StageLimits {
  const { stack_limit: stackKib } = attributes;
  return {
    cpuTimeMs: Math.max(1, Math.round(attributes.cpu_time_limit * 1000)),
    extraCpuTimeMs: Math.round(attributes.cpu_extra_time * 1000),
    wallTimeMs: Math.round(attributes.wall_time_limit * 1000),
    memoryKib: Math.floor(attributes.memory_limit),
    stackKib: stackKib === 0 ? undefined : stackKib,
    processes: attributes.max_processes_and_or_threads,
    openFiles: OPEN_FILES,
    fileSizeKib: attributes.max_file_size,
    outputBytes: attributes.max_file_size * 1024,
  };
}

/** Tells what became of a submission. */
export function findingsOf({ compile, runs }: JobResult): Findings {
  const compileOutput = compile ? textOrNull(compile.output) : null;
  if (compile && !isGood(compile)) return notCompiled(compile, compileOutput);
  const last = runs.at(-1);
  if (!last) return failed("The server did not run the program");
  const { ending, signal } = last;
  if (ending.kind === "failed" || ending.kind === "cancelled") return failed(last.message);
  const mean = (value: (run: StageResult) => number) =>
    runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
  return {
    status_id: runStatus(last),
    stdout: textOrNull(last.stdout),
    stderr: textOrNull(last.stderr),
    compile_output: compileOutput,
    message: messageOf(last),
    // As a shell tells it: clients find the signal in it.
    exit_code: signal === undefined ? last.exitCode ?? null : 128 + signal,
    exit_signal: signal ?? null,
    time: seconds(mean(({ cpuTimeMs }) => cpuTimeMs)),
    wall_time: seconds(mean(({ wallTimeMs }) => wallTimeMs)),
    memory: Math.round(mean(({ memoryKib }) => memoryKib)),
  };
}

/** Tells of a failure that the submission is not to blame for. */
export function failed(message: string): Findings {
  return {
    ...NO_FINDINGS,
    status_id: STATUS.internalError,
    message: new TextEncoder().encode(message),
  };
}

function notCompiled(compile: StageResult, compileOutput: Bytes | null): Findings {
  const { ending, message } = compile;
  if (ending.kind === "failed" || ending.kind === "cancelled") return failed(message);
  // The reason is in the output where the compiler found it.
  const isFound = ending.kind === "exited" && compileOutput !== null;
  return {
    ...NO_FINDINGS,
    status_id: STATUS.compilationError,
    compile_output: compileOutput,
    message: isFound ? null : textOrNull(new TextEncoder().encode(message)),
  };
}

/** Says what clients look for; the rest in the words of the executor. */
function messageOf({ ending, message }: StageResult): Bytes | null {
  const text = (() => {
    switch (ending.kind) {
      case "exited":
        return ending.exitCode === 0 ? "" : `Exited with error status ${ending.exitCode}`;
      case "signal":
        return `Caught fatal signal ${ending.signal}`;
      case "time-limit":
        return ending.limit === "cpu" ? "Time limit exceeded" : "Time limit exceeded (wall clock)";
      case "memory-limit":
        return "Memory limit exceeded";
      default:
        return message;
    }
  })();
  return textOrNull(new TextEncoder().encode(text));
}

function isGood({ ending }: StageResult): boolean {
  return ending.kind === "exited" && ending.exitCode === 0;
}

/** There, an empty text is none. */
function textOrNull(bytes: Bytes): Bytes | null {
  return bytes.length === 0 ? null : bytes;
}

function seconds(timeMs: number): string {
  return decimal(Math.round(timeMs) / 1000);
}
