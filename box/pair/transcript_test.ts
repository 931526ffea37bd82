import { Transcript } from "./transcript.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const bytes = (text: string) => new TextEncoder().encode(text);
const told = ({ pieces }: Transcript) =>
  pieces.map(({ from, bytes }) => `${from}: ${new TextDecoder().decode(bytes)}`);

Deno.test("an empty Transcript has no pieces", () => {
  const transcript = new Transcript({ limitBytes: 10 });
  assertEquals([told(transcript), transcript.truncated], [[], false]);
});

Deno.test("Transcript makes one piece of what one side says until the other speaks", () => {
  const transcript = new Transcript({ limitBytes: 100 });
  for (const text of ["a", "b", "c"]) transcript.add("second", bytes(text));
  transcript.add("first", bytes("d"));
  transcript.add("first", bytes(""));
  transcript.add("second", bytes("e"));
  assertEquals(told(transcript), ["second: abc", "first: d", "second: e"]);
  assertEquals(transcript.truncated, false);
});

Deno.test("Transcript keeps exactly so many bytes, and says when there were more", () => {
  const transcript = new Transcript({ limitBytes: 5 });
  transcript.add("first", bytes("abc"));
  transcript.add("second", bytes("de"));
  assertEquals([told(transcript), transcript.truncated], [["first: abc", "second: de"], false]);
  transcript.add("second", bytes(""));
  assertEquals(transcript.truncated, false);
  transcript.add("first", bytes("f"));
  assertEquals([told(transcript), transcript.truncated], [["first: abc", "second: de"], true]);
});

Deno.test("Transcript with a limit of 0 keeps nothing", () => {
  const transcript = new Transcript({ limitBytes: 0 });
  transcript.add("first", bytes("abc"));
  assertEquals([told(transcript), transcript.truncated], [[], true]);
});

Deno.test("Transcript copies what it is given, and gives copies", () => {
  const transcript = new Transcript({ limitBytes: 10_000 });
  const said = bytes("x".repeat(5000));
  transcript.add("first", said);
  said.fill(0);
  transcript.pieces[0]!.bytes.fill(1);
  assert(transcript.pieces[0]!.bytes.every((byte) => byte === 0x78));
});

Deno.test("Transcript refuses a limit that is not a number of bytes", () => {
  for (const limitBytes of [-1, 0.5, NaN, Infinity]) {
    assertThrows(
      () => new Transcript({ limitBytes }),
      RangeError,
      `must be a whole number >= 0: current value is ${limitBytes}`,
    );
  }
});
