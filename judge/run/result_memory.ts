/** Remembers results of tests for as long as nothing changes on which they depend. */

import { sha256 } from "../compile/compile_cache.ts";
import type { TestResult } from "../types.ts";
import type { PlannedTest } from "../grading/grading.ts";
import type { TestContext } from "./test_run.ts";
import { testsDigest } from "./tests_digest.ts";
import type { Validator } from "./validator.ts";

/** A result that so many rounds have not needed is forgotten. */
const ROUNDS_KEPT = 3;
/** What says only where files are. */
const PLACES = ["inputFile", "answerFile", "hostFile", "members"];

/**
 * Remembers results from one call of `judge()` to the next, in this process: each test of a submission
 * that neither changed nor depends on anything that did is not run again.
 *
 * @example
 * ```ts
 * import { ResultMemory } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new ResultMemory();
 * memory.nextRound();
 * assertEquals(memory.size, 0);
 * ```
 */
export class ResultMemory {
  readonly #results = new Map<string, { result: TestResult; round: number }>();
  readonly #digests = new WeakMap<object, Promise<readonly unknown[] | undefined>>();
  #round = 0;

  /** How many results are known. */
  get size(): number {
    return this.#results.size;
  }

  /** Forgets what was not needed for some rounds. */
  nextRound(): void {
    this.#round++;
    for (const [key, { round }] of this.#results) {
      if (round < this.#round - ROUNDS_KEPT) this.#results.delete(key);
    }
  }

  /**
   * Names everything that a result depends on; undefined if that is too much to be read.
   *
   * @internal
   */
  async keyOf(context: TestContext, { test, group }: PlannedTest): Promise<string | undefined> {
    const { host, problem, program, validator, timeLimitMs, killTimeMs, transcriptBytes } = context;
    if (test.staticFlags || !program) return undefined;
    let digest = this.#digests.get(test);
    if (!digest) this.#digests.set(test, digest = testsDigest(host, [{ test, group }]));
    const files = await digest;
    if (!files) return undefined;
    const { limits, kind, forbidsWriting } = problem;
    const text = JSON.stringify([
      [program.languageId, program.entryPoint, digestOf(program), validatorOf(validator)],
      [limits, kind, forbidsWriting, timeLimitMs, killTimeMs, transcriptBytes],
      [test, group, files],
    ], (key, value) => PLACES.includes(key) ? undefined : value);
    return await sha256(new TextEncoder().encode(text));
  }

  /**
   * Finds a result.
   *
   * @internal
   */
  recall(key: string): TestResult | undefined {
    const known = this.#results.get(key);
    if (known) known.round = this.#round;
    return known?.result;
  }

  /**
   * Keeps a result; what went wrong in the judge may go well the next time.
   *
   * @internal
   */
  remember(key: string, result: TestResult): void {
    if (result.verdict !== "JE") this.#results.set(key, { result, round: this.#round });
  }
}

/** The folder of a program is named after everything that it was made from. */
function digestOf({ directory }: { readonly directory: string }): string | undefined {
  return directory.split("/").at(-2);
}

function validatorOf(validator: Validator | undefined): unknown {
  if (!validator) return undefined;
  const { program, givesScores, passes, more = [] } = validator;
  return [digestOf(program), givesScores, passes, more.map(validatorOf)];
}
