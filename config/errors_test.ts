import { assert, assertEquals } from "@std/assert";
import { ConfigError } from "./errors.ts";

Deno.test("ConfigError names the file and the line", () => {
  const error = new ConfigError("bad", { file: "/etc/isolate", line: 7 });
  assert(error instanceof Error);
  assertEquals(
    [error.name, error.message, error.file, error.line],
    ["ConfigError", "/etc/isolate:7: bad", "/etc/isolate", 7],
  );
});

Deno.test("ConfigError does without a line", () => {
  const error = new ConfigError("not owned by root", { file: "/etc/isolate" });
  assertEquals([error.message, error.line], ["/etc/isolate: not owned by root", undefined]);
});
