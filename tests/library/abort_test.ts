/** Interrupted runs. */

import { getEventListeners } from "node:events";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Box, defaultSettings, outcomeMessage, SandboxError, toMeta } from "isolate/mod.ts";
import { processesOf } from "isolate/tests/support/isolate.ts";

const BOX_ID = 430;
const BOX_UID = defaultSettings().firstUid + BOX_ID;
const FOREVER = ["/bin/sh", "-c", "trap '' TERM INT HUP; sleep 100 & sleep 100"];
const limits = { processes: 10 };

Deno.test("an aborted run is interrupted, and everything in the box is dead", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const controller = new AbortController();
  const run = box.run(FOREVER, { limits, signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  const outcome = await run;
  assertEquals(outcome.kind, "interrupted");
  assertLess(outcome.usage.wallTimeMs, 10_000);
  assertEquals(outcomeMessage(outcome), "Interrupted");
  assertEquals(await processesOf(BOX_UID), []);
  assertEquals((await box.run(["/bin/true"])).kind, "exit");
});

Deno.test("a run that is aborted before it begins is interrupted too", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const outcome = await box.run(FOREVER, { limits, signal: AbortSignal.abort() });
  assertEquals(outcome.kind, "interrupted");
});

Deno.test("AbortSignal.timeout() serves as a limit of the caller's own", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const outcome = await box.run(FOREVER, { limits, signal: AbortSignal.timeout(100) });
  assert(outcome.kind === "interrupted");
  assertEquals(outcome.signal, undefined);
});

Deno.test("a number as the reason is the signal that is reported", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const outcome = await box.run(FOREVER, { limits, signal: AbortSignal.abort(15) });
  assert(outcome.kind === "interrupted");
  const { status, exitSignal, killed } = toMeta(outcome);
  assertEquals([outcome.signal, status, exitSignal, killed], [15, "SG", 15, true]);
});

Deno.test("a SandboxError as the reason is thrown, when the box is dead", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const reason = new SandboxError("internal", "enough of it");
  const controller = new AbortController();
  const run = box.run(FOREVER, { limits, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await assertRejects(() => run, SandboxError, "enough of it");
  assertEquals(await processesOf(BOX_UID), []);
});

Deno.test("an abort after the end changes nothing, and no listener is left", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const controller = new AbortController();
  const { signal } = controller;
  const outcome = await box.run(["/bin/true"], { signal });
  assertEquals(getEventListeners(signal, "abort").length, 0);
  controller.abort();
  assertEquals(outcome.kind, "exit");
  assertEquals((await box.run(["/bin/true"])).kind, "exit");
});

Deno.test("one signal interrupts many runs, each in its box", async () => {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (let i = 0; i < 5; i++) boxes.push(stack.use(await Box.init({ boxId: BOX_ID + i })));
  const controller = new AbortController();
  const runs = boxes.map((box) => box.run(FOREVER, { limits, signal: controller.signal }));
  setTimeout(() => controller.abort(), 100);
  const kinds = (await Promise.all(runs)).map(({ kind }) => kind);
  assertEquals(kinds, boxes.map(() => "interrupted"));
});
