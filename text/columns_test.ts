import { columns, cutToColumns, padToColumns } from "isolate/text/columns.ts";
import { assert, assertEquals } from "@std/assert";

Deno.test("columns() counts wide characters twice and marks not at all", () => {
  assertEquals(columns("abc"), 3);
  assertEquals(columns("日本語"), 6);
  assertEquals(columns("e\u0301"), 1);
  assertEquals(columns("👍"), 2);
});

Deno.test("cutToColumns() never takes more columns than it may", () => {
  for (let width = 0; width < 9; width++) {
    assert(columns(cutToColumns("日本語 text", width)) <= width, `width ${width}`);
  }
  assertEquals(cutToColumns("short", 5), "short");
  assertEquals(cutToColumns("longer", 5), "long…");
});

Deno.test("padToColumns() fills up by columns, not by characters", () => {
  assertEquals(padToColumns("日", 4), "日  ");
  assertEquals(padToColumns("longer", 3), "longer");
});
