import { assertMatch } from "@std/assert";
import { memoryInUse } from "./types.ts";

Deno.test("memoryInUse() names the limit and what is in use, rounded up to whole KiB", () => {
  assertMatch(memoryInUse(1024, "4194304").message, /to 1024 KiB: 4096 KiB are in use/);
  assertMatch(memoryInUse(1024, "1048577").message, /to 1024 KiB: 1025 KiB are in use/);
});
