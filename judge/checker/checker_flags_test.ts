import { parseFlags } from "isolate/judge/checker/checker_flags.ts";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("parseFlags() takes the flags of the format", () => {
  parseFlags([]);
  parseFlags(["case_sensitive", "space_change_sensitive", "float_tolerance", "1e-6"]);
  parseFlags(["float_absolute_tolerance", "0.5", "float_relative_tolerance", ".5E+1"]);
});

Deno.test("parseFlags() names what is wrong in one sentence", () => {
  assertThrows(() => parseFlags(["Case_Sensitive"]), SyntaxError, '"Case_Sensitive"; known flags');
  assertThrows(() => parseFlags(["1e-6"]), SyntaxError, 'Unknown validator flag "1e-6"');
  assertThrows(
    () => parseFlags(["float_tolerance"]),
    SyntaxError,
    "The validator flag float_tolerance needs a number after it, such as 1e-6",
  );
  for (const word of ["-1", "x", "nan", "inf", "1e999", "", "0x1", "1e-6,", "case_sensitive"]) {
    assertThrows(
      () => parseFlags(["float_relative_tolerance", word]),
      SyntaxError,
      `needs a number >= 0 after it, such as 1e-6, not ${JSON.stringify(word)}`,
    );
  }
});

Deno.test("parseFlags() lets later flags take the place of earlier ones", () => {
  const flags = ["float_tolerance", "1e-3", "float_absolute_tolerance", "1"];
  const { absoluteTolerance, relativeTolerance } = parseFlags(flags);
  assertEquals([absoluteTolerance, relativeTolerance], [1, 1e-3]);
});

Deno.test("parseFlags() sets both tolerances with one flag, and nothing that was not asked for", () => {
  assertEquals(parseFlags(["case_sensitive", "float_tolerance", "1e-6"]), {
    caseSensitive: true,
    spaceSensitive: false,
    absoluteTolerance: 1e-6,
    relativeTolerance: 1e-6,
  });
});
