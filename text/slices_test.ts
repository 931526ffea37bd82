import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { atOnce, inSlices } from "./slices.ts";

function* count(steps: number, stepMs: number, closed: string[] = []): Generator<void, number> {
  try {
    for (let i = 0; i < steps; i++) {
      const endMs = performance.now() + stepMs;
      while (performance.now() < endMs);
      yield;
    }
    return steps;
  } finally {
    closed.push("closed");
  }
}

Deno.test("inSlices() does short work at once", () => {
  assertEquals(inSlices(count(3, 0)), 3);
});

Deno.test("inSlices() lets others have their turn during long work", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const result = inSlices(count(60, 1));
  assert(result instanceof Promise);
  assertEquals(await result, 60);
  clearInterval(timer);
  assert(turns >= 3, `${turns} turns`);
});

Deno.test("inSlices() and atOnce() hand on what is thrown, at once or later", async () => {
  function* fail(steps: number): Generator<void, never> {
    yield* count(steps, 1);
    throw new RangeError("no");
  }
  assertThrows(() => inSlices(fail(0)), RangeError);
  await assertRejects(() => Promise.resolve(inSlices(fail(20))), RangeError);
  assertThrows(() => atOnce(fail(20)), RangeError);
  const closed: string[] = [];
  assertEquals(atOnce(count(2, 0, closed)), 2);
  assertEquals(closed, ["closed"]);
});
