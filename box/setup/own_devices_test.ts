import { assertEquals } from "@std/assert";
import { defaultDirectoryRules, parseDirectoryRule } from "./directory_rules.ts";
import { withOwnDevices } from "./own_devices.ts";

const inside = (rules: ReturnType<typeof withOwnDevices>) =>
  rules.map((rule) => rule.inside).filter((path) => path.startsWith("dev"));

Deno.test("single devices take the place of the default /dev, before what is mounted in it", () => {
  const devices = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `dev/${name}`);
  assertEquals(inside(withOwnDevices(defaultDirectoryRules())), [...devices, "dev/shm"]);
});

Deno.test("a /dev that somebody asked for stays", () => {
  const rule = parseDirectoryRule("dev:dev");
  assertEquals(rule.kind === "remove" ? [] : withOwnDevices([rule]), [rule]);
});
