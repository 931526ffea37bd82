import { assert, assertEquals } from "@std/assert";
import { columns, cut, memoryText, pad, plain, scoreText, secondsText } from "./judge_words.ts";

Deno.test("columns() counts wide characters twice and marks not at all", () => {
  assertEquals(columns("abc"), 3);
  assertEquals(columns("日本語"), 6);
  assertEquals(columns("e\u0301"), 1);
  assertEquals(columns("👍"), 2);
});

Deno.test("cut() never takes more columns than it may", () => {
  for (let width = 0; width < 9; width++) {
    assert(columns(cut("日本語 text", width)) <= width, `width ${width}`);
  }
  assertEquals(cut("short", 5), "short");
  assertEquals(cut("longer", 5), "long…");
});

Deno.test("pad() fills up by columns, not by characters", () => {
  assertEquals(pad("日", 4), "日  ");
  assertEquals(pad("longer", 3), "longer");
});

Deno.test("plain() leaves nothing that a terminal would obey", () => {
  assertEquals(plain("a\x1b[31mb\nc\u202ed"), "a\ufffd[31mb\ufffdc\ufffdd");
});

Deno.test("scoreText() has at most two digits after the point", () => {
  assertEquals(scoreText(100), "100");
  assertEquals(scoreText(33.333333), "33.33");
  assertEquals(scoreText(undefined), "");
});

Deno.test("secondsText() has three digits after the point", () => {
  assertEquals(secondsText(412.3), "0.412 s");
  assertEquals(secondsText(2000), "2.000 s");
});

Deno.test("memoryText() counts in MiB", () => {
  assertEquals(memoryText(12595), "12.3 MiB");
});
