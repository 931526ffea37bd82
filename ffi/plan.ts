/**
 * Builds plans. A plan is a list of steps, most of them one system call each, which the shim
 * executes in one go; people can read it (see `print.ts`) before that.
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
import { CLONE_INTO_CGROUP, SIGCHLD } from "./linux.ts";
import { encodeOsString } from "../text/os_string.ts";
import { zeroedBytes } from "./slab.ts";

/** Takes a step's result; later steps can have it as an argument. */
export class Slot {
  readonly index: number;
  /** Names it in traces. */
  readonly name: string;

  constructor(index: number, name: string) {
    this.index = index;
    this.name = name;
  }
}

/** Is a piece of the plan's data, whose address a step gets. */
export class Data {
  readonly offset: number;
  readonly length: number;
  readonly text: string | undefined;

  constructor(offset: number, length: number, text?: string) {
    this.offset = offset;
    this.length = length;
    this.text = text;
  }

  part(at: number, length: number): Data {
    return new Data(this.offset + at, length);
  }
}

/** What a step can have as an argument. Negative numbers are sign-extended, as in C. */
export type Argument = number | bigint | Slot | Data;

export interface StepOptions {
  /** Takes the result, or the negative errno. */
  into?: Slot;
  /** The errno that is not a failure of this step, or `"all"`. */
  ignore?: number | "all";
  /** Run even after another step has failed. */
  always?: boolean;
  /** Run only if this slot holds this value. */
  when?: readonly [Slot, number];
  /** What the step is for, as the rest of a sentence that begins with "cannot". */
  what?: string;
}

export interface Step {
  readonly operation: Operation;
  readonly args: readonly Argument[];
  readonly options: StepOptions;
  /** The option or rule of a person that led to it. */
  readonly reason: string;
}

const encoder = new TextEncoder();
const NO_WORDS = new Int32Array(0);

/** Collects steps and the data that they point to. */
export class Plan {
  /** Those of children are appended when the plan is encoded. */
  readonly steps: Step[] = [];
  readonly slots: Slot[] = [];
  /** The descriptor on which a child reports the step that failed; -1: none. */
  reportFd = -1 as number;
  #children: { step: number; plan: Step[] }[] = [];
  #pointers: number[] = [];
  #data = zeroedBytes(256);
  #dataLength = 0;
  #reason = "";
  #target: Step[] = this.steps;
  #image: Uint8Array<ArrayBuffer> | undefined;
  #words = NO_WORDS;
  #dataAt = 0;
  #slotsAt = 0;

  /** Names the option or rule behind the steps that `build` adds. */
  because<T>(reason: string, build: () => T): T {
    const outer = this.#reason;
    this.#reason = reason;
    try {
      return build();
    } finally {
      this.#reason = outer;
    }
  }

  slot(name: string): Slot {
    const slot = new Slot(this.slots.length, name);
    this.slots.push(slot);
    return slot;
  }

  step(operation: Operation, args: readonly Argument[], options: StepOptions = {}): void {
    this.#target.push({ operation, args, options, reason: this.#reason });
  }

  /**
   * Adds a step that clones a child, and the steps that the child runs. With `eachOf` it clones such a child
   * for each message on that socket.
   */
  spawn(
    cloneArgs: Data,
    { eachOf, ...options }: StepOptions & { eachOf?: number },
    build: () => void,
  ): void {
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
    if (eachOf === undefined) this.step("spawn", [cloneArgs], options);
    else this.step("spawn_each", [cloneArgs, 0, 0, 0, eachOf], options);
  }

  /** Lists the steps of children in the order in which they follow {@linkcode steps}. */
  childSteps(): readonly Step[] {
    return this.#children.flatMap((child) => child.plan);
  }

  /** Finds the steps of the child that a step clones. */
  childOf(step: number): readonly Step[] | undefined {
    return this.#children.find((child) => child.step === step)?.plan;
  }

  /** Shows the data before execution: a view, not a copy, still without the pointers. */
  plannedData(): DataView<ArrayBuffer> {
    return new DataView(this.#data.buffer, this.#data.byteOffset, this.#dataLength);
  }

  /** Maps the offset of each pointer in the data to that of its target. */
  plannedPointers(): ReadonlyMap<number, number> {
    const pointers = new Map<number, number>();
    for (let i = 0; i < this.#pointers.length; i += 2) {
      pointers.set(this.#pointers[i]!, this.#pointers[i + 1]!);
    }
    return pointers;
  }

  /** Allocates zeroed bytes in the plan's data. */
  alloc(length: number): Data {
    const offset = (this.#dataLength + 7) & ~7;
    const needed = offset + length;
    if (needed > this.#data.length) {
      const larger = zeroedBytes(Math.max(needed, 2 * this.#data.length));
      larger.set(this.#data.subarray(0, this.#dataLength));
      this.#data = larger;
    }
    this.#dataLength = needed;
    return new Data(offset, length);
  }

  bytes(bytes: Uint8Array): Data {
    const data = this.alloc(bytes.length);
    this.#data.set(bytes, data.offset);
    return data;
  }

  /** Adds a string and its terminating NUL. */
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

  /** Adds integers: a number becomes 32 bits, a bigint 64. */
  struct(values: readonly (number | bigint)[]): Data {
    let length = 0;
    for (const value of values) length += typeof value === "bigint" ? 8 : 4;
    const data = this.alloc(length);
    const view = viewOf(this.#data);
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

  /** Adds `struct clone_args`, see clone3(2). The end of the child sends SIGCHLD. */
  cloneArgs({ flags = 0, cgroupFd, stack, exitSignal = SIGCHLD }: {
    flags?: number;
    /** What the end of the child sends; 0 for a child of our parent, which the kernel chooses. */
    exitSignal?: number;
    /** The control group in which the child is born; default: that of its parent. */
    cgroupFd?: number | undefined;
    /** The stack of a child that shares memory with its parent. */
    stack?: Data;
  } = {}): Data {
    const allFlags = BigInt(flags) | (cgroupFd === undefined ? 0n : BigInt(CLONE_INTO_CGROUP));
    const [stackSize, group] = [BigInt(stack?.length ?? 0), BigInt(cgroupFd ?? 0)];
    const args = this.struct(
      [allFlags, 0n, 0n, 0n, BigInt(exitSignal), 0n, stackSize, 0n, 0n, 0n, group],
    );
    if (stack) this.point(args, 40, stack);
    return args;
  }

  /** Puts the address of a piece of data into a structure. */
  point(structure: Data, at: number, target: Data): void {
    this.#pointers.push(structure.offset + at, target.offset);
  }

  /** Encodes the plan for the shim. */
  encode(): Uint8Array<ArrayBuffer> {
    const all = this.#children.length === 0 ? this.steps : [...this.steps, ...this.childSteps()];
    const slotsAt = PLAN.size + all.length * STEP.size;
    const pointersAt = slotsAt + this.slots.length * 8;
    const dataAt = pointersAt + this.#pointers.length * 4;
    const size = (dataAt + this.#dataLength + 8) & ~7;
    const image = zeroedBytes(size);
    const words = new Int32Array(image.buffer, image.byteOffset, size / 4);
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
    // An empty slot must not name a descriptor: 0 would be the caller's standard input.
    words.fill(-1, slotsAt / 4, pointersAt / 4);
    words.set(this.#pointers, pointersAt / 4);
    image.set(this.#data.subarray(0, this.#dataLength), dataAt);
    this.#image = image;
    this.#words = words;
    this.#dataAt = dataAt;
    this.#slotsAt = slotsAt;
    return image;
  }

  /** Where a slot is in the encoded plan, in bytes. */
  slotOffset(slot: Slot): number {
    this.#executed();
    return this.#slotsAt + slot.index * 8;
  }

  /** Reads a slot after execution. */
  result(slot: Slot): number {
    const at = this.#slotsAt / 4 + slot.index * 2;
    const words = this.#executedWords();
    return words[at + 1]! * 2 ** 32 + (words[at]! >>> 0);
  }

  /** Sets a slot before the next execution of a plan that runs many times: say, an offset in a file. */
  put(slot: Slot, value: number): void {
    const at = this.#slotsAt / 4 + slot.index * 2;
    const words = this.#executedWords();
    words[at] = value % 2 ** 32;
    words[at + 1] = Math.floor(value / 2 ** 32);
  }

  /**
   * Takes over the result of an execution in another process, which had a copy of the plan. Whatever
   * that process did to it changes only values, nothing that this side relies on.
   */
  adopt(executed: Uint8Array): boolean {
    const image = this.#executed();
    if (executed.length !== image.length) return false;
    image.set(executed);
    return true;
  }

  /** Reads which step failed, and why; errno 0: none. */
  failure(): { step: Step | undefined; errno: number } {
    const view = viewOf(this.#executed());
    const index = view.getUint32(PLAN.failedStep, true);
    const step = [...this.steps, ...this.childSteps()][index];
    return { step, errno: view.getInt32(PLAN.failedErrno, true) };
  }

  /** Shows a piece of the data after execution; a view, not a copy. */
  view(data: Data): DataView<ArrayBuffer> {
    const { buffer, byteOffset } = this.#executed();
    return new DataView(buffer, byteOffset + this.#dataAt + data.offset, data.length);
  }

  /** Shows bytes of the data after execution; a view, not a copy. */
  content(data: Data, length: number = data.length): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#executed();
    return new Uint8Array(buffer, byteOffset + this.#dataAt + data.offset, length);
  }

  /** The words of the image: views of 64 bits are slow. */
  #executedWords(): Int32Array {
    this.#executed();
    return this.#words;
  }

  #executed(): Uint8Array<ArrayBuffer> {
    if (this.#image === undefined) {
      throw new RangeError("Cannot read from a plan that was never encoded");
    }
    return this.#image;
  }
}

function viewOf(
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Finds the address that is followed by the number of bytes that must lie there. */
const BUFFER_ARGUMENT: Partial<Record<Operation, number>> = {
  read: 1,
  write: 1,
  pread64: 1,
  pwrite64: 1,
  getdents64: 1,
  flistxattr: 1,
  readlinkat: 2,
  sendto: 1,
  spawn: 0,
  spawn_each: 0,
  store: 0,
  load: 0,
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
      // Only execution will tell the length in a slot: the planner answers for it, not the shim.
      const isChecked = i === buffer && !(args[i + 1] instanceof Slot);
      kinds |= (isChecked ? ARGUMENT.buffer : ARGUMENT.data) << (4 * i);
      words[word] = arg.offset;
    }
  }
  words[at + 3] = kinds;
}
