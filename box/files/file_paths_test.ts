import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { O_PATH } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { SystemError } from "../../ffi/system.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { textOf } from "../../tests/support/plans.ts";
import { SandboxError } from "../../host/errors.ts";
import {
  checkLimit,
  checkMode,
  pathError,
  planOpenPath,
  splitFilePath,
  splitPath,
} from "./file_paths.ts";

Deno.test("splitPath() takes a path apart", () => {
  for (
    const [path, parts] of [
      ["a", ["a"]],
      ["a/b/c", ["a", "b", "c"]],
      ["./a//b/", ["a", "b"]],
      [".", []],
      ["...", ["..."]],
      ["..a/b..", ["..a", "b.."]],
      [" ", [" "]],
      ["a\udcff", ["a\udcff"]],
    ] as const
  ) assertEquals(splitPath(path), [...parts], path);
});

Deno.test("splitPath() refuses what could lead out of the box, and says why", () => {
  for (
    const [path, reason] of [
      ["", "it is empty"],
      ["/etc/passwd", "it must be relative to box/"],
      ["..", "it must not have '..' in it"],
      ["a/../../b", "it must not have '..' in it"],
      ["a\0b", "it has a NUL character"],
    ] as const
  ) {
    const error = assertThrows(() => splitPath(path), SandboxError);
    assertEquals(error.kind, "hostile-path");
    assertEquals(
      error.message,
      `Cannot use ${JSON.stringify(path)} as a path in the box: ${reason}`,
    );
  }
});

Deno.test("splitFilePath() refuses the names of directories", () => {
  for (const path of [".", "./", "a/"]) {
    const error = assertThrows(() => splitFilePath(path), SandboxError);
    assertStringIncludes(error.message, "it names a directory");
  }
  assertEquals(splitFilePath("a/b"), ["a", "b"]);
});

Deno.test("planOpenPath() opens a path in one step, and one that is too long for that in several", () => {
  const options = { flags: O_PATH, what: "test" };
  const short = new Plan();
  planOpenPath(short, 7, { ...options, parts: ["a", "b", "c"] });
  assertEquals(short.steps.map((step) => textOf(step, 1)), ["a/b/c"]);
  const box = new Plan();
  planOpenPath(box, 7, { ...options, parts: [] });
  assertEquals(box.steps.map((step) => textOf(step, 1)), ["."]);
  const long = new Plan();
  const parts = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(250, "x"));
  planOpenPath(long, 7, { ...options, parts });
  const opens = long.steps.filter((step) => step.operation === "openat2");
  const pieces = opens.map((step) => textOf(step, 1)!);
  assertEquals(pieces.join("/"), parts.join("/"));
  for (const piece of pieces) assertEquals(piece.length < 4096, true);
  const closes = long.steps.filter((step) => step.operation === "close");
  assertEquals(closes.length, opens.length - 1);
});

Deno.test("pathError() keeps what has nothing to do with the path", () => {
  const failure = new SystemError(undefined, ERRNO.ENOSPC);
  assertEquals(pathError("write", failure), failure);
  const missing = pathError("read x", new SystemError(undefined, ERRNO.ENOENT));
  assertEquals(missing.message, "Cannot read x: there is no such file");
});

Deno.test("checkLimit() and checkMode() name the option that is out of range", () => {
  assertEquals([checkLimit("limitBytes", 0), checkMode(0o777)], [0, 0o777]);
  for (const value of [-1, 0.5, NaN, Infinity]) {
    const message = `limitBytes must be a whole number >= 0: current value is ${value}`;
    assertThrows(() => checkLimit("limitBytes", value), RangeError, message);
  }
  for (const mode of [-1, 0o1000, 0o4755, 0.5]) {
    assertThrows(() => checkMode(mode), RangeError, "mode must be between 0 and 0o777");
  }
});
