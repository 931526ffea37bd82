import { assert, assertEquals, assertThrows } from "@std/assert";
import { NUMBER_MAX, parseSeconds, parseUnsigned } from "./values.ts";
import { UsageError } from "./complain.ts";

function refuses(parse: (text: string) => number, texts: string[], message: string): void {
  for (const text of texts) assertThrows(() => parse(text), UsageError, `${message}: ${text}`);
}

Deno.test("parseUnsigned() reads decimal numbers", () => {
  assertEquals(parseUnsigned("0"), 0);
  assertEquals(parseUnsigned("262144"), 262144);
  assertEquals(parseUnsigned(String(NUMBER_MAX)), NUMBER_MAX);
});

Deno.test("parseUnsigned() accepts leading blanks, a plus sign and leading zeros", () => {
  assertEquals(parseUnsigned(" \t\n\v\f\r42"), 42);
  assertEquals(parseUnsigned("+42"), 42);
  assertEquals(parseUnsigned(" +0042"), 42);
  assertEquals(parseUnsigned("000000000000000000000000000007"), 7);
});

Deno.test("parseUnsigned() reads a leading zero as decimal, not as octal", () => {
  assertEquals(parseUnsigned("010"), 10);
});

Deno.test("parseUnsigned() refuses what is not a decimal number", () => {
  const wrong = ["", " ", "x", "12x", "12 ", "1 2", "0x10", "1.5", "1e3", "1_000", "+", "-", "+-5"];
  refuses(
    parseUnsigned,
    [...wrong, "=3", "٣", "４", "Infinity", "NaN", "1\n"],
    "Invalid numeric parameter",
  );
});

Deno.test("parseUnsigned() refuses a negative number as out of range", () => {
  refuses(parseUnsigned, ["-1", " -5", "-2147483648"], "Numeric parameter out of range");
  assertEquals(parseUnsigned("-0"), 0);
});

Deno.test("parseUnsigned() refuses a number above 2147483647 as out of range", () => {
  refuses(
    parseUnsigned,
    ["2147483648", "4294967296", "99999999999"],
    "Numeric parameter out of range",
  );
});

Deno.test("parseUnsigned() does not wrap around at 64 bits", () => {
  const wrapping = ["18446744073709551615", "18446744073709551617", "-18446744073709551615"];
  refuses(parseUnsigned, [...wrapping, "9".repeat(400)], "Numeric parameter out of range");
});

Deno.test("parseUnsigned() adds its hint behind the classic words", () => {
  const error = assertThrows(() => parseUnsigned("12x", { hint: "--mem takes KiB" }), UsageError);
  assertEquals(error.message, "Invalid numeric parameter: 12x (--mem takes KiB)");
  const large = assertThrows(() => parseUnsigned("-1", { hint: "--mem takes KiB" }), UsageError);
  assertEquals(
    large.message,
    "Numeric parameter out of range: -1 (--mem takes KiB; allowed: 0-2147483647)",
  );
});

Deno.test("parseSeconds() turns seconds into milliseconds", () => {
  assertEquals(parseSeconds("1"), 1000);
  assertEquals(parseSeconds("1.5"), 1500);
  assertEquals(parseSeconds("5.0"), 5000);
  assertEquals(parseSeconds(".5"), 500);
  assertEquals(parseSeconds("2."), 2000);
  assertEquals(parseSeconds("0.0001"), 0.1);
});

Deno.test("parseSeconds() converts without a rounding error", () => {
  assertEquals(parseSeconds("1.1"), 1100);
  assertEquals(parseSeconds("1.005"), 1005);
  assertEquals(parseSeconds("0.29"), 290);
});

Deno.test("parseSeconds() reads an exponent", () => {
  assertEquals(parseSeconds("1e3"), 1_000_000);
  assertEquals(parseSeconds("1E+3"), 1_000_000);
  assertEquals(parseSeconds("25e-2"), 250);
  assertEquals(parseSeconds("0." + "0".repeat(500) + "1e501"), 1000);
});

Deno.test("parseSeconds() accepts leading blanks and a plus sign, as for whole numbers", () => {
  assertEquals(parseSeconds(" 1.5"), 1500);
  assertEquals(parseSeconds("+1.5"), 1500);
});

Deno.test("parseSeconds() reads 0 as 0", () => {
  for (const zero of ["0", "0.0", "0e5", ".0", "0e99999999999999999999999"]) {
    assertEquals(parseSeconds(zero), 0, zero);
  }
});

Deno.test("parseSeconds() never turns a positive time into 0", () => {
  assertEquals(parseSeconds("1e-4"), 0.1);
  assert(parseSeconds("1e-400") > 0);
  assert(parseSeconds("1e-99999999999999999999999") > 0);
});

Deno.test("parseSeconds() refuses what is not a decimal number", () => {
  const wrong = [
    "",
    " ",
    "1,5",
    "abc",
    "inf",
    "Infinity",
    "nan",
    "NaN",
    "0x1p3",
    "0x10",
    "1s",
    "1.5 ",
  ];
  refuses(
    parseSeconds,
    [...wrong, ".", "e3", "1e", "1e+", "1.2.3", "1_0", "--1"],
    "Invalid numeric parameter",
  );
});

Deno.test("parseSeconds() refuses a negative time", () => {
  refuses(parseSeconds, ["-1", "-0.5", "-1e-400"], "Numeric parameter out of range");
});

Deno.test("parseSeconds() refuses more than 1e12 seconds", () => {
  assertEquals(parseSeconds("1e12"), 1e15);
  const large = ["1.0001e12", "1e400", "1e99999999999999999999999", "9".repeat(500)];
  refuses(parseSeconds, large, "Numeric parameter out of range");
});
