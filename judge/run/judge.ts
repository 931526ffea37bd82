/** Judges submissions: compiles them, runs their tests in boxes, and reports the verdicts. */

import { Compiler } from "../compile/compile.ts";
import type { JudgeReport } from "../types.ts";
import type { JudgeOptions } from "./judge_options.ts";
import { Judging } from "./judging.ts";
import { Workers } from "./workers.ts";

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
  const { sandbox, host, cacheDirectory, jobs, signal } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1) {
    throw new RangeError(`Cannot judge as jobs must be an integer >= 1: current value is ${jobs}`);
  }
  const judging = new Judging(options);
  try {
    await using workers = await Workers.open(options);
    await using compiler = new Compiler({ sandbox, host, cacheDirectory });
    await judging.run({ workers, compiler });
    if (options.keep) await judging.keepBoxes(workers);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return judging.report();
}
