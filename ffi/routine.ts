/** Plans that are built once and executed again and again: to build one takes longer than to execute it. */

import { Plan, type Slot } from "./plan.ts";
import type { System, SystemError } from "./system.ts";

/** A plan as it was executed last, and what its builder returned. Both are good until the next time. */
export interface Executed<Parts> {
  readonly plan: Plan;
  readonly parts: Parts;
  readonly failure: SystemError | undefined;
}

interface Prepared<Parts> {
  readonly plan: Plan;
  readonly parts: Parts;
  readonly execute: (
    inputs: readonly number[],
    fill?: (plan: Plan, parts: Parts) => void,
  ) => SystemError | undefined;
}

/** A plan that differs only in some numbers, its inputs, from one time to the next. */
export class Routine<Parts> {
  readonly #title: string;
  readonly #inputs: readonly string[];
  readonly #build: (plan: Plan, ...inputs: (number | Slot)[]) => Parts;
  readonly #prepared = new WeakMap<System, Prepared<Parts>>();

  /** Builds nothing yet; `inputs` names what the builder gets. */
  constructor(
    title: string,
    inputs: readonly string[],
    build: (plan: Plan, ...inputs: (number | Slot)[]) => Parts,
  ) {
    this.#title = title;
    this.#inputs = inputs;
    this.#build = build;
  }

  /** Executes it; throws if a step fails. */
  run(system: System, ...inputs: number[]): Executed<Parts> {
    const executed = this.attempt(system, ...inputs);
    if (executed.failure) throw executed.failure;
    return executed;
  }

  /** Executes it; returns the failure too. */
  attempt(system: System, ...inputs: number[]): Executed<Parts> {
    return this.attemptWith(system, inputs);
  }

  /** The same, after `fill` has filled in data of the encoded plan. */
  attemptWith(
    system: System,
    inputs: readonly number[],
    fill?: (plan: Plan, parts: Parts) => void,
  ): Executed<Parts> {
    // Who reads a trace wants to see each one, with its numbers.
    if (system.trace) {
      const plan = new Plan();
      const parts = this.#build(plan, ...inputs);
      const execute = system.prepare(plan, this.#title);
      fill?.(plan, parts);
      return { plan, parts, failure: execute() };
    }
    let prepared = this.#prepared.get(system);
    if (!prepared) this.#prepared.set(system, prepared = this.#prepare(system));
    const { plan, parts, execute } = prepared;
    return { plan, parts, failure: execute(inputs, fill) };
  }

  #prepare(system: System): Prepared<Parts> {
    const plan = new Plan();
    const slots = this.#inputs.map((name) => plan.slot(name));
    const parts = this.#build(plan, ...slots);
    const execute = system.prepareAfresh(plan, this.#title);
    return {
      plan,
      parts,
      execute: (inputs, fill) =>
        execute(() => {
          for (let i = 0; i < slots.length; i++) plan.put(slots[i]!, inputs[i]!);
          fill?.(plan, parts);
        }),
    };
  }
}
