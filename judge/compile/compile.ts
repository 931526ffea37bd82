/** Compiles programs in boxes, and keeps the results. */

import { type HostFiles, SandboxError } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { LanguageError, PLACEHOLDER } from "../languages/language_definition.ts";
import type { Language } from "../languages/language_table.ts";
import type { CompileResult, ProgramSource } from "../types.ts";
import { CompileCache, type Kept, sha256 } from "./compile_cache.ts";
import type { Compiled, CompileOptions, CompilerOptions } from "./compile_options.ts";
import { joinBytes } from "../../text/bytes.ts";
import {
  type CompilerRunOptions,
  type CompilerVerdict,
  JudgeFailure,
  runCompiler,
} from "./compile_run.ts";
import {
  type LoadedFile,
  type LoadedSource,
  loadFiles,
  loadIncluded,
  type PreparedSource,
  prepareSource,
} from "./compile_source.ts";
import { cannotLimit, Program, type StepContext, type Words } from "./program.ts";

/** Part of each key: to be changed with anything that makes other programs of the same source. */
const FORMAT = 2;
const PREPARE_LIMITS = { timeMs: 600_000, memoryKib: 4 << 20 };
const VERSION_LIMITS = { timeMs: 30_000, memoryKib: 1 << 20 };

/** For steps that run no code of a contestant: no heap needs a limit. */
const TRUSTED = { memory: "any", processes: 100, processesAlone: 100, fileLocks: true } as const;

/**
 * Compiles programs in boxes and keeps them, each by what it was made from. Calls may overlap, each with
 * a box of its own.
 */
export class Compiler implements AsyncDisposable {
  readonly #host: HostFiles;
  readonly #syscallFlags: number;
  readonly #cache: CompileCache;
  /** The same one, unless prepared languages are to be kept elsewhere. */
  readonly #preparedCache: CompileCache;
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
    this.#cache = new CompileCache(options.host, {
      directory: options.cacheDirectory,
      limitBytes: options.cacheLimitBytes,
    });
    const { preparedDirectory: directory } = options;
    this.#preparedCache = directory === undefined
      ? this.#cache
      : new CompileCache(options.host, { directory });
  }

  /**
   * Compiles a program, or takes it from the cache.
   *
   * @param source the program, on the host or with the content of its files
   * @param options its language, a box, limits
   * @returns the program, or why there is none, whatever fails
   * @throws the reason of the signal if it is aborted. Rejects with it
   */
  async compile(source: ProgramSource | LoadedSource, options: CompileOptions): Promise<Compiled> {
    try {
      return await this.#compile(source, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof LanguageError) return notCompiled(error.message, options.language);
      if (!(error instanceof JudgeFailure || error instanceof SandboxError)) throw error;
      const fault = error instanceof SandboxError ? error : undefined;
      return { ...notCompiled(error.message, options.language), judgeError: true, fault };
    }
  }

  /**
   * Finds out the version of a language, which also proves that its tools work in a box.
   *
   * @param options the language, and a box that nobody else uses meanwhile; its content is lost
   * @returns the first line that its tool prints about it
   * @throws {SandboxError} `bad-option` if the language cannot be used here, with the reason. Rejects with it
   */
  async version(options: Pick<CompileOptions, "language" | "box" | "signal">): Promise<string> {
    const { language, box } = options;
    const reason = whyNot(language, box);
    if (reason !== undefined) throw new SandboxError("bad-option", reason);
    return await asUnusable(once(this.#versions, language, () => this.#version(options)));
  }

  /**
   * Prepares a language, if its table says how, so that the first program need not wait for that.
   *
   * @param options the language, and a box that nobody else uses meanwhile; its content is lost
   * @throws {SandboxError} `bad-option` if the language cannot be used here, with the reason. Rejects with it
   */
  async prepare(options: Pick<CompileOptions, "language" | "box" | "signal">): Promise<void> {
    const { language } = options;
    const version = await this.version(options);
    if (!language.definition.prepare) return;
    await asUnusable(once(this.#prepared, language, () => this.#prepare(options, version)));
  }

  /** Whether anything is kept for longer than this compiler exists. */
  get keepsNotes(): boolean {
    return this.#cache.isLasting;
  }

  /** Finds what was found out before, if this compiler keeps anything for longer than it exists. */
  async recall(key: string): Promise<unknown> {
    return await this.#cache.recall(key);
  }

  /** Keeps what was found out by the key of everything that it depends on. */
  remember(key: string, note: unknown): void {
    this.#cache.remember(key, note);
  }

  /** Removes programs that are not to be kept. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#cache.close();
    if (this.#preparedCache !== this.#cache) this.#preparedCache.close();
    return Promise.resolve();
  }

  async #compile(
    source: ProgramSource | LoadedSource,
    options: CompileOptions,
  ): Promise<Compiled> {
    const { language, box, limits, args = [] } = options;
    const { prepare } = language.definition;
    const own = loadFiles(this.#host, source, limits);
    const included = loadIncluded(this.#host, options.included ?? []);
    const reason = whyNot(language, box);
    if (reason !== undefined) throw new JudgeFailure(reason);
    const prepared = prepareSource(language, own, { included, entrypoint: options.entrypoint });
    const version = await once(this.#versions, language, () => this.#version(options));
    const what = ["program", prepared.words, ...args.length > 0 ? [args] : []];
    const key = await keyOf(language, { version, what, prepared });
    const kept = await this.#cache.find(key);
    if (kept) {
      const result = { ...kept.note as CompileResult, cached: true };
      const program = new Program(language, kept.directory, prepared.words);
      return { result, program, release: kept.release };
    }
    const base = prepare &&
      await once(this.#prepared, language, () => this.#prepare(options, version));
    const verdict = await this.#runCompiler(prepared, { ...options, base });
    const { outcome, ...said } = verdict;
    const { ok } = said;
    const { note } = prepared;
    const result = {
      ...said,
      cached: false,
      language: language.name,
      version,
      ...note !== undefined && { note },
    };
    const stored = ok ? await this.#store(key, { box, note: result }) : undefined;
    await box.clear();
    const program = stored && new Program(language, stored.directory, prepared.words);
    return { result, program, outcome, release: stored?.release };
  }

  async #runCompiler(
    { files, words }: PreparedSource,
    options: CompileOptions & { readonly base: string | undefined },
  ): Promise<CompilerVerdict> {
    const { language, box, base, args = [] } = options;
    const given = language.definition.compile;
    const step = given && { ...given, command: [...given.command, ...args] };
    await putFiles(box, files);
    const verdict: CompilerVerdict = step
      ? await this.#run({ language, step, words, prepared: base }, options)
      : { ok: true, message: "Nothing to compile", output: "", cpuTimeMs: 0, outcome: undefined };
    const missing = verdict.ok ? await missingPart(options, words) : undefined;
    return missing === undefined ? verdict : { ...verdict, ok: false, message: missing };
  }

  /** Reads the first line that names the version, which also proves that the tools work in a box. */
  async #version(
    { language, box, signal }: Pick<CompileOptions, "language" | "box" | "signal">,
  ): Promise<string> {
    const { run, version } = language.definition;
    const step = { ...run, ...TRUSTED, command: version };
    await box.clear();
    const context = { language, step, words: new Map() };
    const { ok, message, output } = await this.#run(context, {
      box,
      signal,
      limits: VERSION_LIMITS,
      trusted: true,
    });
    const line = output.split("\n").map((line) => line.trim()).find((line) => line !== "");
    if (ok && line !== undefined) return line;
    const command = version.map((word) =>
      word.replace(PLACEHOLDER, (text, name) => language.tools.get(name)?.path ?? text)
    );
    throw new JudgeFailure(
      `${language.name} is not available: ${command.join(" ")} fails in a box: ` +
        (ok ? "it prints nothing" : message),
    );
  }

  /** Prepares a language, and gives the directory of the host with the result. */
  async #prepare(
    { language, box, signal }: Pick<CompileOptions, "language" | "box" | "signal">,
    version: string,
  ): Promise<string> {
    const step = language.definition.prepare!;
    const key = await keyOf(language, { version, what: ["prepared"] });
    const cache = this.#preparedCache;
    const kept = await cache.find(key);
    if (kept) return kept.directory;
    await box.clear();
    const context = { language, step, words: new Map() };
    const { ok, message } = await this.#run(context, {
      box,
      signal,
      limits: PREPARE_LIMITS,
      trusted: true,
    });
    if (!ok) throw new JudgeFailure(`Cannot prepare ${language.name}: ${message}`);
    return (await this.#store(key, { box, note: null, cache })).directory;
  }

  #run(context: StepContext, options: Omit<CompilerRunOptions, "syscallFlags">) {
    return runCompiler(context, { ...options, syscallFlags: this.#syscallFlags });
  }

  async #store(
    key: string,
    { cache = this.#cache, ...what }: { box: JudgeBox; note: unknown; cache?: CompileCache },
  ): Promise<Kept> {
    try {
      return await cache.store(key, what);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      // The source can make a program too large; every other failure is ours.
      if (error.kind === "too-large") throw new LanguageError(error.message);
      throw new JudgeFailure(`Cannot keep the compiled program: ${error.message}`);
    }
  }
}

/** Reports that a program was not compiled, and that its source is to blame. */
export function notCompiled(message: string, language: Language | undefined): Compiled {
  const rest = { ok: false, cached: false, output: "", cpuTimeMs: 0 };
  return { result: { ...rest, language: language?.name, message }, program: undefined };
}

/** Turns failures of a language's tools into errors that callers know. */
async function asUnusable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof JudgeFailure)) throw error;
    throw new SandboxError("bad-option", error.message);
  }
}

/** Tells why a language cannot be used in a box, if so. */
export function whyNot(language: Language, box: JudgeBox): string | undefined {
  const { compile, run } = language.definition;
  return language.missing ?? (compile && cannotLimit(language, compile, box)) ??
    cannotLimit(language, run, box);
}

/** Finds what the command that runs the program needs, and the compiler has not made. */
async function missingPart({ box, language }: CompileOptions, words: Words) {
  const { command } = language.definition.run;
  if (command.includes("{class}") && !words.has("class")) {
    return "There is no class with a method `static void main`";
  }
  for (const word of command) {
    const name = /^\/program\/(.+)$/.exec(word)?.[1]
      ?.replace("{program}", String(words.get("program")));
    if (name === undefined || name.includes("{")) continue;
    const at = name.lastIndexOf("/");
    const entries = await box.files.list(at < 0 ? "." : name.slice(0, at)).catch(() => []);
    const entry = entries.find((entry) => entry.name === name.slice(at + 1));
    if (entry?.kind !== "file") return `The compiler made no ${name}`;
  }
  return undefined;
}

async function putFiles(box: JudgeBox, files: readonly LoadedFile[]): Promise<void> {
  await box.clear();
  for (const { name, bytes } of files) {
    const isScript = bytes[0] === 0x23 && bytes[1] === 0x21;
    const mode = isScript || name === "build" || name === "run" ? 0o755 : 0o644;
    await box.files.write(name, bytes, { mode });
  }
}

/** Does the work once for each language, also for overlapping calls; after a failure again. */
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
      // The first caller may have been interrupted, or have lost its box: that fails nobody else.
      if (others === undefined || error instanceof JudgeFailure) throw error;
    }
  }
}

async function keyOf(language: Language, { version, what, prepared }: {
  version: string;
  what: unknown;
  prepared?: PreparedSource;
}): Promise<string> {
  const files = prepared?.files ?? [];
  const sizes = files.map(({ name, bytes }) => [name, bytes.length]);
  const { definition, tools, directories } = language;
  const text = JSON.stringify(
    [FORMAT, definition, [...tools], directories, version, what, sizes],
    (_, value) => value instanceof Map ? [...value] : value,
  );
  // One digest of everything: each has its price, however little there is.
  const pieces = [new TextEncoder().encode(text), ...files.map(({ bytes }) => bytes)];
  return await sha256(joinBytes(pieces, pieces.reduce((sum, { length }) => sum + length, 0)));
}
