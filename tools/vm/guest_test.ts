import { assertEquals } from "@std/assert";
import { parseResults } from "./guest.ts";
import { deal, guestTests, isServed, timesOf } from "./suite.ts";

Deno.test("parseResults() reads the files that a guest handed out", () => {
  const text = "noise\r\nBEGIN a.xml\r\naGVs\r\nbG8=\r\nEND a.xml\r\nBEGIN b\nEND b\n";
  const results = parseResults(text);
  assertEquals(new TextDecoder().decode(results.get("a.xml")), "hello");
  assertEquals(results.get("b")?.length, 0);
});

Deno.test("parseResults() takes no file that was cut off", () => {
  assertEquals(parseResults("BEGIN a.xml\naGVsbG8=\n").size, 0);
});

Deno.test("guestTests() leaves out what needs no other kernel", () => {
  const files = ["tests/cgroup/life_test.ts", "tests/layers_test.ts", "tests/cgroup/life.ts"];
  assertEquals(guestTests(files, { guest: "cgroup2" }), ["tests/cgroup/life_test.ts"]);
  assertEquals(guestTests(files, { guest: "systemd" }), []);
  assertEquals(guestTests(files, { guest: "newer" }), []);
});

Deno.test("guestTests() leaves more out where other tests run beside", () => {
  const files = ["tests/cli/process_test.ts", "tests/cli/meta_test.ts"];
  assertEquals(guestTests(files, { guest: "cgroup2", isShort: true }), [files[1]]);
  assertEquals(guestTests(files, { guest: "cgroup2" }), files);
});

Deno.test("guestTests() takes any test whose file is named", () => {
  const files = ["tests/layers_test.ts", "b_test.ts"];
  const words = ["layers"];
  assertEquals(guestTests(files, { guest: "cgroup2", words }), ["tests/layers_test.ts"]);
  assertEquals(guestTests(files, { guest: "systemd", words }), []);
});

Deno.test("isServed() leaves some tests to processes of their own", () => {
  const files = [
    "cli/life",
    "cgroup/life",
    "vm/check",
    "service/killed",
    "walls/names",
  ];
  const served = files.filter((name) => isServed(`tests/${name}_test.ts`));
  assertEquals(served, ["cli/life", "cgroup/life"]);
});

Deno.test("deal() gives guests about as much to do", () => {
  const times: Record<string, number> = { a: 5, b: 4, c: 3, d: 1 };
  const hands = deal(["a", "b", "c", "d"], { guests: 2, weightOf: (file) => times[file] ?? 1 });
  assertEquals(hands, [["a", "d"], ["b", "c"]]);
});

Deno.test("deal() starts no guest without tests", () => {
  assertEquals(deal(["a"], { guests: 2, weightOf: () => 1 }), [["a"]]);
});

Deno.test("timesOf() adds up the tests of a file", () => {
  const test = { name: "x", outcome: "passed" } as const;
  const cases = [["./a.ts", 0.5], ["./b.ts", 0], ["./a.ts", 1.25]] as const;
  const times = timesOf([
    ...cases.map(([file, wallTimeS]) => ({ ...test, file, wallTimeS })),
    { name: "y", outcome: "skipped", file: "./c.ts", wallTimeS: 0 },
  ]);
  assertEquals([...times], [["a.ts", 1.75], ["b.ts", 0]]);
});
