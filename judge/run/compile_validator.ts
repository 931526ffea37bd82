/** Compiles the validators of a problem. */

import type { HostFiles } from "../../mod.ts";
import type { Program } from "../compile/program.ts";
import type { Problem, ProgramSource } from "../types.ts";
import { type CompileContext, compileProgram } from "./compile_program.ts";
import type { Validator } from "./validator.ts";

/** A validator, or why it cannot be used; undefined: there is none. */
export type UsableValidator = Validator | string | undefined;

/** What is needed to compile validators. */
export interface ValidatorContext {
  readonly problem: Problem;
  readonly host: HostFiles;
  readonly context: CompileContext;
  /** Tells what is odd. */
  readonly warn: (sentence: string) => void;
}

/** Compiles the output validators. */
export async function compileValidator(given: ValidatorContext): Promise<UsableValidator> {
  const { problem: { validation }, warn } = given;
  if (validation.kind === "default") return undefined;
  const { program, more = [], score: givesScores, passes } = validation;
  const compiled: Validator[] = [];
  for (const source of [program, ...more]) {
    const validator = await compileOne(source, given, {
      title: "The output validator",
      givesScores,
      passes,
      onIgnoredScore: () =>
        warn(
          `The output validator ${source.name} writes score.txt, which does not count: ` +
            "problem.yaml does not say validation: custom score",
        ),
    });
    if (typeof validator === "string") return validator;
    compiled.push(validator);
  }
  const [first, ...others] = compiled;
  return others.length === 0 ? first : { ...first!, more: others };
}

/** Compiles the static validator. */
export async function compileStaticValidator(given: ValidatorContext): Promise<UsableValidator> {
  const { problem: { staticValidator, kind } } = given;
  if (!staticValidator) return undefined;
  return await compileOne(staticValidator, given, {
    title: "The static validator",
    givesScores: kind === "scoring",
  });
}

/** Compiles the grader; gives why it cannot be used if that fails. */
export async function compileGrader(
  { problem: { grader }, context }: Pick<ValidatorContext, "problem" | "context">,
): Promise<Program | string | undefined> {
  if (!grader) return undefined;
  const { program, result } = await compileProgram(grader, context, { kind: "validator" });
  return program ?? `The grader ${grader.name} cannot be used: ${result.message}`;
}

async function compileOne(
  source: ProgramSource,
  { problem: { limits }, host, context }: ValidatorContext,
  kind: Pick<Validator, "title" | "givesScores" | "passes" | "onIgnoredScore">,
): Promise<Validator | string> {
  const { program, result } = await compileProgram(source, context, { kind: "validator" });
  if (program) return { ...kind, program, limits, host };
  return `${kind.title} ${source.name} cannot be used: ${result.message}`;
}
