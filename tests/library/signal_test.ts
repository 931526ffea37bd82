/** Signals to what runs in a box. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Box, Capture, SIGNALS } from "isolate/mod.ts";

const BOX_ID = 938;

/** Runs a script, and does something once it says that it is ready. */
async function runUntilReady(box: Box, script: string, then: () => void): Promise<string> {
  const stdout = new Capture({ limitBytes: 1000 });
  const run = box.run(["/bin/sh", "-c", script], { stdout, limits: { processes: 10 } });
  for (let tries = 0; !stdout.text().includes("ready"); tries++) {
    assert(tries < 1000, stdout.text());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  then();
  await run;
  return stdout.text();
}

const CHILD =
  "(trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.01; done) & child=$!; " +
  "trap 'echo parent; kill -KILL $child 2>/dev/null' TERM; wait; wait; exit 0";

Deno.test("a signal reaches all processes of a box, or only its program", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const all = await runUntilReady(box, CHILD, () => {
    assertEquals(box.signal(SIGNALS.SIGTERM), true);
  });
  assert(all.includes("parent"), all);
  const one = await runUntilReady(box, CHILD, () => {
    assertEquals(box.signal(SIGNALS.SIGTERM, { to: "program" }), true);
  });
  assertEquals(one, "ready\nparent\n");
});

Deno.test("a box in which nothing runs gets no signal", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  assertEquals(box.signal(SIGNALS.SIGTERM), false);
  await box.run(["/bin/true"]);
  assertEquals(box.signal(SIGNALS.SIGTERM), false);
});

Deno.test("a signal that does not exist is refused", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  for (const signal of [0, -1, 65, 1.5, NaN]) {
    assertThrows(() => box.signal(signal), RangeError, "signals are 1 to 64");
  }
});
