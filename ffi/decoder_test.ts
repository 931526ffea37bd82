/**
 * What the shim's decoder of plans refuses. Each test damages the image of a good plan in one place;
 * the shim must answer -EINVAL and execute nothing, not even the step before the damage.
 */

import { ABI_VERSION, ARGUMENT, NO_SLOT, OPERATION_CODES, PLAN, STEP } from "isolate/ffi/abi.ts";
import { library } from "isolate/ffi/library.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { assertEquals } from "@std/assert";

const EINVAL = -22;
const SLOTS = 2;
const STEPS = 5;
const DATA_SIZE = 88 + 8 + 8 + 8; // clone_args, a stored word, a pointer, the rest with the last 0
const SPAWN = 2;
const STORE = 3;
const SLOTS_AT = PLAN.size + STEPS * STEP.size;
const POINTERS_AT = SLOTS_AT + SLOTS * 8;

/** A plan with everything that can be damaged; it gets the process id and makes a child that exits. */
function goodPlan(): { image: Uint8Array<ArrayBuffer>; view: DataView } {
  const plan = new Plan();
  const pid = plan.slot("pid");
  const child = plan.slot("child");
  const cloneArgs = plan.struct([0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  const word = plan.alloc(8);
  const pointer = plan.alloc(8);
  plan.point(pointer, 0, word);
  plan.step("getpid", [], { into: pid });
  plan.step("getppid", [], { when: [pid, 0] });
  plan.spawn(cloneArgs, { into: child }, () => plan.step("exit_group", [0]));
  plan.step("store", [word, 8, pid]);
  const image = plan.encode();
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  // Without an exit signal nobody has to wait for the child; here it is never made.
  assertEquals(view.getUint32(PLAN.stepCount, true), STEPS);
  return { image, view };
}

/** Where a field of a step lies. */
function at(step: number, field: number): number {
  return PLAN.size + step * STEP.size + field;
}

function argument(step: number, index: number): number {
  return at(step, STEP.args) + 8 * index;
}

async function assertRefused(
  damage: (view: DataView, image: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | void,
): Promise<void> {
  const { exec } = await library();
  const { image, view } = goodPlan();
  const damaged = damage(view, image) ?? image;
  assertEquals(exec(damaged), EINVAL);
  if (damaged.length > SLOTS_AT + 8) {
    assertEquals(view.getBigInt64(SLOTS_AT, true), -1n, "the first step was executed");
  }
  if (damaged.length >= PLAN.size) {
    assertEquals(view.getInt32(PLAN.failedErrno, true), 0, "a step was said to have failed");
  }
}

/** Registers a test of a plan that is damaged and refused. */
function refuses(what: string, damage: Parameters<typeof assertRefused>[0]): void {
  Deno.test(`the decoder refuses ${what}`, () => assertRefused(damage));
}

Deno.test("the plan that the tests of the decoder damage is a good one", async () => {
  const { exec } = await library();
  const { image, view } = goodPlan();
  // The spawn is left out: this is about the decoder.
  view.setUint16(at(SPAWN, STEP.guardSlot), 1, true);
  view.setInt32(at(SPAWN, STEP.guardValue), -1, true);
  assertEquals(exec(image), 0);
  assertEquals(view.getBigInt64(SLOTS_AT, true), BigInt(Deno.pid));
  assertEquals(view.getUint32(PLAN.totalSize, true), POINTERS_AT + 8 + DATA_SIZE);
});

refuses("nothing at all", () => new Uint8Array());
refuses("less than a header", (_, image) => image.slice(0, PLAN.size - 1));
refuses("a header alone", (view, image) => {
  for (const at of [PLAN.stepCount, PLAN.mainCount, PLAN.slotCount, PLAN.pointerCount]) {
    view.setUint32(at, 0, true);
  }
  view.setUint32(PLAN.totalSize, PLAN.size, true);
  return image.slice(0, PLAN.size);
});
refuses("another magic number", (view) => view.setUint32(PLAN.magic, 0x4c505348, true));
refuses("an older version", (view) => view.setUint32(PLAN.version, ABI_VERSION - 1, true));
refuses("a newer version", (view) => view.setUint32(PLAN.version, ABI_VERSION + 1, true));
refuses("a size that is larger than the image", (view, image) => {
  view.setUint32(PLAN.totalSize, image.length + 8, true);
});
refuses("a size that is smaller than the image", (view, image) => {
  view.setUint32(PLAN.totalSize, image.length - 8, true);
});
refuses("an image that is cut short", (_, image) => image.slice(0, -8));
refuses("an image that does not lie on a boundary of 8 bytes", (_, image) => {
  const shifted = new Uint8Array(image.length + 8).subarray(4, 4 + image.length);
  shifted.set(image);
  return shifted;
});
refuses("more steps than there is room for", (view) => {
  view.setUint32(PLAN.stepCount, 0xffffffff, true);
});
refuses("one step more than there is", (view) => view.setUint32(PLAN.stepCount, STEPS + 1, true));
refuses("more main steps than steps", (view) => view.setUint32(PLAN.mainCount, STEPS + 1, true));
refuses("more slots than there is room for", (view) => view.setUint32(PLAN.slotCount, 65000, true));
refuses("more slots than can be named", (view) => view.setUint32(PLAN.slotCount, NO_SLOT, true));
refuses("more slots than a word can count bytes of", (view) => {
  view.setUint32(PLAN.slotCount, 0x20000000, true);
});
refuses("more pointers than there is room for", (view) => {
  view.setUint32(PLAN.pointerCount, 0x20000001, true);
});
refuses("data that does not end with a NUL", (_, image) => {
  image[image.length - 1] = 1;
});
refuses("a plan without data", (view, image) => {
  view.setUint32(PLAN.pointerCount, 1 + DATA_SIZE / 8, true);
  image.fill(0, POINTERS_AT);
});
refuses("an operation that there is not", (view) => {
  view.setUint16(at(1, STEP.operation), OPERATION_CODES.size, true);
});
refuses("an operation far outside", (view) => view.setUint16(at(0, STEP.operation), 0xffff, true));
refuses("a flag that there is not", (view) => view.setUint8(at(0, STEP.flags), 4));
refuses("a result slot that there is not", (view) => {
  view.setUint16(at(0, STEP.resultSlot), SLOTS, true);
});
refuses("a guard slot that there is not", (view) => {
  view.setUint16(at(1, STEP.guardSlot), NO_SLOT - 1, true);
});
refuses("an argument of no known kind", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.slot + 1, true);
});
refuses("kinds of more arguments than there are", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.data << 24, true);
});
refuses("a slot as an argument that there is not", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.slot << 20, true);
  view.setBigUint64(argument(0, 5), BigInt(SLOTS), true);
});
refuses("a slot whose number only begins well", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.slot, true);
  view.setBigUint64(argument(0, 0), 1n << 32n, true);
});
refuses("an address just after the data", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.data, true);
  view.setBigUint64(argument(0, 0), BigInt(DATA_SIZE), true);
});
refuses("an address far before the data", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.data, true);
  view.setBigInt64(argument(0, 0), -8n, true);
});
refuses("a buffer that ends outside the data", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.buffer, true);
  view.setBigUint64(argument(0, 0), 8n, true);
  view.setBigUint64(argument(0, 1), BigInt(DATA_SIZE - 7), true);
});
refuses("a buffer whose end wraps around", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.buffer, true);
  view.setBigUint64(argument(0, 0), 8n, true);
  view.setBigInt64(argument(0, 1), -4n, true);
});
refuses("a buffer whose length comes from a slot", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.buffer | ARGUMENT.slot << 4, true);
});
refuses("a buffer as the last argument, which has no length", (view) => {
  view.setUint32(at(0, STEP.kinds), ARGUMENT.buffer << 20, true);
});
refuses("a child whose steps begin before the step that makes it", (view) => {
  view.setBigUint64(argument(SPAWN, 2), BigInt(SPAWN - 1), true);
});
refuses("a child that begins with the step that makes it", (view) => {
  view.setBigUint64(argument(SPAWN, 2), BigInt(SPAWN), true);
});
refuses("a child whose steps are the main ones", (view) => {
  view.setBigUint64(argument(SPAWN, 2), BigInt(STORE), true);
});
refuses("a child whose steps begin after the last", (view) => {
  view.setBigUint64(argument(SPAWN, 2), BigInt(STEPS + 1), true);
  view.setBigUint64(argument(SPAWN, 3), 0n, true);
});
refuses("a child with more steps than there are", (view) => {
  view.setBigUint64(argument(SPAWN, 3), 2n, true);
});
refuses("a child with so many steps that their end wraps around", (view) => {
  view.setBigInt64(argument(SPAWN, 3), -1n, true);
});
refuses("a child whose clone_args have another size", (view) => {
  view.setBigUint64(argument(SPAWN, 1), 64n, true);
});
refuses("a child whose clone_args are not a buffer", (view) => {
  view.setUint32(at(SPAWN, STEP.kinds), ARGUMENT.data, true);
});
refuses("a child whose number of steps comes from a slot", (view) => {
  view.setUint32(at(SPAWN, STEP.kinds), ARGUMENT.buffer | ARGUMENT.slot << 12, true);
});
refuses("a store of another width", (view) => view.setBigUint64(argument(STORE, 1), 2n, true));
refuses("a store to a bare address", (view) => view.setUint32(at(STORE, STEP.kinds), 0, true));
refuses("a store to an address from a slot", (view) => {
  view.setUint32(at(STORE, STEP.kinds), ARGUMENT.slot, true);
});
refuses("a store that is not aligned", (view) => {
  view.setBigUint64(argument(STORE, 0), 4n, true);
});
refuses("a store that ends outside the data", (view) => {
  view.setBigUint64(argument(STORE, 0), BigInt(DATA_SIZE), true);
});
refuses("a pointer that is not aligned", (view) => view.setUint32(POINTERS_AT, 4, true));
refuses("a pointer that lies outside the data", (view) => {
  view.setUint32(POINTERS_AT, DATA_SIZE, true);
});
refuses("a pointer that leads outside the data", (view) => {
  view.setUint32(POINTERS_AT + 4, DATA_SIZE, true);
});
