/**
 * Prints plans in the style of strace, before they are executed.
 *
 * @module
 */

import type { Argument, Plan, Step } from "./plan.ts";
import { Slot } from "./plan.ts";

/**
 * Prints a plan.
 *
 * @param plan the plan
 * @returns one line a step
 */
export function printPlan(plan: Plan): string[] {
  return [...plan.steps, ...plan.childSteps()].map((step) => printStep(step));
}

function printStep(step: Step): string {
  return `${step.operation}(${step.args.map(printArgument).join(", ")})`;
}

function printArgument(argument: Argument): string {
  if (argument instanceof Slot) return `$${argument.name}`;
  if (typeof argument === "object") {
    return argument.text === undefined ? "…" : JSON.stringify(argument.text);
  }
  return String(argument);
}
