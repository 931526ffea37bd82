/** One run of a compiler in a box, and what is said of it. */

import { type Box, Capture, type Outcome, SIGNALS, SYSCALL_FLAGS } from "../../mod.ts";
import { PROGRAM_BYTES_MAX, treeIsTooLarge } from "./box_tree.ts";
import { invocationOf, type StepContext } from "./program.ts";

/** How a compiler is run. */
export interface CompilerRunOptions {
  /** Where. */
  readonly box: Box;
  /** The CPU on which it runs; undefined: any. */
  readonly cpu?: number | undefined;
  /** CPU time in milliseconds and memory in KiB. */
  readonly limits: { readonly timeMs: number; readonly memoryKib: number };
  /** Whether only our own code is run: then memory is limited only where that is exact. */
  readonly trusted?: boolean;
  /** The configured system call filter. */
  readonly syscallFlags: number;
  /** Breaks it off. */
  readonly signal?: AbortSignal | undefined;
}

/** What a compiler did. */
export interface CompilerRun {
  /** What became of it. */
  readonly outcome: Outcome;
  /** The beginning of what it wrote. */
  readonly output: string;
  /** It was killed for what it had written to files, all of them together. */
  readonly filledDisk: boolean;
}

const OUTPUT_BYTES = 64 << 10;
const WALL_TIME_MORE_MS = 5000;
const LOOK_EVERY_MS = 500;
const MESSAGE_LENGTH = 300;

/** Runs a compiler in a box; everything of it is dead when this returns. */
export async function runCompiler(
  context: StepContext,
  options: CompilerRunOptions,
): Promise<CompilerRun> {
  const { box, cpu, limits: { timeMs, memoryKib }, syscallFlags, signal } = options;
  const controlGroup = box.hasControlGroup;
  const invocation = invocationOf(context, { timeLimitMs: timeMs, memoryKib, controlGroup });
  const { command, limits, ...others } = invocation;
  const output = new Capture({ limitBytes: OUTPUT_BYTES, overflow: "discard" });
  const tooLarge = new AbortController();
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(async () => {
      if (await treeIsTooLarge(box.files)) tooLarge.abort();
    });
  }, LOOK_EVERY_MS);
  try {
    const outcome = await box.run(command, {
      ...others,
      limits: {
        ...limits,
        ...options.trusted ? { addressSpaceKib: undefined } : {},
        wallTimeMs: wallTimeMs(timeMs),
      },
      stdin: "none",
      stdout: output,
      stderr: "stdout",
      syscallFlags: context.step.fileLocks ? syscallFlags & ~SYSCALL_FLAGS.fileLocks : syscallFlags,
      ...cpu === undefined ? {} : { cpus: [cpu] },
      signal: AbortSignal.any([tooLarge.signal, ...signal ? [signal] : []]),
    });
    signal?.throwIfAborted();
    const filledDisk = outcome.kind === "interrupted" && tooLarge.signal.aborted;
    return { outcome, output: output.text(), filledDisk };
  } finally {
    clearInterval(timer);
    await looking;
  }
}

/** What is said of a compiler's run. */
export interface CompilerVerdict {
  /** Whether it succeeded. */
  readonly ok: boolean;
  /** One sentence for people. */
  readonly message: string;
  /** The beginning of what it wrote. */
  readonly output: string;
  /** Its CPU time in milliseconds. */
  readonly cpuTimeMs: number;
}

/** Says what is to be said of a compiler's run. */
export function compilerVerdict(
  run: CompilerRun,
  limits: { readonly timeMs: number; readonly memoryKib: number },
): CompilerVerdict {
  const { outcome, output } = run;
  const ok = !run.filledDisk && outcome.kind === "exit" && outcome.exitCode === 0;
  const message = ok
    ? "Compiled"
    : run.filledDisk
    ? `The compiler wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`
    : failureMessage(outcome, output, limits);
  return { ok, message, output, cpuTimeMs: outcome.usage.cpuTimeMs };
}

function failureMessage(
  outcome: Outcome,
  output: string,
  limits: { readonly timeMs: number; readonly memoryKib: number },
): string {
  const seconds = `${limits.timeMs / 1000} s`;
  switch (outcome.kind) {
    case "time-limit":
      return outcome.limit === "cpu"
        ? `The compiler took more than ${seconds} of CPU time`
        : `The compiler took more than ${wallTimeMs(limits.timeMs) / 1000} s`;
    case "memory-limit":
      return `The compiler needed more than ${limits.memoryKib >> 10} MiB of memory`;
    case "signal":
      if (outcome.signal === SIGNALS.SIGXFSZ) return "The compiler wrote too large a file";
      return `The compiler was killed by signal ${outcome.signal}`;
    case "exit": {
      const line = tellingLine(output);
      return line ?? `The compiler failed with exit status ${outcome.exitCode}`;
    }
    default:
      return "The compiler was interrupted";
  }
}

/** A machine with much to do must not make an error of a good program. */
function wallTimeMs(cpuTimeMs: number): number {
  return 2 * cpuTimeMs + WALL_TIME_MORE_MS;
}

/** The first line that says what is wrong, of what a compiler wrote. */
function tellingLine(output: string): string | undefined {
  const lines = output.split("\n").map((line) =>
    // deno-lint-ignore no-control-regex
    line.replace(/\u001b\[[0-9;]*m/g, "").replace(/\p{Cc}/gu, " ").trim()
  ).filter((line) => line !== "");
  const line = lines.find((line) => /error|undefined reference/i.test(line)) ?? lines[0];
  if (line === undefined || line.length <= MESSAGE_LENGTH) return line;
  return `${line.slice(0, MESSAGE_LENGTH).toWellFormed()}…`;
}
