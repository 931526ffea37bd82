import { assertEquals } from "@std/assert";
import { joinBytes } from "./bytes.ts";

Deno.test("joinBytes() puts pieces one after the other, the empty ones too", () => {
  const pieces = [new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3])];
  assertEquals(joinBytes(pieces, 3), new Uint8Array([1, 2, 3]));
  assertEquals(joinBytes([], 0), new Uint8Array());
});
