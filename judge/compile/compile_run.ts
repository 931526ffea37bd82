/** Runs a compiler in a box, and says how it ended. */

import { Capture, type Limits, type Outcome, SIGNALS, SYSCALL_FLAGS } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { cut, sizeText, timeText } from "../../text/quantities.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "./box_tree.ts";
import type { CompileLimits, CompilerStreams } from "./compile_options.ts";
import { invocationOf, type StepContext } from "./program.ts";

/** Compiling failed for a reason that is not in the source. */
export class JudgeFailure extends Error {}

/** What a compiler may use, with defaults. */
export type CompilerLimits = Omit<CompileLimits, "codeKib">;

/** How a compiler is run. */
export interface CompilerRunOptions {
  readonly box: JudgeBox;
  /** The CPU on which it runs; undefined: any. */
  readonly cpu?: number | undefined;
  readonly limits: CompilerLimits;
  /** Whether no code of a contestant is run: memory is then limited only where that is exact. */
  readonly trusted?: boolean;
  /** Where its output goes; default: the beginning is kept, both streams together. */
  readonly streams?: CompilerStreams | undefined;
  /** The configured system call filter. */
  readonly syscallFlags: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a compiler ended. */
export interface CompilerVerdict {
  readonly ok: boolean;
  /** One sentence for people. */
  readonly message: string;
  /** The beginning of what it wrote. */
  readonly output: string;
  readonly cpuTimeMs: number;
  /** Undefined if none was run. */
  readonly outcome: Outcome | undefined;
}

const OUTPUT_BYTES = 64 << 10;
const WALL_TIME_MORE_MS = 5000;
const MESSAGE_LENGTH = 300;

/** Runs a compiler in a box; all of its processes are dead when this returns. */
export async function runCompiler(
  context: StepContext,
  options: CompilerRunOptions,
): Promise<CompilerVerdict> {
  const { box, cpu, limits: { timeMs, memoryKib }, streams, syscallFlags, signal } = options;
  const controlGroup = box.hasControlGroup;
  const invocation = invocationOf(context, { timeLimitMs: timeMs, memoryKib, controlGroup });
  const { command, limits, ...others } = invocation;
  const output = new Capture({ limitBytes: OUTPUT_BYTES, overflow: "discard" });
  await using tree = new TreeWatch(box.files);
  const outcome = await box.run(command, {
    ...others,
    limits: {
      ...limits,
      ...options.trusted ? { addressSpaceKib: undefined } : {},
      ...given(options.limits),
      wallTimeMs: wallTimeMs(options.limits),
    },
    stdin: "none",
    ...streams ?? { stdout: output, stderr: "stdout" },
    syscallFlags: context.step.fileLocks ? syscallFlags & ~SYSCALL_FLAGS.fileLocks : syscallFlags,
    ...cpu === undefined ? {} : { cpus: [cpu] },
    signal: AbortSignal.any([tree.signal, ...signal ? [signal] : []]),
  });
  signal?.throwIfAborted();
  const text = streams ? streams.stderr.text() + streams.stdout.text() : output.text();
  const isTooLarge = outcome.kind === "interrupted" && tree.isTooLarge;
  const hint = [...context.language.definition.hints].find(([said]) => text.includes(said))?.[1];
  const failure = isTooLarge
    ? `The compiler wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`
    : failureMessage(outcome, text, options.limits);
  return {
    ok: failure === undefined,
    message: failure === undefined ? "Compiled" : hint ?? failure,
    output: text,
    cpuTimeMs: outcome.usage.cpuTimeMs,
    outcome,
  };
}

/** Limits that are set in place of those of the table. */
function given({ processes, openFiles, fileSizeKib }: CompilerLimits): Limits {
  return {
    ...processes !== undefined && { processes },
    ...openFiles !== undefined && { openFiles },
    ...fileSizeKib !== undefined && { fileSizeKib },
  };
}

/** No limit explains it: somebody outside has killed it, such as the host when memory ran out. */
const KILLED = "The compiler was killed by SIGKILL, which no limit explains";
/** What the driver of GCC says when one of its programs was killed. */
const PART_KILLED = /^\S*: fatal error: Killed signal terminated program/m;

function failureMessage(
  outcome: Outcome,
  output: string,
  limits: CompilerLimits,
): string | undefined {
  switch (outcome.kind) {
    case "time-limit":
      return outcome.limit === "cpu"
        ? `The compiler took more than ${timeText(limits.timeMs)} of CPU time`
        : `The compiler took more than ${timeText(wallTimeMs(limits))}`;
    case "memory-limit":
      return `The compiler needed more than ${sizeText(limits.memoryKib)} of memory`;
    case "signal":
      if (outcome.signal === SIGNALS.SIGKILL) throw new JudgeFailure(KILLED);
      if (outcome.signal === SIGNALS.SIGXFSZ) return "The compiler wrote too large a file";
      return `The compiler was killed by signal ${outcome.signal}`;
    case "exit":
      if (outcome.exitCode === 0) return undefined;
      if (PART_KILLED.test(output)) throw new JudgeFailure(KILLED);
      return errorLine(output) ?? `The compiler failed with exit status ${outcome.exitCode}`;
    default:
      return "The compiler was interrupted";
  }
}

/** Allows for a busy machine, which must not fail a good program. */
function wallTimeMs(limits: CompilerLimits): number {
  return limits.wallTimeMs ?? 2 * limits.timeMs + WALL_TIME_MORE_MS;
}

/** Finds the first line that says what is wrong. */
function errorLine(output: string): string | undefined {
  const lines = output.split("\n").map((line) =>
    // deno-lint-ignore no-control-regex
    line.replace(/\u001b\[[0-9;]*m/g, "").replace(/\p{Cc}/gu, " ").trim()
  ).filter((line) => line !== "");
  const line = lines.find((line) => /error|undefined reference/i.test(line)) ?? lines[0];
  return line && cut(line, MESSAGE_LENGTH);
}
