import { decodeOsString, encodeOsString } from "isolate/text/os_string.ts";
import { assertEquals, assertThrows } from "@std/assert";

/** Bytes that a decoder of UTF-8 must not take for something else. */
const BROKEN: readonly (readonly number[])[] = [
  [0xff],
  [0x80],
  [0xc3], // cut short
  [0xc3, 0x28], // cut short by a letter
  [0xe2, 0x82], // two of three
  [0xf0, 0x9f, 0x98], // three of four
  [0xc0, 0xaf], // an overlong slash
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80], // a surrogate, as CESU-8 has it
  [0xed, 0xb3, 0xbf], // U+DCFF, as which we show the byte 0xff
  [0xf4, 0x90, 0x80, 0x80], // above U+10FFFF
  [0x61, 0xff, 0x62, 0xc3, 0xa4, 0xfe],
];

for (const bytes of BROKEN) {
  const name = bytes.map((byte) => byte.toString(16)).join(" ");
  Deno.test(`decodeOsString() keeps the bytes ${name}`, () => {
    const text = decodeOsString(new Uint8Array(bytes));
    assertEquals([...encodeOsString(text)], [...bytes]);
  });
}

Deno.test("decodeOsString() shows bytes that are not UTF-8 as lone surrogates", () => {
  assertEquals(decodeOsString(new Uint8Array([0x61, 0x80, 0xff])), "a\udc80\udcff");
});

Deno.test("decodeOsString() decodes what is well-formed around broken bytes", () => {
  assertEquals(decodeOsString(new Uint8Array([0xc3, 0xa4, 0xff, 0xc3, 0xa4])), "ä\udcffä");
});

Deno.test("decodeOsString() keeps a byte order mark", () => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61]);
  assertEquals(decodeOsString(bytes), "\ufeffa");
  assertEquals(encodeOsString("\ufeffa"), bytes);
  const broken = new Uint8Array([0xff, 0xef, 0xbb, 0xbf]);
  assertEquals(encodeOsString(decodeOsString(broken)), broken);
});

Deno.test("decodeOsString() of nothing is the empty string", () => {
  assertEquals(decodeOsString(new Uint8Array()), "");
  assertEquals(encodeOsString("").length, 0);
});

Deno.test("encodeOsString() encodes text as UTF-8", () => {
  for (const text of ["/tmp", "Käse", "漢字", "😀", "a\nb\u007f"]) {
    assertEquals(encodeOsString(text), new TextEncoder().encode(text));
  }
});

Deno.test("encodeOsString() refuses a NUL, which would end the string early", () => {
  assertThrows(() => encodeOsString("/etc/passwd\0.txt"), TypeError, "NUL");
  assertThrows(() => encodeOsString("\udcff\0"), TypeError, "NUL");
});

Deno.test("encodeOsString() does not invent bytes for surrogates that encode none", () => {
  // U+FFFD, as everywhere on the web.
  assertEquals([...encodeOsString("\ud800")], [0xef, 0xbf, 0xbd]);
  assertEquals([...encodeOsString("\udc00")], [0xef, 0xbf, 0xbd]);
});

Deno.test("random bytes come back from a string as they were", () => {
  const random = pseudoRandom(1);
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: random(24) }, () => {
      // Mostly bytes from which UTF-8 could be made.
      const kind = random(4);
      return kind === 0 ? 1 + random(255) : kind === 1 ? 0x80 + random(64) : 0xc0 + random(64);
    });
    assertEquals(encodeOsString(decodeOsString(bytes)), bytes);
  }
});

/** A generator of integers below a bound; the same sequence for the same seed. */
function pseudoRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}
