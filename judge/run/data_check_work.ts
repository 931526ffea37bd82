/** What all checks of the tests of a package share: work in boxes, and what was found out before. */

import type { HostFiles } from "../../mod.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { Program } from "../compile/program.ts";
import type { DataChecks, Problem, TestCase } from "../types.ts";
import { type CompileContext, reasonOf } from "./compile_program.ts";
import { type PlacedTest, TestDigests, testsIn } from "./tests_digest.ts";
import { TrailingFiles } from "./trailing_files.ts";
import type { Validator } from "./validator.ts";
import type { Worker } from "./workers.ts";

/** So many files are named; of the others only the number is told. */
const NAMED_MAX = 10;
const FORMAT = 4;

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

/** One check of a package. */
export class DataCheckWork implements Disposable {
  readonly context: DataCheckContext;
  readonly checks: DataChecks;
  readonly findings: DataFindings = { complaints: [], warnings: [] };
  readonly tests: readonly PlacedTest[];
  readonly trailing: TrailingFiles;
  readonly #digests: TestDigests;

  constructor(context: DataCheckContext, checks: DataChecks) {
    this.context = context;
    this.checks = checks;
    this.tests = testsIn(context.problem.data);
    this.trailing = new TrailingFiles(context.host);
    this.#digests = new TestDigests(context.host);
  }

  /** Looks for something wrong, unless nothing was found before in the same programs and files. */
  async unlessKnown(
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
    await this.unlessRight({ what, programs, tests }, async () => {
      const wrong = await find();
      this.tell(wrong, to);
      return wrong.length === 0;
    });
  }

  /** Does a check, unless it has found nothing wrong before; it tells whether that is so. */
  async unlessRight(
    { what, programs, tests }: {
      what: string;
      programs: readonly (Program | undefined)[];
      tests: readonly PlacedTest[];
    },
    isRight: () => Promise<boolean>,
  ): Promise<void> {
    const { compiler } = this.context.compile;
    const key = compiler.keepsNotes ? await this.#keyOf(what, programs, tests) : undefined;
    if (key !== undefined && await compiler.recall(key)) return;
    if (await isRight() && key !== undefined && !this.isAborted) compiler.remember(key, true);
  }

  complain(sentence: string): void {
    this.findings.complaints.push(sentence);
  }

  /** Places a test that is for validators only. */
  besides(test: TestCase): PlacedTest {
    return { test, group: this.context.problem.data };
  }

  /** Finds one test whose file is small; empty if there is none. */
  small(fileOf: (test: TestCase) => string): PlacedTest[] {
    return this.tests.filter(({ test }) => this.trailing.isSmall(fileOf(test))).slice(0, 1);
  }

  get isAborted(): boolean {
    return this.context.compile.signal.aborted;
  }

  /** Does something for each, spread over the workers; gives what was found, in order. */
  async each<T>(
    all: readonly T[],
    work: (worker: Worker, one: T) => Promise<string | undefined>,
  ): Promise<string[]> {
    const { workers } = this.context.compile;
    const found: (string | undefined)[] = [];
    let next = 0;
    const spread = Array.from({ length: workers.count }, () =>
      workers.use(async (worker) => {
        for (let at; !this.isAborted && (at = next++) < all.length;) {
          try {
            found[at] = await work(worker, all[at]!);
          } catch (error) {
            found[at] = `The judge failed when it checked the tests: ${reasonOf(error)}`;
          }
        }
      }));
    await Promise.all(spread);
    // What was broken off says nothing.
    return this.isAborted ? [] : found.filter((sentence) => sentence !== undefined);
  }

  tell(sentences: readonly string[], to: string[]): void {
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
    const { problem: { limits } } = this.context;
    const digests = await this.#digests.of(tests);
    if (!digests) return undefined;
    const text = JSON.stringify([
      ...[what, FORMAT, limits, digests],
      programs.map((program) => program?.directory),
      this.checks.outputs.map(({ isValid }) => isValid),
    ]);
    return await sha256(new TextEncoder().encode(text));
  }

  /** Removes what was written. */
  [Symbol.dispose](): void {
    this.trailing[Symbol.dispose]();
  }
}
