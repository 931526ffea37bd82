import { assertEquals } from "@std/assert";
import { PackageError } from "./errors.ts";

Deno.test("PackageError names the file, the line and the key, and escapes them", () => {
  const place = { file: "sum/\x1b.yaml", line: 4, key: "limits.memory" };
  const { message } = new PackageError("must be a number", place);
  assertEquals(message, "sum/\\x1b.yaml:4: limits.memory: must be a number");
  assertEquals(new PackageError("is missing", { file: "a" }).message, "a: is missing");
});
