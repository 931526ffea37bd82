import { count, cut, duration, memory, scoreText } from "isolate/judge/report/quantities.ts";
import { assert, assertEquals } from "@std/assert";

Deno.test("duration() goes from milliseconds to minutes", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [0.04, "0 ms"],
    [1.25, "1.3 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [1234, "1.23 s"],
    [59_994, "60 s"],
    [60_000, "1 min"],
    [125_400, "2 min 5 s"],
  ];
  for (const [ms, text] of cases) assertEquals(duration(ms), text);
});

Deno.test("memory() goes from KiB to GiB", () => {
  assertEquals([0, 640, 1536, 262_144, 2_097_152].map(memory), [
    "0 KiB",
    "640 KiB",
    "1.5 MiB",
    "256 MiB",
    "2 GiB",
  ]);
});

Deno.test("count() knows the plural, scoreText() hides what computers add to sums", () => {
  assertEquals([count(1, "test"), count(1000, "test")], ["1 test", "1,000 tests"]);
  assertEquals([scoreText(0.1 + 0.2), scoreText(undefined), scoreText(62.5)], ["0.3", "–", "62.5"]);
});

Deno.test("cut() tears no character apart", () => {
  assertEquals(cut("abc", 3), "abc");
  assertEquals(cut("abcd", 3), "abc…");
  assert(cut("🙂🙂", 1).isWellFormed());
});
