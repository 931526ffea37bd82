import { assertMatch } from "@std/assert";
import { complainOfUsage } from "./usage.ts";

Deno.test("complainOfUsage() names the limit and what is in use, rounded up to whole KiB", () => {
  assertMatch(complainOfUsage(1024, "4194304"), /to 1024 KiB: 4096 KiB are in use/);
  assertMatch(complainOfUsage(1024, "1048577"), /to 1024 KiB: 1025 KiB are in use/);
});
