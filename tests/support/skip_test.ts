import { assertEquals } from "@std/assert";
import { needs } from "./skip.ts";

Deno.test("needs.command() finds sh and misses what is not there", () => {
  assertEquals(needs.command("sh"), undefined);
  assertEquals(needs.command("no-such-command"), "needs the command no-such-command");
});

Deno.test("needs.path() names what is missing and where", () => {
  assertEquals(needs.path("/", "a root"), undefined);
  assertEquals(needs.path("/no/such", "a loop device"), "needs a loop device (/no/such)");
});

Deno.test("needs.that() keeps the reason for the false condition", () => {
  assertEquals(needs.that(true, "unused"), undefined);
  assertEquals(needs.that(false, "needs cgroup v2"), "needs cgroup v2");
});
