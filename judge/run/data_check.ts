/** Checks the tests of a package with its own validators, where the package is verified. */

import type { HostFiles } from "../../mod.ts";
import { checkOutput } from "../checker/checker.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { Program } from "../compile/program.ts";
import type { DataChecks, Problem, TestCase, TestGroup } from "../types.ts";
import { type CompileContext, compileProgram, reasonOf } from "./compile_program.ts";
import { type InputValidator, type InputVerdict, validateInput } from "./input_validator.ts";
import { checkGenerated } from "./generated_check.ts";
import { TrailingFiles } from "./trailing_files.ts";
import { type PlacedTest, testsDigest, testsIn } from "./tests_digest.ts";
import { validateOutput, type Validator } from "./validator.ts";
import type { Assignment, Worker } from "./workers.ts";

/** So many files are named; of the others only the number is told. */
const NAMED_MAX = 10;
const FORMAT = 3;

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
  if (!checks) return findings;
  using check = new DataCheck(context, checks, findings);
  await check.run();
  return findings;
}

class DataCheck implements Disposable {
  readonly #context: DataCheckContext;
  readonly #checks: DataChecks;
  readonly #findings: DataFindings;
  readonly #tests: readonly PlacedTest[];
  readonly #trailing: TrailingFiles;

  constructor(context: DataCheckContext, checks: DataChecks, findings: DataFindings) {
    this.#context = context;
    this.#checks = checks;
    this.#findings = findings;
    this.#tests = testsIn(context.problem.data);
    this.#trailing = new TrailingFiles(context.host);
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
    if (validators.length > 0) {
      await this.#checkInvalidInputs(validators);
      await this.#checkTrailingInput(validators);
    }
    await this.#checkAnswers();
    await this.#checkOutputs();
    await this.#checkTrailingOutput();
    if (this.#isAborted || !this.#checks.generated) return;
    const stale = await checkGenerated(this.#context, this.#checks.generated);
    this.#findings.warnings.push(...stale);
  }

  /** Looks for something wrong, unless nothing was found before in the same programs and files. */
  async #unlessKnown(
    { what, programs, tests, to }: {
      what: string;
      programs: readonly (Program | undefined)[];
      tests: readonly PlacedTest[];
      /** Where to tell what is wrong. */
      to: string[];
    },
    find: () => Promise<readonly string[]>,
  ): Promise<void> {
    if (tests.length === 0) return;
    const { compiler } = this.#context.compile;
    const key = await this.#keyOf(what, programs, tests);
    if (key !== undefined && await compiler.recall(key)) return;
    const wrong = await find();
    this.#tell(wrong, to);
    if (wrong.length === 0 && key !== undefined && !this.#isAborted) compiler.remember(key, true);
  }

  #complain(sentence: string): void {
    this.#findings.complaints.push(sentence);
  }

  /** Runs a validator on all inputs, also on those that belong to outputs. */
  async #checkInputs({ source, program }: InputValidator): Promise<void> {
    const others = this.#checks.outputs.map(({ test }) => this.#besides(test));
    const tests = [...this.#tests, ...others];
    const { complaints: to } = this.#findings;
    await this.#unlessKnown(
      { what: "inputs", programs: [program], tests, to },
      () =>
        this.#each(tests, async (worker, { test, group }) => {
          const { isAccepted, reason } = await this.#validate(worker, {
            ...{ source, program, test, group },
          });
          return isAccepted
            ? undefined
            : `${test.name}.in is refused by the input validator ${source.name}: ${reason}`;
        }),
    );
  }

  /** Places a test that is for validators only. */
  #besides(test: TestCase): PlacedTest {
    return { test, group: this.#context.problem.data };
  }

  async #checkInvalidInputs(validators: readonly InputValidator[]): Promise<void> {
    const tests = this.#checks.invalidInputs.map((test) => this.#besides(test));
    const programs = validators.map(({ program }) => program);
    const { complaints: to } = this.#findings;
    await this.#unlessKnown(
      { what: "invalid inputs", programs, tests, to },
      () =>
        this.#each(
          tests,
          async (worker, placed) =>
            await this.#isRefused(worker, { validators, placed })
              ? undefined
              : `${placed.test.name}.in must be refused, but every input validator accepts it`,
        ),
    );
  }

  async #isRefused(worker: Worker, { validators, placed }: {
    validators: readonly InputValidator[];
    placed: PlacedTest;
  }): Promise<boolean> {
    for (const validator of validators) {
      const { isAccepted } = await this.#validate(worker, { ...validator, ...placed });
      if (!isAccepted) return true;
    }
    return false;
  }

  /** Tries whether some validator reads an input to its end. */
  async #checkTrailingInput(validators: readonly InputValidator[]): Promise<void> {
    const programs = validators.map(({ program }) => program);
    const tests = this.#small(({ inputFile }) => inputFile);
    const { warnings: to } = this.#findings;
    await this.#unlessKnown(
      { what: "trailing input", programs, tests, to },
      () =>
        this.#each(tests, async (worker, { test, group }) => {
          const placed = {
            test: { ...test, inputFile: this.#trailing.extend(test.inputFile) },
            group,
          };
          return await this.#isRefused(worker, { validators, placed })
            ? undefined
            : `The input validators do not notice trailing input: they accept ${test.name}.in with ` +
              "a line more";
        }),
    );
  }

  /** Tries whether the output validator reads an output to its end. */
  async #checkTrailingOutput(): Promise<void> {
    const { validator, problem: { validation } } = this.#context;
    if (!validator || validation.kind !== "custom" || validation.interactive) return;
    if (validation.passes !== undefined) return;
    const tests = this.#small(({ answerFile }) => answerFile);
    const programs = programsOf(validator);
    const { warnings: to } = this.#findings;
    await this.#unlessKnown(
      { what: "trailing output", programs, tests, to },
      () =>
        this.#each(tests, async (worker, { test, group }) => {
          const { answerFile: outputFile } = test;
          // An answer that is no output shows nothing.
          if (
            await this.#judge(worker, { test, group, outputFile }) !== undefined
          ) return undefined;
          const longer = this.#trailing.extend(outputFile);
          const refusal = await this.#judge(worker, { test, group, outputFile: longer });
          return refusal === undefined
            ? `The output validator does not notice trailing output: it accepts ${test.name}.ans ` +
              "with a line more"
            : undefined;
        }),
    );
  }

  /** Finds one test whose file is small; empty if there is none. */
  #small(fileOf: (test: TestCase) => string): PlacedTest[] {
    return this.#tests.filter(({ test }) => this.#trailing.isSmall(fileOf(test))).slice(0, 1);
  }

  /** Removes what was written. */
  [Symbol.dispose](): void {
    this.#trailing[Symbol.dispose]();
  }

  /** Runs the package's own validator on the answers; an answer need not be an output. */
  async #checkAnswers(): Promise<void> {
    const { validator, problem: { validation } } = this.#context;
    if (!validator || validation.kind !== "custom" || validation.interactive) return;
    if (validation.passes !== undefined) return;
    const key = await this.#keyOf("answers", programsOf(validator), this.#tests);
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
    const tests = this.#checks.outputs.flatMap(({ test, outputFile }) =>
      [test, { ...test, answerFile: outputFile }].map((one) => this.#besides(one))
    );
    const programs = programsOf(this.#context.validator);
    const { complaints: to } = this.#findings;
    await this.#unlessKnown(
      { what: "outputs", programs, tests, to },
      () =>
        this.#each(this.#checks.outputs, async (worker, { test, outputFile, isValid }) => {
          const refusal = await this.#judge(worker, { test, group: data, outputFile });
          if (isValid === (refusal === undefined)) return undefined;
          const name = `${test.name}${outputFile.slice(outputFile.lastIndexOf("."))}`;
          return isValid
            ? `${name} must be accepted, but the output validator refuses it: ${refusal}`
            : `${name} must be refused, but the output validator accepts it`;
        }),
    );
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
    programs: readonly (Program | undefined)[],
    tests: readonly PlacedTest[],
  ): Promise<string | undefined> {
    const { host, problem: { limits } } = this.#context;
    const digests = await testsDigest(host, tests);
    if (!digests) return undefined;
    const text = JSON.stringify([
      ...[what, FORMAT, limits, digests],
      programs.map((program) => program?.directory),
      this.#checks.outputs.map(({ isValid }) => isValid),
    ]);
    return await sha256(new TextEncoder().encode(text));
  }
}

/** Lists what an output is judged by; one undefined: the default validator. */
function programsOf(validator: Validator | undefined): (Program | undefined)[] {
  return validator
    ? [validator, ...validator.more ?? []].map(({ program }) => program)
    : [undefined];
}
