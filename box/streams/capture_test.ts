import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Capture } from "./capture.ts";

function bytes(length: number, value = 1): Uint8Array {
  return new Uint8Array(length).fill(value);
}

Deno.test("add() keeps exactly as much as the limit allows", () => {
  for (const limitBytes of [0, 1, 4095, 4096, 4097, 100_000]) {
    for (const piece of [1, 7, 4096, 50_000]) {
      const capture = new Capture({ limitBytes });
      let written = 0;
      for (; written + piece <= limitBytes; written += piece) {
        assertEquals(capture.add(bytes(piece)), true);
      }
      assertEquals(capture.truncated, false);
      assertEquals(capture.bytes.length, written);
      assertEquals(capture.add(bytes(limitBytes - written)), true);
      assertEquals(capture.truncated, false);
      assertEquals(capture.add(bytes(1, 2)), false);
      assertEquals([capture.truncated, capture.bytes.length], [true, limitBytes]);
      assertEquals(capture.bytes.includes(2), false);
    }
  }
});

Deno.test("add() keeps the beginning of a piece that is too large", () => {
  const capture = new Capture({ limitBytes: 3 });
  assertEquals(capture.add(new TextEncoder().encode("abcdef")), false);
  assertEquals([capture.text(), capture.truncated], ["abc", true]);
});

Deno.test("add() copies: the caller may use its bytes again", () => {
  const capture = new Capture({ limitBytes: 10 });
  const given = bytes(2, 65);
  capture.add(given);
  given.fill(66);
  assertEquals(capture.text(), "AA");
});

Deno.test("a large limit takes no memory before there is output", () => {
  const capture = new Capture({ limitBytes: Number.MAX_SAFE_INTEGER });
  capture.add(bytes(5));
  assertEquals(capture.bytes.buffer.byteLength, 4096);
});

Deno.test("text() keeps a byte order mark, and replaces invalid UTF-8", () => {
  const capture = new Capture({ limitBytes: 10 });
  capture.add(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff]));
  assertStrictEquals(capture.text(), "\ufeffa\ufffd");
});

Deno.test("a Capture refuses limits that are not a whole number of bytes", () => {
  for (const limitBytes of [-1, 1.5, NaN, Infinity, 2 ** 60]) {
    assertThrows(() => new Capture({ limitBytes }), RangeError, `current value is ${limitBytes}`);
  }
});
