/** Runs a submission again and again on a test, as long as the validator has another input for it. */

import type { Input, Outcome } from "../../mod.ts";
import { type Judgement, memoryOf } from "../grading/outcome_verdict.ts";
import type { TestCase, TestResult } from "../types.ts";
import type { NextPass } from "./feedback.ts";
import type { Feedback } from "./validator.ts";

/** One run of the submission, and what was made of it; `outcome` is undefined if it was not run. */
export type Pass = Feedback & { readonly outcome: Outcome | undefined };

/** The most that was used by any pass: the limits hold for each of them. */
export type PassUsage = Pick<TestResult, "cpuTimeMs" | "wallTimeMs" | "memoryKib">;

/** Runs the passes; `runOne` is called with what the pass before has left. */
export async function runPasses(
  passes: number | undefined,
  runOne: (pass: NextPass | undefined) => Promise<Pass>,
): Promise<Judgement> {
  let pass = await runOne(undefined);
  for (let done = 1; pass.next; done++) {
    if (done >= (passes ?? 1)) {
      const message =
        `The output validator asks for pass ${done + 1}, but limits.validation_passes ` +
        `in problem.yaml is ${passes}`;
      return { ...pass.judgement, verdict: "JE", message };
    }
    pass = await runOne(pass.next);
  }
  return pass.judgement;
}

/** Chooses the input of a pass. */
export function inputOf(test: TestCase, pass: NextPass | undefined): Input {
  return pass ? { bytes: pass.input } : { file: test.inputFile, followLinks: false };
}

/** Adds the usage of another pass. */
export function mostOf(known: PassUsage | undefined, { usage }: Outcome): PassUsage {
  return {
    cpuTimeMs: Math.max(known?.cpuTimeMs ?? 0, usage.cpuTimeMs),
    wallTimeMs: Math.max(known?.wallTimeMs ?? 0, usage.wallTimeMs),
    memoryKib: Math.max(known?.memoryKib ?? 0, memoryOf(usage)),
  };
}
