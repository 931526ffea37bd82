/**
 * Judges submissions: compiles them, runs their tests in boxes, and says what came of it.
 *
 * @module
 */

import type { Sandbox } from "../mod.ts";
import { Compiler } from "./compile.ts";
import type { HostFiles } from "./host_files.ts";
import { Judging } from "./judging.ts";
import type { LanguageTable } from "./languages.ts";
import { Stations } from "./stations.ts";
import type { JudgeEvent, JudgeReport, Problem, Submission } from "./types.ts";

/** What is judged, and how. */
export interface JudgeOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** Files of the host. */
  readonly host: HostFiles;
  /** The problem. */
  readonly problem: Problem;
  /** The submissions. */
  readonly submissions: readonly Submission[];
  /** Whether the package itself is checked: its time limit, and that something is accepted. */
  readonly verify: boolean;
  /** The languages. */
  readonly languages: LanguageTable;
  /** How many tests are run at the same time, each on a CPU of its own. */
  readonly jobs: number;
  /** Which boxes may be used; default: all. */
  readonly boxIds?: { readonly first: number; readonly count: number } | undefined;
  /** Instead of the time limit of the package; CPU time in milliseconds. */
  readonly timeLimitMs?: number | undefined;
  /** Where compiled programs are kept; default: a directory that is removed in the end. */
  readonly cacheDirectory?: string | undefined;
  /** How much of the conversation of an interactive test is kept, in bytes. Default: 0, faster. */
  readonly transcriptBytes?: number | undefined;
  /** Leave the boxes in the end as they are, with the last program. */
  readonly keep?: boolean | undefined;
  /** Breaks everything off; the report tells what is known then. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly onEvent?: ((event: JudgeEvent) => void) | undefined;
}

/**
 * Judges submissions.
 *
 * A failure of the judge itself (a full disk, a validator that crashes, a missing compiler) is never a
 * contestant's: the verdict is `JE` with the reason, and the rest goes on.
 *
 * @param options what is judged, and how
 * @returns everything that is known in the end
 * @throws {SandboxError} if there are no boxes to judge in
 * @throws {RangeError} if an option is out of range
 */
export async function judge(options: JudgeOptions): Promise<JudgeReport> {
  const { sandbox, host, problem, cacheDirectory, jobs, signal } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1) {
    throw new RangeError(`Cannot judge as jobs must be an integer >= 1: current value is ${jobs}`);
  }
  const judging = new Judging(options);
  let stations: Stations | undefined;
  try {
    stations = await Stations.open({
      sandbox,
      jobs,
      withSecond: problem.validation.kind === "custom",
      boxIds: options.boxIds,
      signal,
    });
    await using compiler = new Compiler({
      sandbox,
      host,
      ...cacheDirectory !== undefined && { cacheDirectory },
    });
    await judging.run({ stations, compiler });
    if (options.keep) await judging.leaveProgram(stations);
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    const keep = options.keep ?? false;
    judging.warn(
      ...(await stations?.close({ keep }) ?? []).map((directory) =>
        `The box ${directory} is kept for inspection: clean it up when you are done`
      ),
    );
  }
  return judging.report();
}
