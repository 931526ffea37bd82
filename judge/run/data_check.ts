/** Checks the tests of a package with its own validators, where the package is verified. */

import { compileProgram } from "./compile_program.ts";
import { type DataCheckContext, DataCheckWork, type DataFindings } from "./data_check_work.ts";
import { checkGenerated } from "./generated_check.ts";
import { checkInputs, checkInvalidInputs, checkTrailingInput } from "./input_checks.ts";
import type { InputValidator } from "./input_validator.ts";
import { checkAnswers, checkOutputs, checkTrailingOutput } from "./output_checks.ts";
import { checkTexts } from "./text_checks.ts";

/** Checks inputs, answers, and files that must be accepted or refused. */
export async function checkData(context: DataCheckContext): Promise<DataFindings> {
  const { checks } = context.problem;
  if (!checks) return { complaints: [], warnings: [] };
  using work = new DataCheckWork(context, checks);
  const { findings } = work;
  const validators: InputValidator[] = [];
  for (const source of checks.inputValidators) {
    const { program, result } = await compileProgram(source, context.compile, {
      kind: "validator",
    });
    if (program) validators.push({ source, program });
    else {
      findings.complaints.push(
        `The input validator ${source.name} cannot be used: ${result.message}`,
      );
    }
  }
  for (const validator of validators) await checkInputs(work, validator);
  if (validators.length > 0) {
    await checkInvalidInputs(work, validators);
    await checkTrailingInput(work, validators);
  }
  await checkAnswers(work);
  await checkOutputs(work);
  await checkTrailingOutput(work);
  await checkTexts(work);
  if (!work.isAborted && checks.generated) {
    findings.warnings.push(...await checkGenerated(context, checks.generated));
  }
  return findings;
}
