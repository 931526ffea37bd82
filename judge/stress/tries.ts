/** Tries inputs: generates them, has them validated, and runs the submissions on them. */

import type { HostFile } from "../../mod.ts";
import { BlockReader } from "../checker/block_reader.ts";
import type { Program } from "../compile/program.ts";
import { generateInput } from "../run/generate_input.ts";
import { type InputValidator, validateInput } from "../run/input_validator.ts";
import { runForOutput, runTest, type TestContext } from "../run/test_run.ts";
import { validateOutput } from "../run/validator.ts";
import type { Assignment, Worker, Workers } from "../run/workers.ts";
import type { TestCase, TestGroup, TestResult } from "../types.ts";
import { StressError } from "./errors.ts";
import type { StressFinding, StressOptions } from "./types.ts";

/** Everything that is run, compiled. */
export interface StressPrograms {
  readonly generator: Program;
  readonly inputValidators: readonly InputValidator[];
  readonly against: { readonly name: string; readonly context: TestContext };
  readonly submissions: readonly { readonly name: string; readonly context: TestContext }[];
  readonly signal: AbortSignal;
}

/** A test on which submissions differ, as it was generated. */
export interface TriedInput {
  readonly finding: Omit<StressFinding, "generatedBytes">;
}

/** The tries of one search. */
export class StressTries {
  /** How many inputs were tried. */
  done = 0;
  readonly #options: StressOptions;
  readonly #programs: StressPrograms;
  readonly #workers: Workers;
  readonly #directory: string;
  readonly #group: TestGroup;
  #files = 0;

  constructor(options: StressOptions, parts: {
    programs: StressPrograms;
    workers: Workers;
    /** For inputs and answers; its real path. */
    directory: string;
  }) {
    this.#options = options;
    this.#programs = parts.programs;
    this.#workers = parts.workers;
    this.#directory = parts.directory;
    this.#group = groupFor(options.problem.data);
  }

  /** Tries seeds until one shows a difference; of several that were found at once, takes the smallest. */
  async search(
    { first, count }: { first: number; count: number },
  ): Promise<TriedInput | undefined> {
    const { onEvent } = this.#options;
    const { signal } = this.#programs;
    const found: TriedInput["finding"][] = [];
    const stop = new AbortController();
    let next = 0;
    const work = Array.from(
      { length: this.#workers.count },
      () =>
        this.#workers.use(async (worker) => {
          while (found.length === 0 && !stop.signal.aborted && !signal.aborted && next < count) {
            const seed = first + next++;
            const input = await this.#generate(worker, seed);
            if (signal.aborted) return;
            const finding = await this.#try(worker, { input, seed, isGenerated: true });
            this.done++;
            onEvent?.({ kind: "tried", done: this.done, total: count });
            if (finding) found.push(finding);
          }
        }).catch((error) => {
          stop.abort();
          throw error;
        }),
    );
    const ended = await Promise.allSettled(work);
    const failed = ended.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    const [smallest] = found.sort((one, other) => one.input.length - other.input.length);
    return smallest && { finding: smallest };
  }

  /** Tries an input that was not generated: one that is not right shows nothing. */
  async tryAgain(
    input: Uint8Array<ArrayBuffer>,
    seed: number,
  ): Promise<TriedInput["finding"] | undefined> {
    return await this.#workers.use((worker) =>
      this.#try(worker, { input, seed, isGenerated: false })
    );
  }

  async #generate(worker: Worker, seed: number): Promise<Uint8Array<ArrayBuffer>> {
    const { generator: { source, args }, problem: { limits } } = this.#options;
    const { generator, signal } = this.#programs;
    const words = args.map((word) => word.replaceAll("{seed}", `${seed}`));
    const made = await generateInput(generator, { worker, args: words, limits, signal });
    if ("bytes" in made) return made.bytes;
    if (signal.aborted) return new Uint8Array(0);
    throw new StressError(`The generator ${[source.name, ...words].join(" ")} ${made.failure}`);
  }

  async #try(worker: Worker, { input, seed, isGenerated }: {
    input: Uint8Array<ArrayBuffer>;
    seed: number;
    isGenerated: boolean;
  }): Promise<TriedInput["finding"] | undefined> {
    const { host, problem: { limits } } = this.#options;
    const { inputValidators, submissions, signal } = this.#programs;
    const path = `${this.#directory}/${++this.#files}`;
    const test: TestCase = {
      name: `stress-${seed}`,
      inputFile: `${path}/in`,
      answerFile: `${path}/ans`,
      isSample: false,
    };
    const group = this.#group;
    const run: Assignment = { planned: { index: 0, test, group }, worker, signal };
    host.makeDirectory(path, 0o755);
    try {
      host.write(test.inputFile, input);
      for (const validator of inputValidators) {
        const { isAccepted, reason } = await validateInput(validator, {
          ...{ worker, test, group, limits, host, signal },
        });
        if (signal.aborted) return undefined;
        if (isAccepted) continue;
        if (!isGenerated) return undefined;
        throw new StressError(
          `The input of seed ${seed} is refused by the input validator ${validator.source.name}: ` +
            reason,
        );
      }
      const right = await this.#answer(run);
      if (signal.aborted) return undefined;
      const { answer } = right;
      if (right.result) {
        return {
          seed,
          submission: this.#programs.against.name,
          result: right.result,
          input,
          answer,
        };
      }
      for (const { name, context } of submissions) {
        const { verdict, message } = await runTest(context, run);
        if (signal.aborted) return undefined;
        if (verdict === "JE") throw new StressError(`${name}, seed ${seed}: ${message}`);
        if (verdict === "AC") continue;
        return { seed, submission: name, result: { verdict, message }, input, answer };
      }
      return undefined;
    } finally {
      host.removeTree(path);
    }
  }

  /** Finds the answer of a test, and why the submission that should be right is not, if so. */
  async #answer(run: Assignment): Promise<{
    answer: Uint8Array<ArrayBuffer> | undefined;
    result?: Pick<TestResult, "verdict" | "message">;
  }> {
    const { host, problem: { validation } } = this.#options;
    const { against: { context } } = this.#programs;
    const { test } = run.planned;
    // What talks, or runs again and again, has no output that could be the answer.
    const isDialogue = validation.kind === "custom" &&
      (validation.interactive || validation.passes !== undefined);
    if (isDialogue) {
      const answer = new Uint8Array(0);
      host.write(test.answerFile, answer);
      const { verdict, message } = await runTest(context, run);
      return verdict === "AC" ? { answer } : { answer, result: { verdict, message } };
    }
    const ended = await runForOutput(context, run);
    if ("failure" in ended) return { answer: undefined, result: ended.failure };
    using output = ended.output;
    const answer = readAll(output);
    host.write(test.answerFile, answer);
    if (!context.validator) return { answer };
    const { judgement } = await validateOutput(context.validator, { run, output });
    return judgement.verdict === "AC" ? { answer } : { answer, result: judgement };
  }
}

/** Chooses the group whose arguments hold for new tests: that of the secret ones. */
function groupFor(data: TestGroup): TestGroup {
  for (const member of data.members) {
    if (member.kind === "group" && member.group.name === "secret") return member.group;
  }
  return data;
}

function readAll(file: HostFile): Uint8Array<ArrayBuffer> {
  const reader = new BlockReader(file);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0; !reader.ended; offset += reader.end) {
    reader.fillFrom(offset);
    pieces.push(reader.bytes.slice(0, reader.end));
  }
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
