/** Compiles the programs of a judge: finds their language, and a worker for the compiler. */

import { type Compiler, notCompiled } from "../compile/compile.ts";
import type { Compiled } from "../compile/compile_options.ts";
import { LanguageError } from "../languages/language_definition.ts";
import type { Language, LanguageTable } from "../languages/language_table.ts";
import type { Problem, ProblemLimits, ProgramSource, SourceFile } from "../types.ts";
import type { Workers } from "./workers.ts";

/** What all programs of a judge are compiled with. */
export interface CompileContext {
  readonly workers: Workers;
  readonly compiler: Compiler;
  readonly languages: LanguageTable;
  readonly limits: ProblemLimits;
  /** Files that submissions are compiled with. */
  readonly included?: Problem["included"];
  /** The languages that submissions may have, by code; undefined: all. */
  readonly allowed?: readonly string[] | undefined;
  /** Whether submissions in Python 3 are run by PyPy. */
  readonly pypy?: boolean | undefined;
  /** Interrupts the compiler. */
  readonly signal: AbortSignal;
}

/**
 * Compiles a program. Mistakes in the source are a compile error, and so is an unknown language. What is
 * missing on this machine or fails in the judge is an error of the judge; nothing is thrown.
 */
export async function compileProgram(
  source: ProgramSource,
  context: CompileContext,
  options: {
    kind: "submission" | "validator";
    language?: string | undefined;
    /** The main file or class; undefined: found by names. */
    entrypoint?: string | undefined;
  },
): Promise<Compiled> {
  let language: Language | undefined;
  const failed = (message: string): Compiled => ({
    ...notCompiled(message, language),
    judgeError: true,
  });
  try {
    language = context.languages.recognise(source, options);
    const { allowed, languages } = context;
    const recognised = language;
    if (options.kind === "submission") language = runBy(language, context);
    const isAllowed = options.kind !== "submission" || !allowed ||
      allowed.map((code) => languages.findByCode(code)).some((one) =>
        one === language || one === recognised
      );
    if (!isAllowed) {
      const message = `${language.name} is not allowed: the problem takes ${allowed.join(", ")}`;
      return notCompiled(message, language);
    }
    if (language.missing !== undefined) return failed(language.missing);
    const included = options.kind === "submission" ? filesFor(language, context) : [];
    const { entrypoint } = options;
    return await compile({ source, included, language, entrypoint }, context);
  } catch (error) {
    if (!language && error instanceof LanguageError) return notCompiled(error.message, language);
    return failed(`The judge failed: ${reasonOf(error)}`);
  }
}

/** Takes PyPy for Python 3 where that is asked for, or where the problem takes no other one. */
function runBy(language: Language, { languages, allowed, pypy }: CompileContext): Language {
  if (language.id !== "python3") return language;
  const ids = allowed?.map((code) => languages.findByCode(code)?.id) ?? [];
  const isWanted = pypy || ids.includes("pypy3") && !ids.includes("python3");
  return isWanted ? languages.find("pypy3") ?? language : language;
}

/** Finds the files that a submission of this language is compiled with: for all languages, then for it. */
function filesFor(
  language: Language,
  { included = {}, languages }: CompileContext,
): readonly SourceFile[] {
  const own = Object.entries(included)
    .filter(([code]) => code !== "default" && isFor(language, languages.findByCode(code)))
    .flatMap(([, files]) => files);
  return [...included["default"] ?? [], ...own];
}

/** What is for Python 3 is for PyPy, too. */
function isFor({ id }: Language, other: Language | undefined): boolean {
  return other?.id === id || id === "pypy3" && other?.id === "python3";
}

function compile(
  { source, included, language, entrypoint }: {
    source: ProgramSource;
    included: readonly SourceFile[];
    language: Language;
    entrypoint: string | undefined;
  },
  { workers, compiler, limits, signal }: CompileContext,
): Promise<Compiled> {
  const { compileTimeMs: timeMs, compileMemoryKib: memoryKib, codeKib } = limits;
  return workers.use(async ({ box, cpus }) => {
    await box.clear();
    const { value: compiled } = await workers.disturbance.beside(() =>
      compiler.compile(source, {
        language,
        included,
        entrypoint,
        box,
        limits: { timeMs, memoryKib, codeKib },
        signal,
        ...cpus?.[0] !== undefined && { cpu: cpus[0] },
      })
    );
    // What a compiler has read counts as memory of the group for as long as the kernel keeps it.
    if (!compiled.result.cached) await box.clear({ controlGroup: true });
    return compiled;
  });
}

/** Tells why something has failed. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
