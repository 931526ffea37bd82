import { assertEquals } from "@std/assert";
import { flag, option } from "./option.ts";
import { asTyped } from "./values.ts";

/** Finds an option by how it is typed. */
function facts(typed: string) {
  const set = () => {};
  const { long, short, value, valueName } = option(typed, "does it", { read: asTyped, set });
  return [long, short, value, valueName];
}

Deno.test("option() reads names and value from the way an option is typed", () => {
  assertEquals(facts("-t, --time=S"), ["time", "t", "required", "S"]);
  assertEquals(facts("--core=KIB"), ["core", undefined, "required", "KIB"]);
  assertEquals(facts("-p, --processes[=N]"), ["processes", "p", "optional", "N"]);
  assertEquals(facts("-E, --env=VAR[=VALUE]"), ["env", "E", "required", "VAR[=VALUE]"]);
  assertEquals(facts("--box-size=KIB[,INODES]"), [
    "box-size",
    undefined,
    "required",
    "KIB[,INODES]",
  ]);
});

Deno.test("flag() makes an option without a value, aligned with those that have a letter", () => {
  const { long, value, valueName, spelled } = flag("--cg", "groups", () => {});
  assertEquals([long, value, valueName, spelled], ["cg", "none", undefined, "    --cg"]);
});

Deno.test("option() gives the absent value where none was typed", () => {
  const seen: unknown[] = [];
  const { apply } = option("--n[=N]", "n", {
    read: (text) => text.length,
    absent: -1,
    set: (list: unknown[], value) => list.push(value),
  });
  apply(seen, "abc");
  apply(seen, undefined);
  assertEquals(seen, [3, -1]);
});
