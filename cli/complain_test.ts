import { assertEquals, assertStringIncludes } from "@std/assert";
import { ControlGroupError } from "../cgroup/types.ts";
import { ShimError } from "../ffi/library.ts";
import { SandboxError } from "../host/errors.ts";
import { LanguageError } from "../judge/languages/language_definition.ts";
import { PackageError } from "../judge/package/errors.ts";
import { FileError } from "../text/errors.ts";
import { describeError, UsageError } from "./complain.ts";

Deno.test("describeError() takes expected errors for sentences", () => {
  const place = { file: "f", line: 3 };
  assertEquals(describeError(new FileError("bad", place)), "f:3: bad");
  assertEquals(describeError(new PackageError("bad", place)), "f:3: bad");
  const kinds = [LanguageError, ShimError, ControlGroupError];
  for (const Kind of kinds) assertEquals(describeError(new Kind("bad")), "bad");
  assertEquals(describeError(new SandboxError("no-box", "bad")), "bad");
});

Deno.test("describeError() points a usage error to the help", () => {
  const hint = "Try 'isolate --help' for the list of options.";
  assertEquals(describeError(new UsageError("bad")), `bad\n${hint}`);
});

Deno.test("describeError() asks to report everything else, with the stack", () => {
  for (const Kind of [Error, RangeError, SyntaxError, TypeError]) {
    const text = describeError(new Kind("oops"));
    assertStringIncludes(text, "Internal error: this is a bug in isolate, please report it");
    assertStringIncludes(text, "oops\n    at ");
    assertStringIncludes(text, "complain_test.ts");
  }
});
