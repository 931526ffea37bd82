/** Judges submissions: compiles them, runs their tests in boxes, and says what came of it. */

import { Compiler } from "./compile/compile.ts";
import type { JudgeOptions } from "./judge_options.ts";
import { Judging } from "./run/judging.ts";
import { Workers } from "./run/workers.ts";
import type { JudgeReport } from "./types.ts";

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
  let workers: Workers | undefined;
  try {
    workers = await Workers.open({
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
    await judging.run({ workers, compiler });
    if (options.keep) await judging.leaveProgram(workers);
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    const keep = options.keep ?? false;
    judging.warn(
      ...(await workers?.close({ keep }) ?? []).map((directory) =>
        `The box ${directory} is kept for inspection: clean it up when you are done`
      ),
    );
  }
  return judging.report();
}
