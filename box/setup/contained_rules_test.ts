import { assertEquals } from "@std/assert";
import { defaultDirectoryRules, parseDirectoryRule } from "./directory_rules.ts";
import { rulesWithin } from "./contained_rules.ts";

const PROC = { canMountProc: true };

const inside = (rules: ReturnType<typeof rulesWithin>) =>
  rules.map((rule) => rule.inside).filter((path) => path.startsWith("dev"));

Deno.test("single devices take the place of the default /dev, before what is mounted in it", () => {
  const devices = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `dev/${name}`);
  assertEquals(inside(rulesWithin(defaultDirectoryRules(), PROC)), [...devices, "dev/shm"]);
});

Deno.test("a /dev that somebody asked for stays", () => {
  const rule = parseDirectoryRule("dev:dev");
  assertEquals(rule.kind === "remove" ? [] : rulesWithin([rule], PROC), [rule]);
});

Deno.test("where nobody may mount a new /proc there is an empty directory", () => {
  const kindOf = (canMountProc: boolean) =>
    rulesWithin(defaultDirectoryRules(), { canMountProc })
      .flatMap((rule) =>
        rule.inside === "proc" && rule.kind === "filesystem" ? rule.filesystem : []
      );
  assertEquals([kindOf(true), kindOf(false)], [["proc"], ["tmpfs"]]);
});
