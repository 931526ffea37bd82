import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { replaceConstants, replaceInBytes } from "./constants.ts";

const CONSTANTS = { n: "5", long_name: "{{n}}" };

Deno.test("constants replace what has their names in two braces, once, and nothing else", () => {
  const text = "{{n}} {n} {{ n }} {{m}} {{long_name}} {{{n}}} {{toString}}";
  const replaced = "5 {n} {{ n }} {{m}} {{n}} {5} {{toString}}";
  assertEquals(replaceConstants(text, CONSTANTS), replaced);
  const bytes = new TextEncoder().encode(`\ufeff${text}\r\n`);
  assertEquals(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(replaceInBytes(bytes, CONSTANTS)),
    `\ufeff${replaced}\r\n`,
  );
});

Deno.test("a file that is no text stays as it is", () => {
  const bytes = new Uint8Array([0x7b, 0x7b, 0x6e, 0x7d, 0x7d, 0xff]);
  assertEquals(replaceInBytes(bytes, CONSTANTS), bytes);
});

Deno.test("constants make no file without bound", () => {
  const constants = { n: "x".repeat(1000) };
  const bytes = new TextEncoder().encode("{{n}}".repeat(100_000));
  assertThrows(
    () => replaceInBytes(bytes, constants),
    ExpectedError,
    "constants make a file of more",
  );
});
