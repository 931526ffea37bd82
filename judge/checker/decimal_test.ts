import { parseDecimal } from "isolate/judge/checker/decimal.ts";
import { assertEquals } from "@std/assert";

function parse(text: string): number {
  const bytes = new TextEncoder().encode(`9${text}9`);
  return parseDecimal(bytes, 1, bytes.length - 1);
}

Deno.test("parseDecimal() reads what JavaScript reads as the same double", () => {
  const texts = ["0", "-0", "+7", "5.", ".5", "-.5e-3", "1e22", "1e23", "123456789012345", "0.1"];
  texts.push(
    "9007199254740993",
    "1.7976931348623157e308",
    "5e-324",
    "1e-400",
    "0.30000000000000004",
  );
  texts.push(
    "0".repeat(40) + "12.5",
    "0." + "0".repeat(40) + "125",
    "1" + "0".repeat(60),
    "2.5E+3",
  );
  for (let i = 1; i < 2000; i++) {
    texts.push(String(Math.sin(i) * 10 ** (i % 40 - 20)), (Math.cos(i) * 1e4).toFixed(i % 12));
  }
  for (const text of texts) assertEquals(parse(text), Number(text), text);
});

Deno.test("parseDecimal() refuses everything else", () => {
  const texts = ["", "+", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e5.", "1.2.3", "1_0", "0x1"];
  texts.push(
    "nan",
    "inf",
    "Infinity",
    "1e309",
    "-1e309",
    "١",
    "1 ",
    " 1",
    "1\0",
    "--1",
    "1f",
    "1e5e5",
  );
  for (const text of texts) assertEquals(parse(text), NaN, text);
});
