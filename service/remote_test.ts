import { assertEquals } from "@std/assert";
import { PLAN, STEP } from "../ffi/abi.ts";
import type { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { ClientHands } from "./remote.ts";
import type { Client } from "./server.ts";

/** A client that answers every plan with the same number in all slots. */
function clientThatAnswers(value: bigint): Client {
  const run = (plan: Plan) => {
    const image = plan.encode().slice();
    const view = new DataView(image.buffer);
    const slotsAt = PLAN.size + STEP.size * view.getUint32(PLAN.stepCount, true);
    for (let slot = 0; slot < view.getUint32(PLAN.slotCount, true); slot++) {
      view.setBigInt64(slotsAt + 8 * slot, value, true);
    }
    plan.adopt(image);
    return Promise.resolve();
  };
  return { connection: { run }, peer: {}, hello: {} } as unknown as Client;
}

Deno.test("a client can say any length of what it lists", async () => {
  const system = await System.load();
  for (const value of [0n, -1n, -5n, -4096n, -(1n << 62n)]) {
    const caller = new ClientHands(system, clientThatAnswers(value)).remoteCaller();
    assertEquals(await caller.deliverDescriptors(), []);
  }
});
