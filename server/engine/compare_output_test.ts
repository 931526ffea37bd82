import { assertEquals } from "@std/assert";
import { compareOutput } from "./compare_output.ts";
import type { Comparison } from "./types.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Compares, and gives `true` or how it differs. */
async function compare(comparison: Comparison, actual: string, expected: string) {
  const { isAccepted, difference } = await compareOutput(bytes(actual), {
    expected: bytes(expected),
    comparison,
  });
  return isAccepted || difference;
}

Deno.test("compareOutput() by lines ignores white space at the ends of lines and of the output", async () => {
  assertEquals(await compare("lines", "a b \r\nc\n\n \n", "a b\nc"), true);
  assertEquals(await compare("lines", "", "\n"), true);
  assertEquals(await compare("lines", "a  b", "a b"), 'Line 1: expected "a b", got "a  b"');
  assertEquals(await compare("lines", " a", "a"), 'Line 1: expected "a", got " a"');
  assertEquals(await compare("lines", "a\n\nb", "a\nb"), 'Line 2: expected "b", got ""');
  assertEquals(await compare("lines", "a", "a\nb"), 'Line 2: the output ends, expected "b"');
  assertEquals(
    await compare("lines", "a\nb", "a"),
    "Line 2: the output has more lines than expected",
  );
});

Deno.test("compareOutput() byte by byte ignores nothing", async () => {
  assertEquals(await compare("exact", "a\n", "a\n"), true);
  assertEquals(
    await compare("exact", "a", "a\n"),
    'Line 2: the output ends, expected ""',
  );
  assertEquals(await compare("exact", "a ", "a"), 'Line 1: expected "a", got "a "');
});

Deno.test("compareOutput() word by word ignores white space, and finds words far away", async () => {
  assertEquals(await compare("words", "1\n2  3", "1 2 3\n"), true);
  const long = "word ".repeat(100_000);
  assertEquals(await compare("words", `${long}x`, `${long}x`), true);
  assertEquals(typeof await compare("words", `${long}x`, `${long}y`), "string");
});
