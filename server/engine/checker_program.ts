/** Runs the checker of a job, a program of whoever sent it: whatever it does, only its job suffers. */

import { type Box, Capture, type Outcome, outcomeMessage } from "../../mod.ts";
import { TreeWatch } from "../../judge/compile/box_tree.ts";
import type { Compiler } from "../../judge/compile/compile.ts";
import type { Program } from "../../judge/compile/program.ts";
import type { Language } from "../../judge/languages/language_table.ts";
import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import type { Bytes, JobChecker, StageEnding, StageLimits } from "./types.ts";

/** A checker in a language that is there. */
export interface ReadyChecker extends Omit<JobChecker, "language"> {
  readonly language: Language;
}

/** What a checker needs to be compiled. */
export interface CheckerContext {
  readonly box: Box;
  readonly compiler: Compiler;
  readonly compileLimits: StageLimits;
  /** The memory where no limit is named, in KiB. */
  readonly memoryKib: number;
  readonly signal: AbortSignal;
}

/** What is to be checked. */
export interface OutputToCheck {
  /** The box of the job, in which nothing runs. */
  readonly box: Box;
  readonly signal: AbortSignal;
  readonly input: Bytes;
  readonly output: Bytes;
  readonly answer: Bytes | undefined;
}

/** What a checker says; or that it says nothing, and why. */
export type CheckerVerdict =
  | { readonly isAccepted: boolean; readonly difference: string | undefined }
  | { readonly ending: Extract<StageEnding, { kind: "failed" | "cancelled" }> };

const MESSAGE_BYTES = 8192;
const SENTENCE_LENGTH = 300;
const CODE_KIB_MAX = 1 << 20;
const FEEDBACK = "feedback";
/** Where a checker of problem packages leaves what it has to say. */
const FEEDBACK_FILE = `${FEEDBACK}/judgemessage.txt`;

/** What exit statuses mean. */
const ACCEPTED = { validator: [42], testlib: [0] };
const REJECTED = { validator: [43], testlib: [1, 2] };

/** A compiled checker. */
export class CheckerProgram implements Disposable {
  readonly #checker: ReadyChecker;
  readonly #program: Program;
  readonly #memoryKib: number;
  readonly #release: (() => void) | undefined;

  private constructor(
    checker: ReadyChecker,
    { program, memoryKib, release }: {
      program: Program;
      memoryKib: number;
      release: (() => void) | undefined;
    },
  ) {
    this.#checker = checker;
    this.#program = program;
    this.#memoryKib = memoryKib;
    this.#release = release;
  }

  /** Compiles a checker, or tells in a sentence why there is none. */
  static async compile(
    checker: ReadyChecker,
    { box, compiler, compileLimits, memoryKib, signal }: CheckerContext,
  ): Promise<CheckerProgram | string> {
    const { language, files, limits } = checker;
    const loaded = files.map(({ name, content }) => ({ name, bytes: content }));
    const { result, program, release, fault } = await compiler.compile({ loaded }, {
      language,
      entrypoint: typeof language.definition.main === "object" ? files[0]!.name : undefined,
      box,
      limits: {
        timeMs: compileLimits.cpuTimeMs,
        wallTimeMs: compileLimits.wallTimeMs,
        memoryKib: compileLimits.memoryKib ?? memoryKib,
        codeKib: CODE_KIB_MAX,
        processes: compileLimits.processes,
        openFiles: compileLimits.openFiles,
        fileSizeKib: compileLimits.fileSizeKib,
      },
      signal,
    });
    // What clients are told of that is no message of the sandbox.
    if (fault) throw fault;
    if (!program) {
      const said = sentence(result.output);
      return `The checker cannot be compiled: ${result.message}${said === "" ? "" : `: ${said}`}`;
    }
    const ownMemoryKib = limits.memoryKib ?? memoryKib;
    return new CheckerProgram(checker, { program, memoryKib: ownMemoryKib, release });
  }

  /** Judges an output; nothing that the program has left is there any more. */
  async check({ box, signal, input, output, answer }: OutputToCheck): Promise<CheckerVerdict> {
    const { kind } = this.#checker;
    await box.clear({ controlGroup: "if-used" });
    await box.files.write("input", input, { mode: 0o644 });
    await box.files.write("answer", answer ?? new Uint8Array(), { mode: 0o644 });
    await box.files.write("output", output, { mode: 0o644 });
    await box.files.makeDirectory(FEEDBACK);
    const args = kind === "validator"
      ? ["/box/input", "/box/answer", `/box/${FEEDBACK}/`]
      : ["/box/input", "/box/output", "/box/answer"];
    const said = new Capture({ limitBytes: MESSAGE_BYTES, overflow: "discard" });
    await using tree = new TreeWatch(box.files);
    const outcome = await box.run([...this.#command(box), ...args], {
      ...this.#options(box),
      stdin: kind === "validator" && output.length > 0 ? { bytes: output } : "none",
      stdout: "none",
      stderr: said,
      signal: AbortSignal.any([signal, tree.signal]),
    });
    if (signal.aborted) return { ending: { kind: "cancelled" } };
    const isAccepted = this.#verdict(outcome);
    if (isAccepted === undefined) {
      const text = sentence(said.text());
      const more = text === "" ? "" : `: ${text}`;
      const reason = `The checker failed: ${failure(outcome, tree)}${more}`;
      return { ending: { kind: "failed", reason } };
    }
    const message = await feedback(box) || sentence(said.text());
    return { isAccepted, difference: message === "" ? undefined : message };
  }

  [Symbol.dispose](): void {
    this.#release?.();
  }

  #verdict(outcome: Outcome): boolean | undefined {
    if (outcome.kind !== "exit" || outcome.notExecuted) return undefined;
    const { kind } = this.#checker;
    if (ACCEPTED[kind].includes(outcome.exitCode)) return true;
    return REJECTED[kind].includes(outcome.exitCode) ? false : undefined;
  }

  #invocation(box: Box) {
    return this.#program.invocation({
      timeLimitMs: this.#checker.limits.cpuTimeMs,
      memoryKib: this.#memoryKib,
      controlGroup: box.hasControlGroup,
    });
  }

  #command(box: Box): readonly string[] {
    return this.#invocation(box).command;
  }

  #options(box: Box) {
    const { wallTimeMs, openFiles, fileSizeKib } = this.#checker.limits;
    const { command: _, limits, ...others } = this.#invocation(box);
    return { ...others, limits: { ...limits, wallTimeMs, openFiles, fileSizeKib } };
  }
}

function failure(outcome: Outcome, { isTooLarge }: TreeWatch): string {
  if (isTooLarge) return "It wrote too much to files";
  return outcome.kind === "memory-limit" ? "Memory limit exceeded" : outcomeMessage(outcome);
}

/** What it has left for the judge; its file can be anything. */
async function feedback(box: Box): Promise<string> {
  try {
    const bytes = await box.files.read(FEEDBACK_FILE, { limitBytes: MESSAGE_BYTES });
    return sentence(new TextDecoder().decode(bytes));
  } catch {
    return "";
  }
}

function sentence(text: string): string {
  return visibleText(cut(text.trim().replace(/\s+/g, " "), SENTENCE_LENGTH));
}
