/** Reading plans in tests, without executing them. */

import { Data, type Plan, type Step } from "isolate/ffi/plan.ts";
import { assert } from "@std/assert";

/** All steps, those of children included. */
export function allSteps(plan: Plan): readonly Step[] {
  return [...plan.steps, ...plan.childSteps()];
}

/** The steps with this operation, those of children included. */
export function stepsOf(plan: Plan, operation: string): readonly Step[] {
  return allSteps(plan).filter((step) => step.operation === operation);
}

/** The operations in order, those of children last; runs of the same one are one. */
export function operationsOf(plan: Plan): string[] {
  return allSteps(plan)
    .map((step) => step.operation)
    .filter((operation, i, all) => operation !== all[i - 1]);
}

/** The text of a step's argument; undefined if it is not a string. */
export function textOf(step: Step, index: number): string | undefined {
  const argument = step.args[index];
  return argument instanceof Data ? argument.text : undefined;
}

/** The structure that a step's argument points to, as it is before execution. */
export function structOf(plan: Plan, step: Step, index: number): DataView {
  const argument = step.args[index];
  assert(argument instanceof Data, `argument ${index} of ${step.operation} points to nothing`);
  plan.encode();
  return plan.view(argument);
}
