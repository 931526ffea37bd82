import { assertEquals } from "@std/assert";
import { defaultDirectoryRules } from "./directory_rules.ts";
import { ruleName } from "./placed_rule.ts";

Deno.test("ruleName() shows a rule as a user would write it", () => {
  const names = defaultDirectoryRules().map(ruleName);
  assertEquals(names.includes("directory rule 'bin'"), true, names.join("; "));
  assertEquals(names.includes("directory rule 'box=./box:rw'"), true, names.join("; "));
});
