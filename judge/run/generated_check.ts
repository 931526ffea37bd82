/** Checks whether the tests of a package are what its generators write. */

import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { Program } from "../compile/program.ts";
import type { GeneratedTest, ProgramSource } from "../types.ts";
import { compileProgram } from "./compile_program.ts";
import type { DataCheckContext } from "./data_check_work.ts";
import { generateInput } from "./generate_input.ts";
import { testsIn } from "./tests_digest.ts";
import type { Worker } from "./workers.ts";

const INPUT_BYTES = 64 << 20;
const NAMED_MAX = 5;
const COMMAND_LENGTH = 100;
const FORMAT = 1;

/** Says which tests are not up to date, a sentence each. */
export async function checkGenerated(
  context: DataCheckContext,
  generated: readonly GeneratedTest[],
): Promise<string[]> {
  const check = new GeneratedCheck(context);
  const { workers, signal } = context.compile;
  const found: (string | undefined)[] = [];
  // Generators are compiled before workers are taken: that needs one itself.
  for (const { from } of generated) if (from.kind === "command") await check.compile(from.program);
  let next = 0;
  await Promise.all(Array.from({ length: workers.count }, () =>
    workers.use(async (worker) => {
      for (let at; !signal.aborted && (at = next++) < generated.length;) {
        found[at] = await check.check(worker, generated[at]!);
      }
    })));
  if (signal.aborted) return [];
  const wrong = [...check.failures, ...found.filter((sentence) => sentence !== undefined)];
  const left = context.problem.whole ? [] : unlisted(context, generated);
  return [...summed(wrong), ...left];
}

class GeneratedCheck {
  /** Why generators cannot be used. */
  readonly failures: string[] = [];
  readonly #context: DataCheckContext;
  readonly #files: ReadonlyMap<string, string>;
  readonly #programs = new Map<ProgramSource, Program | undefined>();

  constructor(context: DataCheckContext) {
    const { data, checks } = context.problem;
    this.#context = context;
    const others = [
      ...checks?.invalidInputs ?? [],
      ...checks?.outputs.map(({ test }) => test) ?? [],
    ];
    const tests = [...testsIn(data).map(({ test }) => test), ...others];
    this.#files = new Map(tests.map(({ name, inputFile }) => [name, inputFile]));
  }

  async compile(source: ProgramSource): Promise<void> {
    if (this.#programs.has(source)) return;
    const { program, result } = await compileProgram(source, this.#context.compile, {
      kind: "validator",
    });
    this.#programs.set(source, program);
    if (program) return;
    this.failures.push(`The generator ${source.name} cannot be used: ${result.message}`);
  }

  /** Looks at one test; undefined: it is as it should be. */
  async check(worker: Worker, { name, from }: GeneratedTest): Promise<string | undefined> {
    const { host, problem, compile: { compiler, signal } } = this.#context;
    const { limits } = problem;
    const file = this.#files.get(name);
    if (file === undefined) {
      return problem.whole ? undefined : `${name}.in is missing, but generators.yaml lists it`;
    }
    if (from.kind === "given") return undefined;
    if ((host.status(file)?.sizeBytes ?? Infinity) > INPUT_BYTES) return undefined;
    const is = await sha256(host.readBytes(file, { limitBytes: INPUT_BYTES, followLinks: false }));
    const encoder = new TextEncoder();
    if (from.kind === "text") {
      const wanted = await sha256(encoder.encode(from.text));
      return is === wanted ? undefined : `${name}.in is not the text in generators.yaml`;
    }
    if (from.kind === "file") {
      const options = { limitBytes: INPUT_BYTES, followLinks: false };
      if ((host.status(from.hostFile)?.sizeBytes ?? Infinity) > INPUT_BYTES) return undefined;
      const wanted = await sha256(host.readBytes(from.hostFile, options));
      return is === wanted ? undefined : `${name}.in is not as in ${from.path}`;
    }
    const program = this.#programs.get(from.program);
    if (!program) return undefined;
    const known = JSON.stringify(["generated", FORMAT, program.directory, from.args, limits, is]);
    const key = await sha256(encoder.encode(known));
    if (await compiler.recall(key)) return undefined;
    const made = await generateInput(program, { worker, args: from.args, limits, signal });
    if (signal.aborted) return undefined;
    const command = cut(visibleText(from.command), COMMAND_LENGTH);
    if ("failure" in made) return `${name}: the generator ${command} ${made.failure}`;
    if (await sha256(made.bytes) !== is) return `${name}.in is not up to date: ${command}`;
    compiler.remember(key, true);
    return undefined;
  }
}

function unlisted(
  { problem }: DataCheckContext,
  generated: readonly GeneratedTest[],
): string[] {
  const listed = new Set(generated.map(({ name }) => name));
  const names = testsIn(problem.data).map(({ test }) => test.name)
    .filter((name) => !listed.has(name));
  if (names.length === 0) return [];
  const shown = names.slice(0, NAMED_MAX).join(", ");
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return [`generators.yaml does not list ${shown}${more}`];
}

function summed(wrong: readonly string[]): string[] {
  const more = wrong.length - 2 * NAMED_MAX;
  return [
    ...wrong.slice(0, 2 * NAMED_MAX),
    ...more > 0 ? [`${more} more tests are not as generators.yaml says`] : [],
  ];
}
