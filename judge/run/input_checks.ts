/** Checks the inputs of a package with its input validators. */

import type { TestCase, TestGroup } from "../types.ts";
import type { DataCheckWork } from "./data_check_work.ts";
import { type InputValidator, type InputVerdict, validateInput } from "./input_validator.ts";
import type { PlacedTest } from "./tests_digest.ts";
import type { Worker } from "./workers.ts";

/** Runs a validator on all inputs, also on those that belong to outputs. */
export async function checkInputs(
  work: DataCheckWork,
  { source, program }: InputValidator,
): Promise<void> {
  const others = work.checks.outputs.map(({ test }) => work.besides(test));
  const tests = [...work.tests, ...others];
  const { complaints: to } = work.findings;
  await work.unlessKnown(
    { what: "inputs", programs: [program], tests, to },
    () =>
      work.each(tests, async (worker, { test, group }) => {
        const { isAccepted, reason } = await validate(work, {
          worker,
          ...{ source, program, test, group },
        });
        return isAccepted
          ? undefined
          : `${test.name}.in is refused by the input validator ${source.name}: ${reason}`;
      }),
  );
}

export async function checkInvalidInputs(
  work: DataCheckWork,
  validators: readonly InputValidator[],
): Promise<void> {
  const tests = work.checks.invalidInputs.map((test) => work.besides(test));
  const programs = validators.map(({ program }) => program);
  const { complaints: to } = work.findings;
  await work.unlessKnown(
    { what: "invalid inputs", programs, tests, to },
    () =>
      work.each(
        tests,
        async (worker, placed) =>
          await isRefused(work, { worker, validators, placed })
            ? undefined
            : `${placed.test.name}.in must be refused, but every input validator accepts it`,
      ),
  );
}

/** Tries whether some validator reads an input to its end. */
export async function checkTrailingInput(
  work: DataCheckWork,
  validators: readonly InputValidator[],
): Promise<void> {
  const programs = validators.map(({ program }) => program);
  const tests = work.small(({ inputFile }) => inputFile);
  const { warnings: to } = work.findings;
  await work.unlessKnown(
    { what: "trailing input", programs, tests, to },
    () =>
      work.each(tests, async (worker, { test, group }) => {
        const placed = {
          test: { ...test, inputFile: work.trailing.extend(test.inputFile) },
          group,
        };
        return await isRefused(work, { worker, validators, placed })
          ? undefined
          : `The input validators do not notice trailing input: they accept ${test.name}.in with ` +
            "a line more";
      }),
  );
}

async function isRefused(work: DataCheckWork, { worker, validators, placed }: {
  worker: Worker;
  validators: readonly InputValidator[];
  placed: PlacedTest;
}): Promise<boolean> {
  for (const validator of validators) {
    const { isAccepted } = await validate(work, { worker, ...validator, ...placed });
    if (!isAccepted) return true;
  }
  return false;
}

function validate(
  work: DataCheckWork,
  { worker, test, group, ...validator }: InputValidator & {
    worker: Worker;
    test: TestCase;
    group: TestGroup;
  },
): Promise<InputVerdict> {
  const { problem: { limits }, host, compile: { signal } } = work.context;
  return validateInput(validator, { worker, test, group, limits, host, signal });
}
