/** Runs the tests of a submission, spread over the workers. */

import { type Grades, Grading, type PlannedTest } from "../grading/grading.ts";
import type { TestResult } from "../types.ts";
import { runGrader } from "./grader.ts";
import type { ResultMemory } from "./result_memory.ts";
import { runTest, type TestContext } from "./test_run.ts";
import type { Assignment, Workers } from "./workers.ts";

/** A time that differs from the limit by at most this part of it is measured again. */
const NEAR_PART = 0.1;

/** How the tests of a submission are run. */
export interface RunTestsOptions {
  readonly workers: Workers;
  /** Interrupts all tests. */
  readonly signal: AbortSignal;
  /** Receives each result as soon as it is known; a few may turn out not to be needed. */
  readonly onResult: (result: TestResult, done: number) => void;
  /**
   * Runs also the tests that are not needed any more, until this holds for those that were run: one of
   * them may have to be slow, or must not be.
   */
  readonly searchUntil?: ((tests: readonly TestResult[]) => boolean) | undefined;
  /** Runs all tests, and tells the results of those that are not needed, too. */
  readonly allTests?: boolean | undefined;
  /** Knows results of tests that need not be run again. */
  readonly memory?: ResultMemory | undefined;
}

/** What running the tests of a submission has shown. */
export interface SubmissionTests {
  readonly grades: Grades;
  /** Whether it was interrupted before all was known that is wanted. */
  readonly isBrokenOff: boolean;
  /** The slowest test, even if it does not count. */
  readonly slowest: TestResult | undefined;
  /** All tests that were run. */
  readonly tests: readonly TestResult[];
}

/** Runs the tests that are needed, and no others but those that were begun before that was known. */
export async function runTests(
  context: TestContext,
  options: RunTestsOptions,
): Promise<SubmissionTests> {
  const run = new SubmissionRun(context, options);
  await run.runNeeded();
  const { workers, signal, searchUntil } = options;
  const isSearched = !options.allTests && !searchUntil ||
    await run.search(options.allTests ? () => false : searchUntil!);
  const { grader, problem: { limits } } = context;
  if (grader && !signal.aborted) {
    await run.grading.applyGrader((group, grades) =>
      runGrader({ program: grader, limits, workers, signal }, { group, grades })
    );
  }
  // What a grader said that was broken off is no verdict.
  const grades = run.grading.conclude({ isGraded: !grader || !signal.aborted });
  const isBrokenOff = !grades.isComplete || !isSearched;
  return { grades, isBrokenOff, slowest: run.slowest, tests: run.tests };
}

/** Tells whether the time of a test is so near the limit that others can have decided the verdict. */
function isNearLimit({ cpuTimeMs, outcome }: TestResult, { timeLimitMs }: TestContext): boolean {
  if (outcome?.kind === "time-limit" && outcome.limit === "wall") return false;
  return Math.abs(cpuTimeMs - timeLimitMs) <= NEAR_PART * timeLimitMs;
}

/** The run of a submission over its tests. */
class SubmissionRun {
  readonly grading: Grading;
  /** The slowest test that was run, even if it does not count. */
  slowest: TestResult | undefined;
  readonly #context: TestContext;
  readonly #options: RunTestsOptions;
  readonly #results = new Map<number, TestResult>();
  readonly #running = new Map<PlannedTest, AbortController>();

  constructor(context: TestContext, options: RunTestsOptions) {
    this.#context = context;
    this.#options = options;
    this.grading = new Grading(context.problem);
  }

  async runNeeded(): Promise<void> {
    await this.#spread(() => this.grading.next(), (planned, result) => {
      this.#results.set(planned.index, result);
      this.grading.add(planned, result);
      for (const [other, stop] of this.#running) if (!this.grading.isNeeded(other)) stop.abort();
      this.#options.onResult(result, this.#results.size);
    });
  }

  /** All tests that were run in order, also those that do not count. */
  get tests(): readonly TestResult[] {
    return [...this.#results].sort(([one], [other]) => one - other).map(([, result]) => result);
  }

  /** Runs the other tests until enough is known; false: it was interrupted before. */
  async search(isOver: (tests: readonly TestResult[]) => boolean): Promise<boolean> {
    const others = this.grading.tests.filter(({ index }) => !this.#results.has(index));
    const isFound = () => isOver(this.tests);
    await this.#spread(() => isFound() ? undefined : others.shift(), (planned, result) => {
      this.#results.set(planned.index, result);
      if (this.#options.allTests) this.#options.onResult(result, this.#results.size);
      if (isFound()) this.#stopAll();
    });
    return isFound() || this.#results.size === this.grading.tests.length;
  }

  async #result(assignment: Assignment): Promise<TestResult> {
    const { memory } = this.#options;
    const key = await memory?.keyOf(this.#context, assignment.planned);
    if (!memory || key === undefined) return await this.#timed(assignment);
    const known = memory.recall(key);
    if (known) return known;
    const result = await this.#timed(assignment);
    if (!assignment.signal.aborted) memory.remember(key, result);
    return result;
  }

  /** Runs a test; again if it is not certain that its own time made it pass or fail. */
  async #timed(assignment: Assignment): Promise<TestResult> {
    const { disturbance } = this.#options.workers;
    const run = () => runTest(this.#context, assignment);
    const { value: first, isDisturbed } = await disturbance.beside(run);
    if (!isDisturbed || !isNearLimit(first, this.#context)) return first;
    const second = await disturbance.alone(async () =>
      assignment.signal.aborted ? first : await run()
    );
    // Others can only make it slower.
    return second.verdict !== "JE" && second.cpuTimeMs < first.cpuTimeMs ? second : first;
  }

  #stopAll = () => {
    for (const stop of this.#running.values()) stop.abort();
  };

  async #spread(
    next: () => PlannedTest | undefined,
    add: (planned: PlannedTest, result: TestResult) => void,
  ): Promise<void> {
    const { workers, signal } = this.#options;
    signal.addEventListener("abort", this.#stopAll);
    try {
      const work = Array.from({ length: workers.count }, () =>
        workers.use(async (worker) => {
          for (let planned; !signal.aborted && (planned = next());) {
            const stop = new AbortController();
            this.#running.set(planned, stop);
            const result = await this.#result({ planned, worker, signal: stop.signal });
            this.#running.delete(planned);
            // A test that was stopped says nothing about the submission.
            if (stop.signal.aborted) continue;
            if (result.cpuTimeMs > (this.slowest?.cpuTimeMs ?? -1)) this.slowest = result;
            add(planned, result);
          }
        }));
      await Promise.all(work);
    } finally {
      signal.removeEventListener("abort", this.#stopAll);
    }
  }
}
