/** Prints plans before they are executed, in the style of strace(1). */

import { errnoName } from "./errno.ts";
import type { Argument, Plan, Slot, Step } from "./plan.ts";
import { SIGNATURES } from "./print_signatures.ts";
import { type Format, number, PlanReader } from "./print_values.ts";

/** So many steps that only count up, or only differ in the value they guard against, become one line. */
const ALIKE_MIN = 3;

/**
 * Prints a plan: one line a step, the steps of a child indented below the one that clones it, and
 * the option or rule behind the steps as a comment where it changes.
 */
export function printPlan(plan: Plan): string[] {
  return printSteps(plan.steps, new PlanReader(plan), (index) => plan.childOf(index));
}

function printSteps(
  steps: readonly Step[],
  reader: PlanReader,
  childOf: (index: number) => readonly Step[] | undefined,
): string[] {
  const lines: string[] = [];
  let reason = "";
  for (let i = 0; i < steps.length;) {
    const step = steps[i]!;
    if (step.reason !== reason) lines.push(`# ${step.reason || "as always"}`);
    reason = step.reason;
    const alike = countAlike(steps, i);
    lines.push(...printAlike(steps.slice(i, i + alike), reader));
    const child = childOf(i);
    if (child) {
      const inner = printSteps(child, reader, () => undefined);
      lines[lines.length - 1] += " {";
      lines.push(...inner.map((line) => `  ${line}`), "}");
    }
    i += alike;
  }
  return lines;
}

/** Counts the steps from the given one on that can share a line. */
function countAlike(steps: readonly Step[], first: number): number {
  for (const isNext of [countsUp, isAlternative]) {
    let count = 1;
    while (
      first + count < steps.length &&
      isNext(steps[first + count - 1]!, steps[first + count]!, steps[first]!)
    ) count++;
    if (count >= ALIKE_MIN) return count;
  }
  return 1;
}

function isSameKind(a: Step, b: Step): boolean {
  return a.operation === b.operation && a.reason === b.reason && !a.options.into &&
    !b.options.into && a.options.ignore === b.options.ignore &&
    a.options.always === b.options.always && a.args.length === b.args.length;
}

/** Tells whether a step is the one before it, but for one argument that is one more. */
function countsUp(previous: Step, step: Step, first: Step): boolean {
  if (!isSameKind(previous, step) || previous.options.when || step.options.when) return false;
  const changed = differing(previous, step);
  return changed.length === 1 &&
    step.args[changed[0]!] === Number(previous.args[changed[0]!]) + 1 &&
    (previous === first || differing(first, step)[0] === changed[0]);
}

/** Tells whether a step is the one before it for another value of the same slot: only one will run. */
function isAlternative(previous: Step, step: Step): boolean {
  const [a, b] = [previous.options.when, step.options.when];
  return isSameKind(previous, step) && a !== undefined && a[0] === b?.[0] && a[1] !== b[1];
}

function differing(a: Step, b: Step): number[] {
  return a.args.flatMap((arg, i) => arg === b.args[i] ? [] : [i]);
}

function printAlike(steps: readonly Step[], reader: PlanReader): string[] {
  const [first, last] = [steps[0]!, steps.at(-1)!];
  if (steps.length === 1) return [printStep(first, reader)];
  if (!first.options.when) {
    return [printStep(first, reader, { last, changed: differing(first, last)[0]! })];
  }
  const values = steps.slice(1).map(({ options }) => printValue(options.when![1])).join(", ");
  const slot = reader.slotName(first.options.when[0]);
  return [printStep(first, reader), `… and the like if ${slot} is ${values}`];
}

function printStep(
  step: Step,
  reader: PlanReader,
  range?: { last: Step; changed: number },
): string {
  const { operation, args } = step;
  const signature = SIGNATURES[operation];
  const formats = typeof signature === "function" ? signature(args) : signature;
  const print = (values: readonly Argument[], i: number) =>
    (formats[i] ?? number)(values[i]!, { reader, operation, args: values });
  const words = args.slice(0, shownCount(args, formats)).map((_, i) =>
    print(args, i) + (range?.changed === i ? `…${print(range.last.args, i)}` : "")
  );
  const result = step.options.into ? `${reader.slotName(step.options.into)} = ` : "";
  return `${result}${operation}(${words.join(", ")})${printTreatment(step, reader)}`;
}

/** Leaves out the zeros that only fill up a call of many shapes, such as prctl(2). */
function shownCount(args: readonly Argument[], formats: readonly Format[]): number {
  let count = args.length;
  while (count > formats.length && args[count - 1] === 0) count--;
  return count;
}

function printTreatment({ options }: Step, reader: PlanReader): string {
  const { when, ignore, always } = options;
  const words = [
    ...when ? [printGuard(when, reader)] : [],
    ...ignore === "all" ? ["may fail"] : [],
    ...typeof ignore === "number" ? [`may fail with ${errnoName(ignore)}`] : [],
    ...always ? ["always"] : [],
  ];
  return words.length === 0 ? "" : `  [${words.join("; ")}]`;
}

function printGuard([slot, value]: readonly [Slot, number], reader: PlanReader): string {
  return `if ${reader.slotName(slot)} == ${printValue(value)}`;
}

/** Prints a result; a negative one is an error. */
function printValue(value: number): string {
  return value < 0 ? `-${errnoName(-value)}` : String(value);
}
