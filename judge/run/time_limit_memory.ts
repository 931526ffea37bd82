/**
 * Keeps time limits that were found by accepted submissions, as long as nothing changes on which they
 * depend: judging one submission need not run all of those again.
 */

import type { HostFiles } from "../../mod.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { TimeLimit } from "../grading/time_limit.ts";
import type { Problem, ProgramSource, Submission } from "../types.ts";
import { type CompileContext, compileProgram } from "./compile_program.ts";
import { testsDigest, testsIn } from "./tests_digest.ts";

const FORMAT = 1;
/** What says only where files are. */
const PLACES = ["directory", "inputFile", "answerFile", "hostFile"];

/** What a time limit follows from. */
export interface TimeLimitOrigin {
  readonly problem: Problem;
  readonly host: HostFiles;
  readonly context: CompileContext;
  /** The submissions that show how much time is needed. */
  readonly references: readonly Submission[];
}

/** Names everything that a time limit depends on; undefined if it cannot be kept. */
export async function timeLimitKey(origin: TimeLimitOrigin): Promise<string | undefined> {
  const { problem, host, context, references } = origin;
  const tests = await testsDigest(host, testsIn(problem.data));
  if (!tests) return undefined;
  const programs: unknown[] = [];
  const add = async (source: ProgramSource, kind: "submission" | "validator", of?: Submission) => {
    const { language, entrypoint } = of ?? {};
    const { program } = await compileProgram(source, context, { kind, language, entrypoint });
    // Its folder is named after everything that it was made from, also the version of the compiler.
    programs.push([of?.name, program?.directory.split("/").slice(-2)]);
  };
  for (const submission of references) await add(submission.source, "submission", submission);
  const { validation, staticValidator, limits, kind, forbidsWriting } = problem;
  if (validation.kind === "custom") await add(validation.program, "validator");
  for (const source of validation.kind === "custom" ? validation.more ?? [] : []) {
    await add(source, "validator");
  }
  if (staticValidator) await add(staticValidator, "validator");
  const known = [FORMAT, "time limit", limits, kind, forbidsWriting, problem.data, tests, programs];
  const text = JSON.stringify(known, (key, value) => PLACES.includes(key) ? undefined : value);
  return await sha256(new TextEncoder().encode(text));
}

/** Finds a time limit that is known. */
export async function recallTimeLimit(
  { compiler }: CompileContext,
  key: string | undefined,
): Promise<TimeLimit | undefined> {
  if (key === undefined) return undefined;
  const note = await compiler.recall(key);
  if (typeof note !== "object" || note === null) return undefined;
  const { timeLimitMs, source } = note as Partial<TimeLimit>;
  if (typeof timeLimitMs !== "number" || typeof source !== "string") return undefined;
  return { timeLimitMs, source: `${source}, as measured before` };
}

/** Keeps a time limit; without a key it depends on too much. */
export function rememberTimeLimit(
  { compiler, signal }: CompileContext,
  key: string | undefined,
  { timeLimitMs, source }: TimeLimit,
): void {
  if (key !== undefined && !signal.aborted) compiler.remember(key, { timeLimitMs, source });
}
