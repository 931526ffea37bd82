/** Checks the tests of a package with its own validators, where the package is verified. */

import type { HostFiles } from "../../mod.ts";
import { checkOutput } from "../checker/checker.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { Program } from "../compile/program.ts";
import type { DataChecks, Problem, TestCase, TestGroup } from "../types.ts";
import { type CompileContext, compileProgram, reasonOf } from "./compile_program.ts";
import { type InputValidator, type InputVerdict, validateInput } from "./input_validator.ts";
import { type PlacedTest, testsDigest, testsIn } from "./tests_digest.ts";
import { validateOutput, type Validator } from "./validator.ts";
import type { Assignment, Worker } from "./workers.ts";

/** So many files are named; of the others only the number is told. */
const NAMED_MAX = 10;
const FORMAT = 2;

/** What was found. */
export interface DataFindings {
  readonly complaints: string[];
  readonly warnings: string[];
}

/** What a check needs. */
export interface DataCheckContext {
  readonly problem: Problem;
  readonly host: HostFiles;
  readonly compile: CompileContext;
  /** The compiled output validator; undefined: the default one. */
  readonly validator: Validator | undefined;
}

/** Checks inputs, answers, and files that must be accepted or refused. */
export async function checkData(context: DataCheckContext): Promise<DataFindings> {
  const { checks } = context.problem;
  const findings: DataFindings = { complaints: [], warnings: [] };
  if (checks) await new DataCheck(context, checks, findings).run();
  return findings;
}

class DataCheck {
  readonly #context: DataCheckContext;
  readonly #checks: DataChecks;
  readonly #findings: DataFindings;
  readonly #tests: readonly PlacedTest[];

  constructor(context: DataCheckContext, checks: DataChecks, findings: DataFindings) {
    this.#context = context;
    this.#checks = checks;
    this.#findings = findings;
    this.#tests = testsIn(context.problem.data);
  }

  async run(): Promise<void> {
    const validators: InputValidator[] = [];
    for (const source of this.#checks.inputValidators) {
      const { program, result } = await compileProgram(source, this.#context.compile, {
        kind: "validator",
      });
      if (program) validators.push({ source, program });
      else this.#complain(`The input validator ${source.name} cannot be used: ${result.message}`);
    }
    for (const validator of validators) await this.#checkInputs(validator);
    if (validators.length > 0) await this.#checkInvalidInputs(validators);
    await this.#checkAnswers();
    await this.#checkOutputs();
  }

  #complain(sentence: string): void {
    this.#findings.complaints.push(sentence);
  }

  /** Runs a validator on all inputs, also on those that belong to outputs. */
  async #checkInputs({ source, program }: InputValidator): Promise<void> {
    const { data } = this.#context.problem;
    const others = this.#checks.outputs.map(({ test }) => ({ test, group: data }));
    const tests = [...this.#tests, ...others];
    const key = await this.#keyOf("inputs", program, tests);
    const { compiler } = this.#context.compile;
    if (key !== undefined && await compiler.recall(key)) return;
    const refused = await this.#each(tests, async (worker, { test, group }) => {
      const outcome = await this.#validate(worker, { source, program, test, group });
      return outcome.isAccepted
        ? undefined
        : `${test.name}.in is refused by the input validator ${source.name}: ${outcome.reason}`;
    });
    this.#tell(refused, this.#findings.complaints);
    if (refused.length === 0 && key !== undefined && !this.#isAborted) compiler.remember(key, true);
  }

  async #checkInvalidInputs(validators: readonly InputValidator[]): Promise<void> {
    const group = this.#context.problem.data;
    const accepted = await this.#each(this.#checks.invalidInputs, async (worker, test) => {
      for (const validator of validators) {
        const { isAccepted } = await this.#validate(worker, { ...validator, test, group });
        if (!isAccepted) return undefined;
      }
      return `${test.name}.in must be refused, but every input validator accepts it`;
    });
    this.#tell(accepted, this.#findings.complaints);
  }

  /** Runs the package's own validator on the answers; an answer need not be an output. */
  async #checkAnswers(): Promise<void> {
    const { validator, problem: { validation } } = this.#context;
    if (!validator || validation.kind !== "custom" || validation.interactive) return;
    if (validation.passes !== undefined) return;
    const key = await this.#keyOf("answers", validator.program, this.#tests);
    const { compiler } = this.#context.compile;
    if (key !== undefined && await compiler.recall(key)) return;
    const wrong: { isSample: boolean; sentence: string }[] = [];
    await this.#each(this.#tests, async (worker, { test, group }) => {
      const refusal = await this.#judge(worker, { test, group, outputFile: test.answerFile });
      if (refusal === undefined) return undefined;
      const sentence = `${test.name}.ans is refused by the output validator: ${refusal}`;
      wrong.push({ isSample: test.isSample, sentence });
      return undefined;
    });
    wrong.sort((one, other) => one.sentence < other.sentence ? -1 : 1);
    const said = (isSample: boolean) =>
      wrong.filter((one) => one.isSample === isSample).map(({ sentence }) => sentence);
    this.#tell(said(true), this.#findings.complaints);
    this.#tell(said(false), this.#findings.warnings);
    if (wrong.length === 0 && key !== undefined && !this.#isAborted) compiler.remember(key, true);
  }

  async #checkOutputs(): Promise<void> {
    const { data, validation } = this.#context.problem;
    if (validation.kind === "custom" && (validation.interactive || validation.passes)) return;
    const wrong = await this.#each(this.#checks.outputs, async (worker, check) => {
      const { test, outputFile, isValid } = check;
      const refusal = await this.#judge(worker, { test, group: data, outputFile });
      if (isValid === (refusal === undefined)) return undefined;
      const name = `${test.name}${outputFile.slice(outputFile.lastIndexOf("."))}`;
      return isValid
        ? `${name} must be accepted, but the output validator refuses it: ${refusal}`
        : `${name} must be refused, but the output validator accepts it`;
    });
    this.#tell(wrong, this.#findings.complaints);
  }

  /** Judges an output; gives why it is refused, undefined if it is accepted. */
  async #judge(worker: Worker, { test, group, outputFile }: {
    test: TestCase;
    group: TestGroup;
    outputFile: string;
  }): Promise<string | undefined> {
    const { host, validator, compile: { signal } } = this.#context;
    using output = host.open(outputFile, { followLinks: false });
    if (!validator) {
      using answer = host.open(test.answerFile, { followLinks: false });
      const flags = test.validatorFlags ?? group.validatorFlags;
      const result = await checkOutput({ output, answer, flags });
      return result.accepted ? undefined : result.difference.reason;
    }
    const run: Assignment = { planned: { index: 0, test, group }, worker, signal };
    const { judgement: { verdict, message } } = await validateOutput(validator, { run, output });
    return verdict === "AC" ? undefined : message;
  }

  #validate(
    worker: Worker,
    { test, group, ...validator }: InputValidator & { test: TestCase; group: TestGroup },
  ): Promise<InputVerdict> {
    const { problem: { limits }, host, compile: { signal } } = this.#context;
    return validateInput(validator, { worker, test, group, limits, host, signal });
  }

  get #isAborted(): boolean {
    return this.#context.compile.signal.aborted;
  }

  /** Does something for each, spread over the workers; gives what was found, in order. */
  async #each<T>(
    all: readonly T[],
    work: (worker: Worker, one: T) => Promise<string | undefined>,
  ): Promise<string[]> {
    const { workers } = this.#context.compile;
    const found: (string | undefined)[] = [];
    let next = 0;
    const spread = Array.from({ length: workers.count }, () =>
      workers.use(async (worker) => {
        for (let at; !this.#isAborted && (at = next++) < all.length;) {
          try {
            found[at] = await work(worker, all[at]!);
          } catch (error) {
            found[at] = `The judge failed when it checked the tests: ${reasonOf(error)}`;
          }
        }
      }));
    await Promise.all(spread);
    // What was broken off says nothing.
    return this.#isAborted ? [] : found.filter((sentence) => sentence !== undefined);
  }

  #tell(sentences: readonly string[], to: string[]): void {
    to.push(...sentences.slice(0, NAMED_MAX));
    const more = sentences.length - NAMED_MAX;
    if (more > 0) to.push(`${more} more files are not as they should be, for such reasons`);
  }

  /** Names what a check depends on; undefined if that is too much to be read. */
  async #keyOf(
    what: string,
    program: Program,
    tests: readonly PlacedTest[],
  ): Promise<string | undefined> {
    const { host, problem: { limits } } = this.#context;
    const digests = await testsDigest(host, tests);
    if (!digests) return undefined;
    const text = JSON.stringify([what, FORMAT, program.directory, limits, digests]);
    return await sha256(new TextEncoder().encode(text));
  }
}
