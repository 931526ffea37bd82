/**
 * The builder of plans. A plan is a list of steps, most of them one system call each, that the
 * shim carries out in one go; it can be read (see `print.ts`) before it is executed.
 */

import {
  ABI_VERSION,
  ARGUMENT,
  NO_SLOT,
  type Operation,
  OPERATION_CODES,
  PLAN,
  PLAN_MAGIC,
  STEP,
  STEP_FLAG,
} from "./abi.ts";
import { encodeOsString } from "../text/os_string.ts";

/** Where a step's result goes; later steps can have it as an argument. */
export class Slot {
  /** Position among the plan's slots. */
  readonly index: number;
  /** What it holds, for people. */
  readonly name: string;

  /** Names a slot. */
  constructor(index: number, name: string) {
    this.index = index;
    this.name = name;
  }
}

/** A piece of the plan's data whose address a step gets. */
export class Data {
  /** Offset in the plan's data, in bytes. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** The text, if it is a string. */
  readonly text: string | undefined;

  /** Names a piece of the data. */
  constructor(offset: number, length: number, text?: string) {
    this.offset = offset;
    this.length = length;
    this.text = text;
  }

  /** A part of it. */
  part(at: number, length: number): Data {
    return new Data(this.offset + at, length);
  }
}

/** What a step can have as an argument. Negative numbers are sign-extended, as in C. */
export type Argument = number | bigint | Slot | Data;

/** How a step is treated. */
export interface StepOptions {
  /** Where the result goes (a negative errno too). */
  into?: Slot;
  /** The errno that is no failure of this step, or `"all"`. */
  ignore?: number | "all";
  /** Run even after another step has failed. */
  always?: boolean;
  /** Run only if this slot holds this value. */
  when?: readonly [Slot, number];
  /** What the step is for, as the rest of a sentence that begins with "cannot". */
  what?: string;
}

/** A step as it was planned. */
export interface Step {
  /** What it does. */
  readonly operation: Operation;
  /** Its arguments. */
  readonly args: readonly Argument[];
  /** How it is treated. */
  readonly options: StepOptions;
  /** The option or rule that led to it. */
  readonly reason: string;
}

const encoder = new TextEncoder();

/** A list of steps with the data they point to. */
export class Plan {
  /** The steps so far; children's steps are appended when the plan is encoded. */
  readonly steps: Step[] = [];
  /** The slots so far. */
  readonly slots: Slot[] = [];
  /** Descriptor on which a child says which step failed; -1: none. */
  reportFd = -1 as number;
  #children: { step: number; plan: Step[] }[] = [];
  #pointers: number[] = [];
  #data = new Uint8Array(256);
  #dataLength = 0;
  #reason = "";
  #target: Step[] = this.steps;
  #image: Uint8Array<ArrayBuffer> | undefined;
  #dataAt = 0;
  #slotsAt = 0;

  /** Names the option or rule that the steps added inside `build` come from. */
  because<T>(reason: string, build: () => T): T {
    const outer = this.#reason;
    this.#reason = reason;
    try {
      return build();
    } finally {
      this.#reason = outer;
    }
  }

  /** Adds a slot. */
  slot(name: string): Slot {
    const slot = new Slot(this.slots.length, name);
    this.slots.push(slot);
    return slot;
  }

  /** Adds a step. */
  step(operation: Operation, args: readonly Argument[], options: StepOptions = {}): void {
    this.#target.push({ operation, args, options, reason: this.#reason });
  }

  /** Adds a step that clones a child, which then runs steps of its own. */
  spawn(cloneArgs: Data, options: StepOptions, build: () => void): void {
    const outer = this.#target;
    const plan: Step[] = [];
    this.#target = plan;
    try {
      build();
    } finally {
      this.#target = outer;
    }
    if (outer !== this.steps) throw new RangeError("Cannot nest children in one plan");
    this.#children.push({ step: outer.length, plan });
    this.step("spawn", [cloneArgs], options);
  }

  /** The steps of the children, in the order in which they are encoded after {@linkcode steps}. */
  childSteps(): readonly Step[] {
    return this.#children.flatMap((child) => child.plan);
  }

  /** The steps of the child that a step clones. */
  childOf(step: number): readonly Step[] | undefined {
    return this.#children.find((child) => child.step === step)?.plan;
  }

  /** The data as planned so far; a view, not a copy. Pointers are not in it yet. */
  plannedData(): DataView<ArrayBuffer> {
    return new DataView(this.#data.buffer, 0, this.#dataLength);
  }

  /** The pointers in the data. */
  plannedPointers(): ReadonlyMap<number, number> {
    const pointers = new Map<number, number>();
    for (let i = 0; i < this.#pointers.length; i += 2) {
      pointers.set(this.#pointers[i]!, this.#pointers[i + 1]!);
    }
    return pointers;
  }

  /** Adds room to the plan's data. */
  alloc(length: number): Data {
    const offset = (this.#dataLength + 7) & ~7;
    const needed = offset + length;
    if (needed > this.#data.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#data.length));
      larger.set(this.#data.subarray(0, this.#dataLength));
      this.#data = larger;
    }
    this.#dataLength = needed;
    return new Data(offset, length);
  }

  /** Adds bytes to the plan's data. */
  bytes(bytes: Uint8Array): Data {
    const data = this.alloc(bytes.length);
    this.#data.set(bytes, data.offset);
    return data;
  }

  /** Adds a string with its terminating NUL. */
  string(text: string): Data {
    const bound = text.length * 3 + 1;
    const data = this.alloc(bound);
    if (!text.isWellFormed() || text.includes("\0")) {
      const bytes = encodeOsString(text);
      this.#data.set(bytes, data.offset);
      this.#dataLength = data.offset + bytes.length + 1;
      return new Data(data.offset, bytes.length + 1, text);
    }
    const { written } = encoder.encodeInto(text, this.#data.subarray(data.offset));
    this.#data[data.offset + written] = 0;
    this.#dataLength = data.offset + written + 1;
    return new Data(data.offset, written + 1, text);
  }

  /** Adds integers: a `u32` is a number, a `u64` a bigint. */
  struct(values: readonly (number | bigint)[]): Data {
    let length = 0;
    for (const value of values) length += typeof value === "bigint" ? 8 : 4;
    const data = this.alloc(length);
    const view = new DataView(this.#data.buffer);
    let at = data.offset;
    for (const value of values) {
      if (typeof value === "bigint") {
        view.setBigInt64(at, value, true);
        at += 8;
      } else {
        view.setInt32(at, value, true);
        at += 4;
      }
    }
    return data;
  }

  /** Adds an array of pointers to other pieces of the data, ended by a null pointer. */
  pointers(targets: readonly Data[]): Data {
    const array = this.alloc(8 * (targets.length + 1));
    targets.forEach((target, i) => this.point(array, 8 * i, target));
    return array;
  }

  /** Puts the address of a piece of data into a structure. */
  point(structure: Data, at: number, target: Data): void {
    this.#pointers.push(structure.offset + at, target.offset);
  }

  /** Writes the plan down in the form that the shim reads. */
  encode(): Uint8Array<ArrayBuffer> {
    const all = this.#children.length === 0 ? this.steps : [...this.steps, ...this.childSteps()];
    const slotsAt = PLAN.size + all.length * STEP.size;
    const pointersAt = slotsAt + this.slots.length * 8;
    const dataAt = pointersAt + this.#pointers.length * 4;
    const size = (dataAt + this.#dataLength + 8) & ~7;
    const image = new Uint8Array(size);
    const words = new Int32Array(image.buffer);
    const header: [number, number][] = [
      [PLAN.magic, PLAN_MAGIC],
      [PLAN.version, ABI_VERSION],
      [PLAN.totalSize, size],
      [PLAN.stepCount, all.length],
      [PLAN.mainCount, this.steps.length],
      [PLAN.slotCount, this.slots.length],
      [PLAN.pointerCount, this.#pointers.length / 2],
      [PLAN.reportFd, this.reportFd],
    ];
    for (const [at, value] of header) words[at / 4] = value;
    all.forEach((step, i) => encodeStep(words, (PLAN.size + i * STEP.size) / 4, step));
    let first = this.steps.length;
    for (const child of this.#children) {
      const at = (PLAN.size + child.step * STEP.size + STEP.args) / 4;
      // The arguments of "spawn": clone_args and their size, first step, number of steps.
      words[at + 2] = 88;
      words[at + 4] = first;
      words[at + 6] = child.plan.length;
      first += child.plan.length;
    }
    // What no step has filled is no descriptor: 0 would be the caller's standard input.
    words.fill(-1, slotsAt / 4, pointersAt / 4);
    words.set(this.#pointers, pointersAt / 4);
    image.set(this.#data.subarray(0, this.#dataLength), dataAt);
    this.#image = image;
    this.#dataAt = dataAt;
    this.#slotsAt = slotsAt;
    return image;
  }

  /** What a slot holds after execution. */
  result(slot: Slot): number {
    const image = this.#executed();
    return Number(new DataView(image.buffer).getBigInt64(this.#slotsAt + slot.index * 8, true));
  }

  /**
   * Gives a slot a value for the next execution of a plan that is executed many times: an argument
   * that changes from one execution to the next, such as an offset in a file.
   */
  put(slot: Slot, value: number): void {
    const at = this.#slotsAt + slot.index * 8;
    new DataView(this.#executed().buffer).setBigInt64(at, BigInt(value), true);
  }

  /** A piece of the data as it is after execution; a view, not a copy. */
  view(data: Data): DataView<ArrayBuffer> {
    return new DataView(this.#executed().buffer, this.#dataAt + data.offset, data.length);
  }

  /** Bytes of the data as they are after execution; a view, not a copy. */
  content(data: Data, length: number = data.length): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#executed().buffer, this.#dataAt + data.offset, length);
  }

  #executed(): Uint8Array<ArrayBuffer> {
    if (this.#image === undefined) throw new RangeError("Cannot read from a plan never encoded");
    return this.#image;
  }
}

/** Operations in which an address is followed by the number of bytes that must lie there. */
const BUFFER_ARGUMENT: Partial<Record<Operation, number>> = {
  read: 1,
  write: 1,
  pread64: 1,
  pwrite64: 1,
  getdents64: 1,
  readlinkat: 2,
  sendto: 1,
  spawn: 0,
  store: 0,
  mount_setattr: 3,
  openat2: 2,
};

function encodeStep(words: Int32Array, at: number, step: Step): void {
  const { operation, args, options } = step;
  const code = OPERATION_CODES.get(operation);
  if (code === undefined) throw new TypeError(`Cannot plan the unknown operation ${operation}`);
  let flags = 0;
  let ignoredErrno = 0;
  if (options.ignore === "all") flags |= STEP_FLAG.ignore;
  else if (options.ignore !== undefined) ignoredErrno = options.ignore;
  if (options.always) flags |= STEP_FLAG.always;
  words[at] = code | flags << 16 | ignoredErrno << 24;
  words[at + 1] = (options.into?.index ?? NO_SLOT) | (options.when?.[0].index ?? NO_SLOT) << 16;
  words[at + 2] = options.when?.[1] ?? 0;
  let kinds = 0;
  const buffer = BUFFER_ARGUMENT[operation];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const word = at + 4 + 2 * i;
    if (typeof arg === "number") {
      words[word] = arg % 2 ** 32;
      words[word + 1] = Math.floor(arg / 2 ** 32);
    } else if (typeof arg === "bigint") {
      words[word] = Number(BigInt.asIntN(32, arg));
      words[word + 1] = Number(BigInt.asIntN(32, arg >> 32n));
    } else if (arg instanceof Slot) {
      kinds |= ARGUMENT.slot << (4 * i);
      words[word] = arg.index;
    } else {
      // A length that only execution will tell is the kernel's to check, and the planner's.
      const isChecked = i === buffer && !(args[i + 1] instanceof Slot);
      kinds |= (isChecked ? ARGUMENT.buffer : ARGUMENT.data) << (4 * i);
      words[word] = arg.offset;
    }
  }
  words[at + 3] = kinds;
}
