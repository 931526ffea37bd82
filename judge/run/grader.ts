/** Runs the grader of a package, which makes one result of those of a group. */

import { Capture } from "../../mod.ts";
import type { Program } from "../compile/program.ts";
import type { Grade } from "../grading/aggregate.ts";
import { describeEnding } from "../grading/outcome_verdict.ts";
import type { ProblemLimits, TestGroup, Verdict } from "../types.ts";
import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import { wallTimeMs } from "./idle_watchdog.ts";
import type { Workers } from "./workers.ts";

const OUTPUT_BYTES = 65536;
const SHOWN_LENGTH = 200;

/** Graders know only four verdicts. */
const CODES: Readonly<Record<Verdict, string>> = {
  AC: "AC",
  WA: "WA",
  TLE: "TLE",
  OLE: "TLE",
  RTE: "RTE",
  MLE: "RTE",
  CE: "JE",
  JE: "JE",
};

const RESULT =
  /^\s*(?<verdict>AC|WA|TLE|RTE)\s+(?<score>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\s*$/;

/** What a grader needs. */
export interface GraderContext {
  readonly program: Program;
  readonly limits: ProblemLimits;
  readonly workers: Workers;
  readonly signal: AbortSignal;
}

/** Runs the grader on the results of a group's members. */
export async function runGrader(
  { program, limits, workers, signal }: GraderContext,
  { group, grades }: { group: TestGroup; grades: readonly Grade[] },
): Promise<Grade> {
  const lines = grades.map(({ verdict, score }) => `${CODES[verdict]} ${score}\n`);
  const output = new Capture({ limitBytes: OUTPUT_BYTES, overflow: "discard" });
  const outcome = await workers.use(async ({ box, cpus }) => {
    await box.clear();
    const { command, ...own } = program.invocation({
      timeLimitMs: limits.validationTimeMs,
      memoryKib: limits.validationMemoryKib,
      controlGroup: box.hasControlGroup,
      leavesNothing: true,
    });
    return await box.run([...command, ...group.grading.graderFlags ?? []], {
      ...own,
      limits: { ...own.limits, wallTimeMs: wallTimeMs(limits.validationTimeMs) },
      stdin: { text: lines.join("") },
      stdout: output,
      stderr: { file: "/dev/null" },
      signal,
      ...cpus && { cpus },
    });
  });
  const failed = (message: string): Grade => ({
    verdict: "JE",
    score: 0,
    decidedBy: undefined,
    message: `The grader ${message}`,
  });
  const isFine = outcome.kind === "exit" && outcome.exitCode === 0;
  if (!isFine) return failed(`failed: ${describeEnding(outcome)}`);
  const text = output.text();
  const found = RESULT.exec(text)?.groups;
  if (!found) {
    const shown = JSON.stringify(cut(visibleText(text.trim()), SHOWN_LENGTH));
    return failed(`must print a verdict and a score, such as AC 10, not ${shown}`);
  }
  const verdict = found.verdict as Verdict;
  if (verdict === "AC") return { verdict, score: Number(found.score), decidedBy: undefined };
  const decidedBy = grades.find((grade) => CODES[grade.verdict] === verdict)?.decidedBy;
  const message = `The grader gives ${verdict}`;
  return { verdict, score: Number(found.score), decidedBy, message };
}
