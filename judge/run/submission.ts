/** One submission: all its tests, spread over the workers. */

import { Grading, type PlannedTest } from "../grading/grading.ts";
import type { Grades } from "../grading/grading.ts";
import { runTest, type TestContext } from "./test_run.ts";
import type { Workers } from "./workers.ts";
import type { TestResult } from "../types.ts";

/** How the tests of a submission are run. */
export interface RunTestsOptions {
  /** Where. */
  readonly workers: Workers;
  /** Breaks everything off. */
  readonly signal: AbortSignal;
  /** Is told each result, in the order in which they come; a few may turn out not to be needed. */
  readonly onResult?: (result: TestResult, done: number) => void;
  /**
   * For a submission that must be too slow: look for a test that takes so long, in milliseconds, also
   * among those that are not needed any more.
   */
  readonly wantedTimeMs?: number | undefined;
}

/** A test and its CPU time in milliseconds. */
export type SlowTest = Pick<TestResult, "test" | "cpuTimeMs">;

/** What came of all tests of a submission. */
export interface TestsResult {
  /** Verdict and score. */
  readonly grades: Grades;
  /** The tests that count, in order. */
  readonly tests: readonly TestResult[];
  /** The slowest test that was run, also of those that do not count. */
  readonly slowest: SlowTest | undefined;
  /** Whether it was broken off. */
  readonly interrupted: boolean;
}

/**
 * Runs the tests of a submission that are needed, and no more than are needed but for those that were
 * begun before it was known.
 */
export async function runTests(
  context: TestContext,
  options: RunTestsOptions,
): Promise<TestsResult> {
  const round = new Round(context, options);
  await round.run();
  if (options.wantedTimeMs !== undefined) await round.look(options.wantedTimeMs);
  return round.conclude();
}

/** The tests of a submission on their way. */
class Round {
  readonly #context: TestContext;
  readonly #options: RunTestsOptions;
  readonly #grading: Grading;
  readonly #results = new Map<number, TestResult>();
  readonly #running = new Map<PlannedTest, AbortController>();
  #slowest: SlowTest | undefined;

  constructor(context: TestContext, options: RunTestsOptions) {
    this.#context = context;
    this.#options = options;
    this.#grading = new Grading(context.problem);
  }

  /** Runs all tests that are needed. */
  async run(): Promise<void> {
    await this.#spread(() => this.#grading.next(), (planned, result) => {
      this.#results.set(planned.index, result);
      this.#grading.add(planned, result);
      for (const [other, stop] of this.#running) if (!this.#grading.isNeeded(other)) stop.abort();
      this.#options.onResult?.(result, this.#results.size);
    });
  }

  /** Runs the others until one takes so long. */
  async look(wantedTimeMs: number): Promise<void> {
    const others = this.#grading.tests.filter(({ index }) => !this.#results.has(index));
    // Who waited until the wall time was over uses no CPU time elsewhere either.
    const hasWaited = [...this.#results.values()].some(({ outcome }) =>
      outcome?.kind === "time-limit" && outcome.limit === "wall"
    );
    if (hasWaited) return;
    const isFound = () => (this.#slowest?.cpuTimeMs ?? 0) >= wantedTimeMs;
    await this.#spread(() => isFound() ? undefined : others.shift(), () => {
      if (isFound()) { for (const stop of this.#running.values()) stop.abort(); }
    });
  }

  conclude(): TestsResult {
    const grades = this.#grading.conclude();
    const tests = grades.counted.map(({ index }) => {
      const result = this.#results.get(index)!;
      const score = grades.scores.get(index);
      return score === undefined ? result : { ...result, score };
    });
    const interrupted = !this.#grading.isComplete;
    return { grades, tests, slowest: this.#slowest, interrupted };
  }

  async #spread(
    next: () => PlannedTest | undefined,
    add: (planned: PlannedTest, result: TestResult) => void,
  ): Promise<void> {
    const { workers, signal } = this.#options;
    const stopAll = () => {
      for (const stop of this.#running.values()) stop.abort();
    };
    signal.addEventListener("abort", stopAll);
    try {
      const work = Array.from({ length: workers.count }, () =>
        workers.use(async (worker) => {
          for (let planned; !signal.aborted && (planned = next());) {
            const stop = new AbortController();
            this.#running.set(planned, stop);
            const result = await runTest(this.#context, { planned, worker, signal: stop.signal });
            this.#running.delete(planned);
            // What was stopped tells nothing of the submission.
            if (stop.signal.aborted) continue;
            const { test, cpuTimeMs } = result;
            if (!this.#slowest || cpuTimeMs > this.#slowest.cpuTimeMs) {
              this.#slowest = { test, cpuTimeMs };
            }
            add(planned, result);
          }
        }));
      await Promise.all(work);
    } finally {
      signal.removeEventListener("abort", stopAll);
    }
  }
}
