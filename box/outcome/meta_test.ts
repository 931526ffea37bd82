import { assertEquals, assertThrows } from "@std/assert";
import { formatMeta, type MetaRecord, parseMeta, readMeta } from "./meta.ts";

const FULL: Required<MetaRecord> = {
  timeMs: 1234.5678,
  wallTimeMs: 2000,
  maxRssKib: 3456,
  voluntaryContextSwitches: 7,
  forcedContextSwitches: 8,
  cgMemKib: 9000,
  cgOomKilled: true,
  cgEnabled: true,
  exitCode: 3,
  exitSignal: 9,
  killed: true,
  status: "TO",
  message: "Time limit exceeded",
};

Deno.test("formatMeta() writes every key under its documented name", () => {
  assertEquals(
    formatMeta(FULL),
    `status:TO
message:Time limit exceeded
killed:1
exitcode:3
exitsig:9
time:1.235
time-wall:2.000
max-rss:3456
csw-voluntary:7
csw-forced:8
cg-enabled:1
cg-mem:9000
cg-oom-killed:1
`,
  );
});

Deno.test("formatMeta() has the figures first where the program ended by itself", () => {
  assertEquals(
    formatMeta({ status: "RE", message: "m", exitCode: 1, timeMs: 1, cgMemKib: 2 }),
    "time:0.001\ncg-mem:2\nexitcode:1\nstatus:RE\nmessage:m\n",
  );
});

Deno.test("formatMeta() leaves out what does not apply", () => {
  assertEquals(formatMeta({}), "");
  assertEquals(formatMeta({ killed: false, cgOomKilled: false, cgEnabled: false }), "");
  assertEquals(formatMeta({ status: undefined, timeMs: undefined, exitCode: 0 }), "exitcode:0\n");
});

Deno.test("formatMeta() has an order of its own, whatever that of the record", () => {
  const backwards = Object.fromEntries(Object.entries(FULL).reverse());
  assertEquals(formatMeta(backwards), formatMeta(FULL));
});

Deno.test("formatMeta() writes milliseconds as seconds with three decimals", () => {
  const times: [number, string][] = [
    [0, "0.000"],
    [0.4, "0.000"],
    [0.6, "0.001"],
    [1, "0.001"],
    [999.4, "0.999"],
    [1000, "1.000"],
    [60_000.25, "60.000"],
    [86_400_000, "86400.000"],
  ];
  for (const [timeMs, text] of times) assertEquals(formatMeta({ timeMs }), `time:${text}\n`);
});

Deno.test("formatMeta() writes zero as a value", () => {
  assertEquals(formatMeta({ maxRssKib: 0, cgMemKib: 0 }), "max-rss:0\ncg-mem:0\n");
});

Deno.test("formatMeta() keeps a message on one line", () => {
  assertEquals(
    formatMeta({ status: "XX", message: "bad\nexitcode:0\r\n\tname\0" }),
    "status:XX\nmessage:bad exitcode:0 name \n",
  );
  assertEquals(formatMeta({ message: "a\u2028b" }), "message:a b\n");
});

Deno.test("formatMeta() keeps colons and other letters in a message", () => {
  assertEquals(formatMeta({ message: 'execve("ü"): No' }), 'message:execve("ü"): No\n');
});

Deno.test("formatMeta() refuses impossible numbers", () => {
  const wrong: MetaRecord[] = [
    { timeMs: NaN },
    { wallTimeMs: Infinity },
    { timeMs: -1 },
    { maxRssKib: 1.5 },
    { exitCode: -1 },
  ];
  for (const record of wrong) assertThrows(() => formatMeta(record), RangeError, "Cannot write");
});

Deno.test("parseMeta() reads what formatMeta() writes", () => {
  const lines = formatMeta(FULL).trimEnd().split("\n");
  assertEquals([...parseMeta(formatMeta(FULL))].map((entry) => entry.join(":")), lines);
  assertEquals([...parseMeta(formatMeta({ exitSignal: 11, status: "SG" }))], [
    ["exitsig", "11"],
    ["status", "SG"],
  ]);
});

Deno.test("parseMeta() splits at the first colon and keeps unknown keys", () => {
  assertEquals([...parseMeta("message:a:b\nfuture: x\nempty:\n")], [
    ["message", "a:b"],
    ["future", " x"],
    ["empty", ""],
  ]);
});

Deno.test("parseMeta() reads an empty file and a file without a last newline", () => {
  assertEquals(parseMeta("").size, 0);
  assertEquals([...parseMeta("time:1.000")], [["time", "1.000"]]);
});

Deno.test("parseMeta() refuses lines without a key, and duplicate keys", () => {
  assertThrows(() => parseMeta("time:1\nrubbish\n"), SyntaxError, "line 2");
  assertThrows(() => parseMeta("time:1\n\nkilled:1\n"), SyntaxError, "line 2");
  assertThrows(() => parseMeta(":1\n"), SyntaxError, "line 1");
  assertThrows(() => parseMeta("time:1\ntime:2\n"), SyntaxError, "time comes twice");
});

Deno.test("readMeta() reads what formatMeta() writes, and skips unknown keys", () => {
  assertEquals(readMeta("exitcode:0\nfuture:1\ntime:0.012\n"), { exitCode: 0, timeMs: 12 });
  assertEquals(readMeta(formatMeta(FULL)), { ...FULL, timeMs: 1235 });
  assertEquals(readMeta("killed:0\n"), { killed: false });
});

Deno.test("readMeta() refuses values that their keys cannot have", () => {
  for (
    const line of ["status:OK", "time:-1", "time:1e3", "exitcode:1.5", "killed:yes", "exitsig:"]
  ) {
    assertThrows(() => readMeta(line), SyntaxError, `${line.split(":")[0]} cannot be`);
  }
});
