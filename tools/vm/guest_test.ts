import { assertEquals } from "@std/assert";
import { parseResults } from "./guest.ts";
import { deal, guestTests } from "./suite.ts";
import { parseTimes } from "./times.ts";

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
});

Deno.test("guestTests() takes any test whose file is named", () => {
  const files = ["tests/layers_test.ts", "b_test.ts"];
  const words = ["layers"];
  assertEquals(guestTests(files, { guest: "cgroup2", words }), ["tests/layers_test.ts"]);
  assertEquals(guestTests(files, { guest: "systemd", words }), []);
});

Deno.test("deal() gives guests about as much to do", () => {
  const times: Record<string, number> = { a: 5, b: 4, c: 3, d: 1 };
  const hands = deal(["a", "b", "c", "d"], { guests: 2, weightOf: (file) => times[file] ?? 1 });
  assertEquals(hands, [["a", "d"], ["b", "c"]]);
});

Deno.test("deal() starts no guest without tests", () => {
  assertEquals(deal(["a"], { guests: 2, weightOf: () => 1 }), [["a"]]);
});

Deno.test("parseTimes() adds up the tests of a file, wherever they were registered", () => {
  const xml = '<testsuites time="9"><testsuite name="./a.ts" tests="2">' +
    '<testcase name="x" classname="./a.ts" time="0.5" line="1" col="6">' +
    '<testcase name="y" classname="./skip.ts" time="1.25" line="2" col="6">' +
    '</testsuite><testsuite name="./b.ts" tests="0"></testsuite>';
  assertEquals([...parseTimes(xml)], [["a.ts", 1.75], ["b.ts", 0]]);
});
