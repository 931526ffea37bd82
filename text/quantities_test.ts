import { countText, cut, scoreText, sizeText, timeText } from "isolate/text/quantities.ts";
import { assert, assertEquals } from "@std/assert";

Deno.test("timeText() goes from milliseconds to minutes", () => {
  const cases: [number, string][] = [
    [0, "0 s"],
    [0.04, "0 s"],
    [9.96, "0.010 s"],
    [412, "0.412 s"],
    [1000, "1 s"],
    [1234.5, "1.234 s"],
    [59_999, "59.999 s"],
    [60_000, "1 min"],
    [125_400, "2 min 5 s"],
  ];
  for (const [ms, text] of cases) assertEquals(timeText(ms), text);
});

Deno.test("sizeText() goes from KiB to GiB", () => {
  assertEquals(
    [0, 0.5, 640, 1023, 1024, 1536, 262_144, 1000 * 1024, 2_097_152, 3 * 1024 ** 3].map(sizeText),
    [
      "0 KiB",
      "0.5 KiB",
      "640 KiB",
      "1023 KiB",
      "1 MiB",
      "1.5 MiB",
      "256 MiB",
      "1000 MiB",
      "2 GiB",
      "3072 GiB",
    ],
  );
});

Deno.test("scoreText() hides what computers add to sums", () => {
  assertEquals(
    [0.1 + 0.2, undefined, 62.5, 100].map(scoreText),
    ["0.3", "–", "62.5", "100"],
  );
});

Deno.test("countText() knows the plural", () => {
  assertEquals([countText(1, "test"), countText(1000, "test")], ["1 test", "1,000 tests"]);
});

Deno.test("cut() splits no character", () => {
  assertEquals(cut("abc", 3), "abc");
  assertEquals(cut("abcd", 3), "abc…");
  assert(cut("🙂🙂", 1).isWellFormed());
});
