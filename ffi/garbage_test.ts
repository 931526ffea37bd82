import { assertEquals, assertLess } from "@std/assert";
import { collectGarbage, heapBytes } from "./garbage.ts";

Deno.test("collectGarbage() makes the heap small again", async () => {
  // It is large enough that the runtime has it in pages that live long.
  let garbage: unknown[] = Array.from({ length: 300_000 }, (_, i) => ({ value: i, list: [i] }));
  const before = heapBytes();
  assertEquals(garbage.length, 300_000);
  garbage = [];
  await collectGarbage();
  assertLess(heapBytes(), before - (10 << 20));
});
