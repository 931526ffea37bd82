import { assertEquals, assertInstanceOf } from "@std/assert";
import { ExpectedError, FileError } from "./errors.ts";

Deno.test("FileError names the file, the line and the key", () => {
  const place = { file: "sum/problem.yaml", line: 7, key: "limits.memory" };
  const error = new FileError("must be a number", place);
  assertInstanceOf(error, ExpectedError);
  assertEquals(error.message, "sum/problem.yaml:7: limits.memory: must be a number");
  assertEquals([error.name, error.reason, error.place], ["FileError", "must be a number", place]);
});

Deno.test("FileError does without a line", () => {
  const error = new FileError("not owned by root", { file: "/etc/isolate" });
  assertEquals(error.message, "/etc/isolate: not owned by root");
});

Deno.test("FileError makes names harmless, and cuts them", () => {
  const error = new FileError("bad", { file: "a\x1b[2J\udcff", key: "k".repeat(400) });
  assertEquals(error.message, `a\\x1b[2J\\xff: ${"k".repeat(300)}…: bad`);
});
