/** Judges submissions: compiles them, runs their tests in boxes, and reports the verdicts. */

import type { HostFiles, Sandbox } from "../../mod.ts";
import { Compiler } from "../compile/compile.ts";
import type { LanguageTable } from "../languages/languages.ts";
import type { JudgeEvent, JudgeReport, Problem, Submission } from "../types.ts";
import { Judging } from "./judging.ts";
import { Workers } from "./workers.ts";

/** What to judge, and how. */
export interface JudgeOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The files of the host. */
  readonly host: HostFiles;
  /** The problem. */
  readonly problem: Problem;
  /** The submissions. */
  readonly submissions: readonly Submission[];
  /** Whether to check the package itself: its time limit, and that something is accepted. */
  readonly verify: boolean;
  /** The languages. */
  readonly languages: LanguageTable;
  /** How many tests run at the same time, each on a CPU of its own. */
  readonly jobs: number;
  /** The boxes that may be used; default: all. */
  readonly boxIds?: { readonly first: number; readonly count: number } | undefined;
  /** CPU time in milliseconds that replaces the time limit of the package. */
  readonly timeLimitMs?: number | undefined;
  /** The directory that keeps compiled programs; default: a temporary one. */
  readonly cacheDirectory?: string | undefined;
  /** How many bytes of the conversation of an interactive test are recorded. Default: 0, faster. */
  readonly transcriptBytes?: number | undefined;
  /** Keeps the boxes for inspection, with the last program. */
  readonly keep?: boolean | undefined;
  /** Interrupts judging; the report then has partial results. */
  readonly signal?: AbortSignal | undefined;
  /** Follows the progress. */
  readonly onEvent?: ((event: JudgeEvent) => void) | undefined;
}

/**
 * Judges submissions.
 *
 * A failure of the judge itself (a full disk, a validator that crashes, a missing compiler) is never the
 * contestant's: the verdict is `JE` with the reason, and the other submissions are judged all the same.
 *
 * @param options what to judge, and how
 * @returns the verdicts, and everything that led to them
 * @throws {SandboxError} if there are no boxes to judge in
 * @throws {RangeError} if an option is out of range
 */
export async function judge(options: JudgeOptions): Promise<JudgeReport> {
  const { sandbox, host, problem, cacheDirectory, jobs, boxIds, signal } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1) {
    throw new RangeError(`Cannot judge as jobs must be an integer >= 1: current value is ${jobs}`);
  }
  const judging = new Judging(options);
  try {
    const needsValidators = problem.validation.kind === "custom";
    await using workers = await Workers.open({ sandbox, jobs, needsValidators, boxIds, signal });
    await using compiler = new Compiler({ sandbox, host, cacheDirectory });
    await judging.run({ workers, compiler });
    if (options.keep) await judging.keepBoxes(workers);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return judging.report();
}
