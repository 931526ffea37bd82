/** Checks the answers and outputs of a package with its output validator. */

import { checkOutput } from "../checker/checker.ts";
import type { Program } from "../compile/program.ts";
import type { TestCase, TestGroup } from "../types.ts";
import type { DataCheckWork } from "./data_check_work.ts";
import { validateOutput, type Validator } from "./validator.ts";
import type { Assignment, Worker } from "./workers.ts";

/** Runs the package's own validator on the answers; an answer need not be an output. */
export async function checkAnswers(work: DataCheckWork): Promise<void> {
  const { validator, problem: { validation } } = work.context;
  if (!validator || validation.kind !== "custom" || validation.interactive) return;
  if (validation.passes !== undefined) return;
  const wrong: { isSample: boolean; sentence: string }[] = [];
  const isRight = async () => {
    const failures = await work.each(work.tests, async (worker, { test, group }) => {
      const refusal = await judgeFile(work, { worker, test, group, outputFile: test.answerFile });
      if (refusal === undefined) return undefined;
      const sentence = `${test.name}.ans is refused by the output validator: ${refusal}`;
      wrong.push({ isSample: test.isSample, sentence });
      return undefined;
    });
    wrong.sort((one, other) => one.sentence < other.sentence ? -1 : 1);
    const said = (isSample: boolean) =>
      wrong.filter((one) => one.isSample === isSample).map(({ sentence }) => sentence);
    work.tell([...failures, ...said(true)], work.findings.complaints);
    work.tell(said(false), work.findings.warnings);
    return wrong.length === 0 && failures.length === 0;
  };
  await work.unlessRight(
    { what: "answers", programs: programsOf(validator), tests: work.tests },
    isRight,
  );
}

export async function checkOutputs(work: DataCheckWork): Promise<void> {
  const { data, validation } = work.context.problem;
  if (validation.kind === "custom" && (validation.interactive || validation.passes)) return;
  const tests = work.checks.outputs.flatMap(({ test, outputFile }) =>
    [test, { ...test, answerFile: outputFile }].map((one) => work.besides(one))
  );
  const programs = programsOf(work.context.validator);
  const { complaints: to } = work.findings;
  await work.unlessKnown(
    { what: "outputs", programs, tests, to },
    () =>
      work.each(work.checks.outputs, async (worker, { test, outputFile, isValid }) => {
        const refusal = await judgeFile(work, { worker, test, group: data, outputFile });
        if (isValid === (refusal === undefined)) return undefined;
        const name = `${test.name}${outputFile.slice(outputFile.lastIndexOf("."))}`;
        return isValid
          ? `${name} must be accepted, but the output validator refuses it: ${refusal}`
          : `${name} must be refused, but the output validator accepts it`;
      }),
  );
}

/** Tries whether the output validator reads an output to its end. */
export async function checkTrailingOutput(work: DataCheckWork): Promise<void> {
  const { validator, problem: { validation } } = work.context;
  if (!validator || validation.kind !== "custom" || validation.interactive) return;
  if (validation.passes !== undefined) return;
  const tests = work.small(({ answerFile }) => answerFile);
  const programs = programsOf(validator);
  const { warnings: to } = work.findings;
  await work.unlessKnown(
    { what: "trailing output", programs, tests, to },
    () =>
      work.each(tests, async (worker, { test, group }) => {
        const { answerFile: outputFile } = test;
        // An answer that is no output shows nothing.
        if (
          await judgeFile(work, { worker, test, group, outputFile }) !== undefined
        ) return undefined;
        const longer = work.trailing.extend(outputFile);
        const refusal = await judgeFile(work, { worker, test, group, outputFile: longer });
        return refusal === undefined
          ? `The output validator does not notice trailing output: it accepts ${test.name}.ans ` +
            "with a line more"
          : undefined;
      }),
  );
}

/** Judges an output; gives why it is refused, undefined if it is accepted. */
async function judgeFile(work: DataCheckWork, { worker, test, group, outputFile }: {
  worker: Worker;
  test: TestCase;
  group: TestGroup;
  outputFile: string;
}): Promise<string | undefined> {
  const { host, validator, compile: { signal } } = work.context;
  using output = host.open(outputFile, { followLinks: false });
  if (!validator) {
    using answer = host.open(test.answerFile, { followLinks: false });
    const flags = test.validatorFlags ?? group.validatorFlags;
    const result = await checkOutput({ output, answer, flags });
    return result.accepted ? undefined : result.difference.reason;
  }
  const run: Assignment = { planned: { index: 0, test, group }, worker, signal };
  const { judgement: { verdict, message } } = await validateOutput(validator, { run, output });
  return verdict === "AC" ? undefined : message;
}

/** Lists what an output is judged by; one undefined: the default validator. */
function programsOf(validator: Validator | undefined): (Program | undefined)[] {
  return validator
    ? [validator, ...validator.more ?? []].map(({ program }) => program)
    : [undefined];
}
