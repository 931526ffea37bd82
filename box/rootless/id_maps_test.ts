import { assertEquals } from "@std/assert";
import { formatIdMap, hasAllIds, idsForBoxes, parseIdMap } from "./id_maps.ts";

Deno.test("a map of ids is read as the kernel writes it, and written as it reads it", () => {
  const text = "         0       7400          1\n     60000     700000       1000\n";
  const ranges = parseIdMap(text);
  assertEquals(ranges, [
    { inside: 0, outside: 7400, count: 1 },
    { inside: 60000, outside: 700000, count: 1000 },
  ]);
  assertEquals(formatIdMap(ranges), "0 7400 1\n60000 700000 1000");
  assertEquals(parseIdMap(""), []);
});

Deno.test("only the initial user namespace has all ids", () => {
  assertEquals(hasAllIds(parseIdMap("0 0 4294967295")), true);
  assertEquals(hasAllIds(parseIdMap("0 100000 65536")), false);
  assertEquals(hasAllIds([]), false);
});

Deno.test("ids for boxes are the usual ones where there are those, else others, never 0", () => {
  assertEquals(idsForBoxes(parseIdMap("0 7400 1\n60000 1 50"), 60000), { first: 60000, count: 50 });
  assertEquals(idsForBoxes(parseIdMap("0 7400 1\n1 100000 65536"), 60000), {
    first: 60000,
    count: 5537,
  });
  assertEquals(idsForBoxes(parseIdMap("0 100000 1000"), 60000), { first: 1, count: 999 });
  assertEquals(idsForBoxes(parseIdMap("0 7400 1"), 60000), undefined);
});
