/** From a source to a program that can be run: its language, and the compiler. */

import type { Compiled, Compiler, Program } from "../compile/compile.ts";
import { LanguageError } from "../languages/language_definition.ts";
import type { Language, LanguageTable } from "../languages/languages.ts";
import type { Workers } from "./workers.ts";
import type { CompileResult, ProblemLimits, ProgramSource, Verdict } from "../types.ts";

/** What is needed to compile. */
export interface Workshop {
  /** Where. */
  readonly workers: Workers;
  /** The compiler. */
  readonly compiler: Compiler;
  /** The languages. */
  readonly languages: LanguageTable;
  /** What the compiler may use. */
  readonly limits: ProblemLimits;
  /** Breaks it off. */
  readonly signal: AbortSignal;
}

/** What came of a source. */
export type Prepared =
  | { readonly program: Program; readonly compile: CompileResult }
  /** There is no program, and that is the verdict. */
  | { readonly program: undefined; readonly verdict: Verdict; readonly compile: CompileResult };

/**
 * Compiles a program. What the source does wrong is a compile error, also that nobody knows its
 * language; what is missing on this machine or fails in the judge is an error of the judge.
 */
export async function prepareProgram(
  source: ProgramSource,
  workshop: Workshop,
  options: { kind: "submission" | "validator"; language?: string | undefined },
): Promise<Prepared> {
  let language: Language | undefined;
  const failed = (verdict: Verdict, message: string): Prepared => ({
    program: undefined,
    verdict,
    compile: {
      ok: false,
      cached: false,
      language: language?.name,
      message,
      output: "",
      cpuTimeMs: 0,
    },
  });
  try {
    language = workshop.languages.recognise(source, options);
  } catch (error) {
    return failed(error instanceof LanguageError ? "CE" : "JE", reasonOf(error));
  }
  if (language.missing !== undefined) return failed("JE", language.missing);
  try {
    return resultOf(await compile(source, language, workshop));
  } catch (error) {
    return failed("JE", `The judge has failed: ${reasonOf(error)}`);
  }
}

function compile(
  source: ProgramSource,
  language: Language,
  { workers, compiler, limits, signal }: Workshop,
): Promise<Compiled> {
  const { compileTimeMs: timeMs, compileMemoryKib: memoryKib, codeKib } = limits;
  return workers.use(async ({ box, cpus }) => {
    await box.clear();
    const compiled = await compiler.compile(source, {
      language,
      box,
      limits: { timeMs, memoryKib, codeKib },
      signal,
      ...cpus?.[0] !== undefined && { cpu: cpus[0] },
    });
    // What a compiler has read counts as memory of the group for as long as the kernel keeps it.
    if (!compiled.result.cached) await box.clear({ controlGroup: true });
    return compiled;
  });
}

function resultOf({ result, program, judgeError }: Compiled): Prepared {
  if (program) return { program, compile: result };
  return { program: undefined, verdict: judgeError ? "JE" : "CE", compile: result };
}

/** Why something has failed. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
