/** Judges the files of a submission by the package's static validator; nothing of it is run. */

import type { Program } from "../compile/program.ts";
import type { Judgement } from "../grading/outcome_verdict.ts";
import { copyTree } from "./copy_tree.ts";
import { FEEDBACK } from "./feedback.ts";
import { emptyBox, runValidator, type Validator, validatorRun } from "./validator.ts";
import type { Assignment } from "./workers.ts";

/** Runs the static validator: it finds the submission's files in its working directory. */
export async function validateStatically(
  validator: Validator,
  { run, program }: { run: Assignment; program: Program },
): Promise<Judgement> {
  const { worker, planned: { test: { staticFlags = [] } } } = run;
  const box = await emptyBox(worker);
  await copyTree(validator.host, { from: program.directory, box, to: "." });
  const prepared = validatorRun(validator, {
    box,
    cpus: worker.cpus,
    words: [program.languageId, program.entryPoint, `/box/${FEEDBACK}/`, ...staticFlags],
  });
  return (await runValidator(validator, prepared, { run, stdin: "none" })).judgement;
}
