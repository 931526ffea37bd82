/** Searches for a test on which two submissions differ, by inputs that a generator writes. */

import { Compiler } from "../compile/compile.ts";
import type { Program } from "../compile/program.ts";
import { FALLBACK_LIMIT_MS } from "../grading/time_limit.ts";
import { type CompileContext, compileProgram } from "../run/compile_program.ts";
import { compileValidator, type UsableValidator } from "../run/compile_validator.ts";
import type { InputValidator } from "../run/input_validator.ts";
import type { TestContext } from "../run/test_run.ts";
import { Workers } from "../run/workers.ts";
import type { ProgramSource, Submission } from "../types.ts";
import { StressError } from "./errors.ts";
import { shrinkInput } from "./shrink.ts";
import { type StressPrograms, StressTries, type TriedInput } from "./tries.ts";
import type { StressFinding, StressOptions, StressReport } from "./types.ts";

/** The submission that is right may be a slow one. */
const REFERENCE_FACTOR = 10;
const SHRINK_TRIES_MAX = 2000;

/**
 * Searches for a test on which a submission is not accepted, while another one is right. Each try gives
 * the generator another seed. An input that was found is made smaller as long as the input validators
 * accept it and the submission gets the same verdict.
 *
 * @param options what to search for, and how
 * @returns the test, if there is one
 * @throws {StressError} if a program cannot be compiled, or an input is not right
 * @throws {SandboxError} if there are no boxes
 *
 * @example
 * ```ts
 * import { callerEnvironment, sharedSandbox } from "@isolate/isolate";
 * import { HostFiles, loadLanguages, readPackage, readSubmission, stress } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const sandbox = await sharedSandbox();
 * const host = new HostFiles(sandbox);
 * const directory = host.makeTemporaryDirectory();
 * host.makeDirectory(`${directory}/tests`);
 * host.write(`${directory}/task.yaml`, "title: Absolute value\nlimits: {time: 1s}\n");
 * host.write(`${directory}/tests/1.in`, "3\n");
 * host.write(`${directory}/tests/1.ans`, "3\n");
 * host.write(`${directory}/right.sh`, "read n; echo ${n#-}\n");
 * host.write(`${directory}/wrong.sh`, "read n; echo $n\n");
 * host.write(`${directory}/generate.sh`, "echo $((3 - $1))\n");
 * const [against, wrong, generator] = ["right.sh", "wrong.sh", "generate.sh"]
 *   .map((name) => readSubmission(host, `${directory}/${name}`));
 *
 * const { finding } = await stress({
 *   sandbox,
 *   host,
 *   problem: await readPackage(host, directory),
 *   languages: await loadLanguages(host, { environment: await callerEnvironment() }),
 *   generator: { source: generator!.source, args: ["{seed}"] },
 *   against: against!,
 *   submissions: [wrong!],
 *   seeds: { first: 1, count: 10 },
 *   jobs: 1,
 *   boxIds: { first: 970, count: 20 },
 * });
 * host.removeTree(directory);
 * assertEquals([finding?.seed, finding?.result.verdict], [4, "WA"]);
 * ```
 */
export async function stress(options: StressOptions): Promise<StressReport> {
  const { sandbox, host, cacheDirectory, seeds, signal } = options;
  const startMs = performance.now();
  const warnings: string[] = [];
  let finding: StressFinding | undefined;
  let tries: StressTries | undefined;
  try {
    await using workers = await Workers.open(options);
    await using compiler = new Compiler({ sandbox, host, cacheDirectory });
    using folder = host.temporaryDirectory("isolate-stress-");
    const programs = await compileAll(options, { workers, compiler, warnings });
    warnings.push(...workers.warnings);
    const directory = host.realPath(folder.path);
    tries = new StressTries(options, { programs, workers, directory });
    const found = await tries.search(seeds);
    if (found) finding = await shrinkFinding(options, { found, tries, warnings });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return {
    finding,
    tries: tries?.done ?? 0,
    warnings: [...new Set(warnings)],
    interrupted: signal?.aborted ?? false,
    durationMs: performance.now() - startMs,
  };
}

async function shrinkFinding(
  { problem, onEvent, signal, shrinkTriesMax = SHRINK_TRIES_MAX }: StressOptions,
  { found, tries, warnings }: { found: TriedInput; tries: StressTries; warnings: string[] },
): Promise<StressFinding> {
  const { finding } = found;
  const generatedBytes = finding.input.length;
  let best: StressFinding = { ...finding, generatedBytes };
  const hasValidators = (problem.checks?.inputValidators ?? []).length > 0;
  const text = textOf(finding.input);
  if (!hasValidators || text === undefined) {
    warnings.push(
      hasValidators
        ? "The input is not made smaller: it is no UTF-8"
        : "The input is not made smaller: the package has no input validators, which tell what is right",
    );
    return best;
  }
  onEvent?.({ kind: "shrink", seed: finding.seed, sizeBytes: generatedBytes });
  await shrinkInput(text, {
    triesMax: shrinkTriesMax,
    signal,
    isAsBad: async (smaller) => {
      const input = new TextEncoder().encode(smaller);
      const one = await tries.tryAgain(input, finding.seed);
      const isSame = one?.submission === finding.submission &&
        one.result.verdict === finding.result.verdict;
      if (isSame) best = { ...one, generatedBytes };
      return isSame;
    },
  });
  return best;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Compiles everything that is needed. */
async function compileAll(
  options: StressOptions,
  { workers, compiler, warnings }: {
    workers: Workers;
    compiler: Compiler;
    warnings: string[];
  },
): Promise<StressPrograms> {
  const { problem, host, languages, pypy, sandbox } = options;
  const { limits, included, languages: allowed } = problem;
  const signal = options.signal ?? new AbortController().signal;
  const compile = { workers, compiler, languages, limits, included, allowed, signal, pypy };
  const warn = (sentence: string) => void warnings.push(sentence);
  const validator: UsableValidator = await compileValidator({
    problem,
    host,
    context: compile,
    warn,
  });
  if (typeof validator === "string") throw new StressError(validator);
  const inputValidators: InputValidator[] = [];
  for (const source of problem.checks?.inputValidators ?? []) {
    const program = await compileHelper(source, compile, "The input validator");
    inputValidators.push({ source, program });
  }
  const timeLimitMs = options.timeLimitMs ?? limits.timeLimitMs ?? FALLBACK_LIMIT_MS;
  const contextOf = (program: Program, factor = 1): TestContext => ({
    sandbox,
    host,
    problem,
    program,
    validator,
    timeLimitMs: timeLimitMs * factor,
    killTimeMs: timeLimitMs * factor,
    transcriptBytes: 0,
  });
  const submissions: StressPrograms["submissions"][number][] = [];
  for (const one of options.submissions) {
    const program = await compileSubmission(one, compile);
    submissions.push({ name: one.name, context: contextOf(program) });
  }
  const reference = await compileSubmission(options.against, compile);
  return {
    generator: await compileHelper(options.generator.source, compile, "The generator"),
    inputValidators,
    against: { name: options.against.name, context: contextOf(reference, REFERENCE_FACTOR) },
    submissions,
    signal,
  };
}

async function compileHelper(
  source: ProgramSource,
  context: CompileContext,
  title: string,
): Promise<Program> {
  const { program, result } = await compileProgram(source, context, { kind: "validator" });
  context.signal.throwIfAborted();
  if (program) return program;
  throw new StressError(`${title} ${source.name} cannot be used: ${result.message}`);
}

async function compileSubmission(
  { name, source, language, entrypoint }: Submission,
  context: CompileContext,
): Promise<Program> {
  const options = { kind: "submission", language, entrypoint } as const;
  const { program, result } = await compileProgram(source, context, options);
  context.signal.throwIfAborted();
  if (program) return program;
  throw new StressError(`${name} could not be compiled: ${result.message}`);
}
