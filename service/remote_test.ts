import { assertEquals, assertMatch } from "@std/assert";
import { PLAN, STEP } from "../ffi/abi.ts";
import type { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { ClientHands } from "./remote.ts";
import type { Client } from "./server.ts";

/** A client that answers every plan with the same number in all slots; `seen` gets the plans. */
function clientThatAnswers(value: bigint, seen: string[] = []): Client {
  const run = (plan: Plan) => {
    seen.push(new TextDecoder("latin1").decode(plan.encode()).replace(/[^ -~]+/g, ""));
    const image = plan.encode().slice();
    const view = new DataView(image.buffer);
    const slotsAt = PLAN.size + STEP.size * view.getUint32(PLAN.stepCount, true);
    for (let slot = 0; slot < view.getUint32(PLAN.slotCount, true); slot++) {
      view.setBigInt64(slotsAt + 8 * slot, value, true);
    }
    plan.adopt(image);
    return Promise.resolve();
  };
  return { connection: { run, attempt: run }, peer: {}, hello: {} } as unknown as Client;
}

Deno.test("a client can say any length of what it lists", async () => {
  const system = await System.load();
  for (const value of [0n, -1n, -5n, -4096n, -(1n << 62n)]) {
    const caller = new ClientHands(system, clientThatAnswers(value)).remoteCaller();
    assertEquals(await caller.deliverDescriptors(), []);
  }
});

Deno.test("what a client writes only in part before it exits is written to its end", async () => {
  const system = await System.load();
  for (
    const [value, expected] of [
      [3n, [/ABCDEFG$/, /DEFG$/, /G$/, /^ISPL[^A-G]*$/]],
      [0n, [/ABCDEFG$/, /ABCDEFG$/]],
      [-32n, [/ABCDEFG$/, /^ISPL[^A-G]*$/]],
      [1n << 40n, [/ABCDEFG$/, /^ISPL[^A-G]*$/]],
    ] as const
  ) {
    const seen: string[] = [];
    await new ClientHands(system, clientThatAnswers(value, seen)).writeAndExit(1, "ABCDEFG", 0);
    assertMatch(seen[0]!, expected[0]!);
    for (const [i, pattern] of expected.entries()) assertMatch(seen[i]!, pattern);
    if (value !== 0n) assertEquals(seen.length, expected.length);
  }
});
