import { assertEquals } from "@std/assert";
import { PackageError, printable } from "./errors.ts";

Deno.test("printable() escapes what a terminal would obey, and cuts what is long", () => {
  assertEquals(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  assertEquals(printable("a\udcffb\u202ec"), "a\\xffb\\u{202e}c");
  assertEquals(printable("x".repeat(301)), `${"x".repeat(300)}…`);
});

Deno.test("PackageError names the file, the line and the key, and escapes them", () => {
  const place = { file: "sum/\x1b.yaml", line: 4, key: "limits.memory" };
  const { message } = new PackageError("must be a number", place);
  assertEquals(message, "sum/\\x1b.yaml:4: limits.memory: must be a number");
  assertEquals(new PackageError("is missing", { file: "a" }).message, "a: is missing");
});
