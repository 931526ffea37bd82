/** Compiles programs in boxes, and keeps what comes of it. */

import { type Box, type HostFiles, type Sandbox, SandboxError } from "../../mod.ts";
import { CompileCache, sha256 } from "./compile_cache.ts";
import { type CompilerRunOptions, compilerVerdict, runCompiler } from "./compile_run.ts";
import {
  type LoadedFile,
  loadFiles,
  type PreparedSource,
  prepareSource,
} from "./compile_source.ts";
import {
  LanguageError,
  PLACEHOLDER,
  type StepDefinition,
} from "../languages/language_definition.ts";
import type { Language } from "../languages/languages.ts";
import { cannotLimit, Program, type StepContext, type Words } from "./program.ts";
import type { CompileResult, ProgramSource } from "../types.ts";

export { Program } from "./program.ts";

/** What a compiler may use. */
export interface CompileLimits {
  /** CPU time in milliseconds; wall time is twice as much and five seconds. */
  readonly timeMs: number;
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Size of all sources in KiB. */
  readonly codeKib: number;
}

/** How a program is compiled. */
export interface CompileOptions {
  /** Its language. */
  readonly language: Language;
  /** Where: a box that nobody else uses meanwhile; what is in it is lost. */
  readonly box: Box;
  /** The CPU on which the compiler runs; undefined: any. */
  readonly cpu?: number | undefined;
  /** What the compiler may use. */
  readonly limits: CompileLimits;
  /** Breaks it off. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of compiling. */
export interface Compiled {
  /** For people and reports. */
  readonly result: CompileResult;
  /** The program; undefined if there is none. */
  readonly program: Program | undefined;
  /** There is none, and it is not the fault of who wrote it. */
  readonly judgeError?: true;
}

/** Where compilers work and programs are kept. */
export interface CompilerOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The files of the host. */
  readonly host: HostFiles;
  /** Where programs are kept; undefined: only as long as this compiler exists. */
  readonly cacheDirectory?: string | undefined;
}

/** Part of each key, to be changed with anything that makes other programs of the same source. */
const FORMAT = 1;
const PREPARE_LIMITS = { timeMs: 600_000, memoryKib: 4 << 20 };
const VERSION_LIMITS = { timeMs: 30_000, memoryKib: 1 << 20 };

/** It is not the contestant's fault. */
class JudgeFailure extends Error {}

/**
 * Compiles programs in boxes and keeps them by what they were made from. It can be used by many at
 * once, each with a box of its own. See {@linkcode Program} for an example.
 */
export class Compiler {
  readonly #host: HostFiles;
  readonly #syscallFlags: number;
  readonly #cache: CompileCache;
  readonly #versions = new Map<Language, Promise<string>>();
  readonly #prepared = new Map<Language, Promise<string>>();

  /**
   * Makes a compiler; nothing is touched before it is used.
   *
   * @param options where it works
   */
  constructor(options: CompilerOptions) {
    this.#host = options.host;
    this.#syscallFlags = options.sandbox.settings.syscallFlags;
    this.#cache = new CompileCache(options.host, { directory: options.cacheDirectory });
  }

  /**
   * Compiles a program, unless that was done before.
   *
   * @param source the program
   * @param options its language, a box, limits
   * @returns the program, or why there is none: whatever goes wrong is said there
   * @throws the reason of the signal, if it is aborted. Rejects with it
   */
  async compile(source: ProgramSource, options: CompileOptions): Promise<Compiled> {
    const { language, signal } = options;
    const failed = (message: string) => ({
      ok: false,
      cached: false,
      language: language.name,
      message,
      output: "",
      cpuTimeMs: 0,
    });
    try {
      return await this.#compile(source, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof LanguageError) {
        return { result: failed(error.message), program: undefined };
      }
      if (error instanceof JudgeFailure || error instanceof SandboxError) {
        return { result: failed(error.message), program: undefined, judgeError: true };
      }
      throw error;
    }
  }

  /** Removes what is not to be kept. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#cache.close();
    return Promise.resolve();
  }

  async #compile(source: ProgramSource, options: CompileOptions): Promise<Compiled> {
    const { language, box, limits } = options;
    const { definition } = language;
    const files = loadFiles(this.#host, source, limits);
    const reason = language.missing ??
      [definition.compile, definition.run].map((step) =>
        step && cannotLimit(language, step, box.hasControlGroup)
      ).find((reason) => reason !== undefined);
    if (reason !== undefined) throw new JudgeFailure(reason);
    const prepared = prepareSource(language, files);
    const version = await once(this.#versions, language, () => this.#version(options));
    const key = await keyOf(language, { version, what: ["program", prepared.words], prepared });
    const common = { language: language.name, version };
    const kept = await this.#cache.find(key);
    if (kept !== undefined) {
      const result = { ...kept.note as CompileResult, cached: true };
      return { result, program: new Program(language, kept.directory, prepared.words) };
    }
    const base = definition.prepare &&
      await once(this.#prepared, language, () => this.#prepare(options, version));
    const { ok, message, output, cpuTimeMs } = await this.#runStep(definition.compile, {
      options,
      prepared,
      base,
    });
    const result: CompileResult = { ok, cached: false, ...common, message, output, cpuTimeMs };
    if (!ok) {
      await box.clear();
      return { result, program: undefined };
    }
    const { directory } = await this.#store(key, { box, note: result });
    await box.clear();
    return { result, program: new Program(language, directory, prepared.words) };
  }

  async #runStep(step: StepDefinition | undefined, { options, prepared, base }: {
    options: CompileOptions;
    prepared: PreparedSource;
    base: string | undefined;
  }) {
    const { box, language } = options;
    await putFiles(box, prepared.files);
    const nothing = { ok: true, message: "Nothing to compile", output: "", cpuTimeMs: 0 };
    const context = step && { language, step, words: prepared.words, prepared: base };
    const ran = context && await this.#run(context, options);
    const verdict = ran === undefined ? nothing : compilerVerdict(ran, options.limits);
    return verdict.ok
      ? { ...verdict, ...await this.#missingPart(options, prepared.words) }
      : verdict;
  }

  /** What the command that runs the program needs, and the compiler has not made. */
  async #missingPart({ box, language: { definition } }: CompileOptions, words: Words) {
    const wanted = definition.run.command;
    if (wanted.includes("{class}") && !words.has("class")) {
      return { ok: false, message: "There is no class with a method `static void main`" };
    }
    const program = words.get("program");
    for (const word of wanted) {
      const name = /^\/program\/(.+)$/.exec(word)?.[1]?.replace("{program}", String(program));
      if (name === undefined || name.includes("{")) continue;
      const at = name.lastIndexOf("/");
      const entries = await box.files.list(at < 0 ? "." : name.slice(0, at)).catch(() => []);
      const entry = entries.find((entry) => entry.name === name.slice(at + 1));
      if (entry?.kind !== "file") return { ok: false, message: `The compiler made no ${name}` };
    }
    return {};
  }

  /** The first line that names the version: also a proof that the tools can be used in a box. */
  async #version(options: CompileOptions): Promise<string> {
    const { language, box } = options;
    const { definition } = language;
    const step = { ...definition.run, ...BY_US, command: definition.version };
    await box.clear();
    const context = { language, step, words: new Map() };
    const ran = await this.#run(context, { ...options, limits: VERSION_LIMITS, trusted: true });
    const { ok, message } = compilerVerdict(ran, VERSION_LIMITS);
    const line = ran.output.split("\n").map((line) => line.trim()).find((line) => line !== "");
    if (ok && line !== undefined) return line;
    const command = definition.version.map((word) =>
      word.replace(PLACEHOLDER, (text, name) => language.tools.get(name)?.path ?? text)
    );
    const why = ok ? "it says nothing" : message;
    throw new JudgeFailure(
      `${language.name} cannot be used here: ${command.join(" ")} fails in a box: ${why}`,
    );
  }

  /** Gives the folder of the host with what was prepared. */
  async #prepare(options: CompileOptions, version: string): Promise<string> {
    const { language, box } = options;
    const step = language.definition.prepare!;
    const key = await keyOf(language, { version, what: ["prepared"] });
    const kept = await this.#cache.find(key);
    if (kept !== undefined) return kept.directory;
    await box.clear();
    const context = { language, step, words: new Map() };
    const ran = await this.#run(context, { ...options, limits: PREPARE_LIMITS, trusted: true });
    const { ok, message } = compilerVerdict(ran, PREPARE_LIMITS);
    if (!ok) throw new JudgeFailure(`Cannot prepare ${language.name}: ${message}`);
    const { directory } = await this.#store(key, { box, note: null });
    return directory;
  }

  #run(context: StepContext, options: Omit<CompilerRunOptions, "syscallFlags">) {
    return runCompiler(context, { ...options, syscallFlags: this.#syscallFlags });
  }

  async #store(key: string, what: { box: Box; note: unknown }) {
    try {
      return await this.#cache.store(key, what);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      // What is too large is the doing of the source, everything else is ours.
      if (error.kind === "too-large") throw new LanguageError(error.message);
      throw new JudgeFailure(`Cannot keep the compiled program: ${error.message}`);
    }
  }
}

/** Nobody else's code is run: there is no heap to be limited. */
const BY_US = { memory: "any", processes: 100, processesAlone: 100, fileLocks: true } as const;

async function putFiles(box: Box, files: readonly LoadedFile[]): Promise<void> {
  await box.clear();
  for (const { name, bytes } of files) {
    const isScript = bytes[0] === 0x23 && bytes[1] === 0x21;
    const mode = isScript || name === "build" || name === "run" ? 0o755 : 0o644;
    await box.files.write(name, bytes, { mode });
  }
}

/** Works once for each language, also for those who ask meanwhile; after a failure again. */
async function once(
  known: Map<Language, Promise<string>>,
  language: Language,
  work: () => Promise<string>,
): Promise<string> {
  for (;;) {
    const others = known.get(language);
    const promise = others ?? work();
    known.set(language, promise);
    try {
      return await promise;
    } catch (error) {
      if (known.get(language) === promise) known.delete(language);
      // Who was first may have been broken off, or have lost its box: that is nobody else's failure.
      if (others === undefined || error instanceof JudgeFailure) throw error;
    }
  }
}

async function keyOf(language: Language, { version, what, prepared }: {
  version: string;
  what: unknown;
  prepared?: PreparedSource;
}): Promise<string> {
  const files: [string, string][] = [];
  for (const { name, bytes } of prepared?.files ?? []) files.push([name, await sha256(bytes)]);
  const { definition, tools, directories } = language;
  const text = JSON.stringify(
    [FORMAT, definition, [...tools], directories, version, what, files],
    (_, value) => value instanceof Map ? [...value] : value,
  );
  return await sha256(new TextEncoder().encode(text));
}
