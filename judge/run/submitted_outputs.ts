/** Submissions that are outputs instead of a program, in problems of the type submit-answer. */

import type { Compiled } from "../compile/compile_options.ts";
import type { ProgramSource, SourceFile } from "../types.ts";

const ENDING = /\.(out|ans)$/;

/** The outputs of a submission by the tests that they are for. */
export type SubmittedOutputs = ReadonlyMap<string, SourceFile>;

/** What a submission of outputs comes to: there is nothing to compile. */
export interface Submitted {
  readonly outputs: SubmittedOutputs;
  readonly compiled: Compiled;
}

/**
 * Finds the outputs of a submission: `secret/1.out`, or `1.out` where only one test is called that; of
 * samples and secret tests with the same name it is the secret one. A single file is for the only test.
 * Undefined: it is a program.
 */
export function submittedOutputs(
  { files }: ProgramSource,
  tests: readonly string[],
): Submitted | undefined {
  if (!files.every(({ name }) => ENDING.test(name))) return undefined;
  const outputs = new Map<string, SourceFile>();
  const unused: string[] = [];
  for (const file of files) {
    const test = testOf(file.name.replace(ENDING, ""), tests) ??
      (files.length === 1 && tests.length === 1 ? tests[0] : undefined);
    if (test === undefined || outputs.has(test)) unused.push(file.name);
    else outputs.set(test, file);
  }
  const note = unused.length === 0
    ? undefined
    : `${unused.slice(0, 3).join(", ")}${unused.length > 3 ? ", …" : ""}: for no test; an output ` +
      "is called like its test, such as secret/1.out";
  return {
    outputs,
    compiled: {
      program: undefined,
      result: {
        ok: true,
        cached: false,
        language: "Outputs",
        message: "Nothing to compile",
        ...note !== undefined && { note },
        output: "",
        cpuTimeMs: 0,
      },
    },
  };
}

function testOf(name: string, tests: readonly string[]): string | undefined {
  const found = tests.filter((test) => test === name || test.endsWith(`/${name}`));
  if (found.includes(name)) return name;
  const secret = found.filter((test) => !test.startsWith("sample/"));
  const [only, ...others] = secret.length > 0 ? secret : found;
  return others.length === 0 ? only : undefined;
}
