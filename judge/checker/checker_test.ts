import { MFD_CLOEXEC } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";
import { HostFile, SandboxError } from "isolate/mod.ts";
import { checkOutput, type CheckResult } from "isolate/judge/checker/checker.ts";
import type { Difference } from "isolate/judge/types.ts";
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";

const system = await System.load();
/** Where blocks end, if nothing is read twice: a small one comes first. */
const BLOCK_ENDS = [1 << 13, (1 << 13) + (1 << 18)];

type Content = string | Uint8Array;

function memoryFile(content: Content): HostFile {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("memfd_create", [plan.string("content"), MFD_CLOEXEC], { into: fd });
  system.run(plan, "make a memory file");
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  system.writeAll(plan.result(fd), bytes, "content");
  return new HostFile({ system }, plan.result(fd), "the content");
}

async function check(answer: Content, output: Content, ...flags: string[]): Promise<CheckResult> {
  using outputFile = memoryFile(output);
  using answerFile = memoryFile(answer);
  return await checkOutput({ output: outputFile, answer: answerFile, flags });
}

async function accepts(answer: Content, output: Content, ...flags: string[]): Promise<boolean> {
  return (await check(answer, output, ...flags)).accepted;
}

async function difference(
  answer: Content,
  output: Content,
  ...flags: string[]
): Promise<Difference> {
  const result = await check(answer, output, ...flags);
  assert(!result.accepted, "the output must not be accepted");
  return result.difference;
}

async function reason(answer: Content, output: Content, ...flags: string[]): Promise<string> {
  return (await difference(answer, output, ...flags)).reason;
}

Deno.test("white space does not matter, unless it is asked for", async () => {
  for (const output of ["a b", " a\tb\n", "a\r\nb\r\n", "a\v\f\n\nb"]) {
    assert(await accepts("a b\n", output), output);
    assertEquals(await accepts("a b\n", output, "space_change_sensitive"), output === "a b\n");
  }
  assert(!await accepts("a b\n", "ab\n"));
  assert(!await accepts("ab\n", "a b\n"));
  assert(await accepts("a  b\n", "A  b\n", "space_change_sensitive"));
  assert(await accepts("", " \n\t"));
  assert(!await accepts("", " ", "space_change_sensitive"));
  assert(!await accepts(" ", "", "space_change_sensitive"));
});

Deno.test("only ASCII white space separates words", async () => {
  assert(!await accepts("a b", "a\u00a0b"));
  assert(!await accepts("a b", "a\0b"));
  assert(!await accepts("a\n", "a\u0085"));
});

Deno.test("case is ignored for A to Z only", async () => {
  assert(await accepts("Yes NO\n", "yES no\n"));
  assert(!await accepts("Yes\n", "yes\n", "case_sensitive"));
  assert(!await accepts("é\n", "É\n"));
  assert(!await accepts("@[`{\n", "`{@[\n"));
});

Deno.test("numbers are compared as text without a tolerance", async () => {
  assert(!await accepts("1.0", "1"));
  assert(!await accepts("1e3", "1000"));
  assert(await accepts("1E3", "1e3"));
});

Deno.test("a tolerance is absolute, relative, or either", async () => {
  assert(await accepts("100", "100.9", "float_absolute_tolerance", "1"));
  assert(!await accepts("100", "101.1", "float_absolute_tolerance", "1"));
  assert(await accepts("1000", "1009", "float_relative_tolerance", "0.01"));
  assert(!await accepts("1000", "1011", "float_relative_tolerance", "0.01"));
  assert(!await accepts("0", "0.001", "float_relative_tolerance", "0.01"));
  assert(await accepts("0", "0.001", "float_tolerance", "0.01"));
  assert(await accepts("1000", "1009", "float_tolerance", "0.01"));
  assert(await accepts("0", "-0.0", "float_relative_tolerance", "0"));
  assert(await accepts("a 1.50 b", "A +1.5 B", "float_tolerance", "0"));
});

Deno.test("of two tolerances of one kind the last one counts", async () => {
  assert(await accepts("1", "1.4", "float_tolerance", "1e-9", "float_absolute_tolerance", "0.5"));
  assert(!await accepts("1", "1.4", "float_tolerance", "0.5", "float_tolerance", "1e-9"));
});

Deno.test("where the answer is a number the output must be one", async () => {
  for (const output of ["abc", "1.0x", "nan", "inf", "0x1", "1e", "--1", ".", "1e999", "1,0"]) {
    assert(!await accepts("1.0", output, "float_tolerance", "1e300"), output);
  }
  for (const answer of ["nan", "inf", "0x10", "x1", "1e999", "-"]) {
    assert(await accepts(answer, answer.toUpperCase(), "float_tolerance", "1"), answer);
    assert(!await accepts(answer, "1", "float_tolerance", "1"), answer);
  }
});

Deno.test("a number of many digits is a number, one of thousands of digits is a word", async () => {
  const digits = "3.".padEnd(1000, "3");
  assert(await accepts(`x ${digits} y`, "x 3.333333333333 y", "float_tolerance", "1e-9"));
  const more = "3.".padEnd(3000, "3");
  assert(!await accepts(more, "3.333333333333", "float_tolerance", "1e-9"));
  assert(await accepts(more, more, "float_tolerance", "1e-9"));
  assert(!await accepts("3.333333333333", more, "float_tolerance", "1e-9"));
});

Deno.test("the reason names line and word of the output, and those of the answer if different", async () => {
  assertEquals(await reason("1\n2 42\n", "1\n2 43\n"), 'Line 2, word 2: expected "42", got "43"');
  assertEquals(
    await reason("1 2\n42\n", "1\n2\n43\n"),
    'Line 3, word 1 (line 2, word 1 of the answer): expected "42", got "43"',
  );
  assertEquals(await reason("abc\n", "ab\n"), 'Line 1, word 1: expected "abc", got "ab"');
  assertEquals(
    await reason("Yes\n", "yes\n", "case_sensitive"),
    'Line 1, word 1: expected "Yes", got "yes" (upper and lower case count)',
  );
});

Deno.test("the reason says that an output is empty, ends too early or goes on", async () => {
  assertEquals(await reason("1\n2\n", ""), 'The output is empty: expected "1"');
  assertEquals(
    await reason("1\n2 3\n", "1\n2\n"),
    'The output ends too early: line 2, word 2 of the answer is "3"',
  );
  assertEquals(
    await reason("1\n", "1\n\n2\n"),
    'The output goes on after the answer: line 3, word 1 is "2"',
  );
  assertMatch(await reason("1 2", "1 ", "space_change_sensitive"), /ends too early/);
  assertMatch(await reason("1 ", "1 2", "space_change_sensitive"), /goes on/);
});

Deno.test("the reason distinguishes kinds of white space", async () => {
  const cases = [
    ["a b\n", "a\nb\n", "Line 1, byte 2: expected a space, got the end of the line"],
    ["a\n", "a\r\n", "Line 1, byte 2: expected the end of the line, got a carriage return"],
    ["a\n", "a", "Line 1, byte 2: expected the end of the line, got the end of the file"],
    ["a\nb  c", "a\nb c", 'Line 2, byte 3: expected a space, got "c"'],
  ] as const;
  for (const [answer, output, expected] of cases) {
    assertEquals(await reason(answer, output, "space_change_sensitive"), expected);
  }
  assertEquals(
    await reason("1 a\n", "1.0 a", "space_change_sensitive", "float_tolerance", "0"),
    "Line 1, byte 6 (line 1, byte 4 of the answer): expected the end of the line, " +
      "got the end of the file",
  );
});

Deno.test("the reason tells how far off a number is", async () => {
  assertEquals(
    await reason("2\n", "2.5\n", "float_absolute_tolerance", "1e-6"),
    "Line 1, word 1: expected 2, got 2.5: off by 0.5, relative 0.25; allowed 0.000001",
  );
  assertEquals(
    await reason("0\n", "1e-3\n", "float_tolerance", "1e-9"),
    "Line 1, word 1: expected 0, got 1e-3: off by 0.001; allowed 1e-9 or relative 1e-9",
  );
  assertEquals(
    await reason("3.14\n", "3.15\n", "float_tolerance", "1e-3"),
    "Line 1, word 1: expected 3.14, got 3.15: off by 0.01, relative 0.00318; " +
      "allowed 0.001 or relative 0.001",
  );
  assertEquals(
    await reason("2\n", "two\n", "float_tolerance", "1"),
    'Line 1, word 1: expected the number 2, got "two"',
  );
});

Deno.test("some lines of both sides are shown", async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`);
  const answer = lines.join("\n") + "\n";
  const found = await difference(answer, answer.replace("line 10", "\nlime 10"));
  assertEquals(found.reason.split(":")[0], "Line 11, word 1 (line 10, word 1 of the answer)");
  assertEquals(found.expectedFrom, 7);
  assertEquals(found.expected, lines.slice(6, 13));
  assertEquals(found.actualFrom, 8);
  assertEquals(found.actual, [...lines.slice(7, 9), "", "lime 10", ...lines.slice(10, 13)]);
});

Deno.test("at the end of a file the lines before are shown", async () => {
  const found = await difference("1\n2\n3\n", "1\n2\n");
  assertEquals([found.expectedFrom, found.expected], [1, ["1", "2", "3"]]);
  assertEquals([found.actualFrom, found.actual], [1, ["1", "2"]]);
  const empty = await difference("1\n", "");
  assertEquals([empty.actualFrom, empty.actual], [1, []]);
});

Deno.test("bytes that are not text are shown as text", async () => {
  const found = await difference(
    "ok\n",
    new Uint8Array([0xff, 0x00, 0x1b, 0xe2, 0x80, 0xae, 0x0a]),
  );
  assertEquals(found.actual, ["\\xff\\x00\\x1b\\u202e"]);
  assertEquals(found.reason, 'Line 1, word 1: expected "ok", got "\\xff\\x00\\x1b\\u202e"');
  assert(JSON.stringify(found).isWellFormed());
});

Deno.test("long lines and words are cut around the difference, between characters", async () => {
  const long = "ä".repeat(100_000);
  const found = await difference(`${long}x${long}`, `${long}y${long}`);
  for (const text of [...found.expected, ...found.actual]) {
    assertLess(text.length, 200);
    assertMatch(text, /^…ä+[xy]ä+…$/);
  }
  assertMatch(found.reason, /^Line 1, word 1: expected "…ä+xä+…", got "…ä+yä+…"$/);
  assertLess(found.reason.length, 160);
});

Deno.test("a word of 32 MB is compared, described, and never kept", async () => {
  const word = new Uint8Array(32e6).fill(0x61);
  word[31e6] = 0x42;
  const [output, answer] = [memoryFile(word), memoryFile(word.fill(0x62, 31e6, 31e6 + 1))];
  try {
    await checkOutput({ output: answer, answer, flags: [] });
    const before = Deno.memoryUsage();
    assert(
      (await checkOutput({ output, answer, flags: ["float_tolerance", "1"] })).accepted,
    );
    const strict = await checkOutput({ output, answer, flags: ["case_sensitive"] });
    const after = Deno.memoryUsage();
    assert(!strict.accepted);
    assertMatch(strict.difference.reason, /^Line 1, word 1: expected "…a+ba+…", got "…a+Ba+…"/);
    assertLess(after.external - before.external, 8e6);
    assertLess(after.heapUsed - before.heapUsed, 8e6);
  } finally {
    system.close(output.fd, answer.fd);
  }
});

/** Decides in the simple way what the checker must say. */
function oracle(answer: string, output: string, flags: readonly string[]): boolean {
  const words = (text: string) => text.match(/[^ \t\n\v\f\r]+/g) ?? [];
  const gaps = (text: string) => text.split(/[^ \t\n\v\f\r]+/);
  const [expected, actual] = [words(answer), words(output)];
  if (expected.length !== actual.length) return false;
  if (flags.includes("space_change_sensitive") && gaps(answer).join() !== gaps(output).join()) {
    return false;
  }
  const isNumber = (word: string) =>
    /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) && Number.isFinite(Number(word));
  return expected.every((word, i) => {
    const other = actual[i]!;
    if (flags.includes("float_tolerance") && isNumber(word)) {
      const error = Math.abs(Number(word) - Number(other));
      return isNumber(other) && error <= 0.25 * Math.max(1, Math.abs(Number(word)));
    }
    if (flags.includes("case_sensitive")) return word === other;
    return word.toLowerCase() === other.toLowerCase();
  });
}

/** A generator of numbers below a bound that gives the same ones every time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

const FLAG_SETS = [
  [],
  ["case_sensitive"],
  ["space_change_sensitive"],
  ["float_tolerance", "0.25"],
  ["space_change_sensitive", "float_tolerance", "0.25"],
];

/** Changes a few characters of a text. */
function change(text: string, random: (below: number) => number): string {
  const alphabet = ["a", "A", "b", " ", "\n", "1", "2", ".", "5", "e", "-", ""];
  let changed = text;
  for (let i = random(4); i > 0; i--) {
    const at = random(text.length + 1);
    changed = changed.slice(0, at) + alphabet[random(alphabet.length)] +
      changed.slice(at + random(2));
  }
  return changed;
}

function randomText(random: (below: number) => number): string {
  const pieces = ["a", "A", "b", " ", "  ", "\n", "1", "2.", ".5", "1e1", "-", " 1.5 ", "aAaA"];
  return Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join("");
}

Deno.test("short texts are judged as the simple way does", async () => {
  const random = randomNumbers(1);
  let accepted = 0;
  for (let round = 0; round < 4000; round++) {
    const answer = randomText(random);
    const output = change(answer, random);
    const flags = FLAG_SETS[round % FLAG_SETS.length]!;
    const expected = oracle(answer, output, flags);
    accepted += Number(expected);
    const message = JSON.stringify({ answer, output, flags });
    assertEquals(await accepts(answer, output, ...flags), expected, message);
  }
  assert(accepted > 1000 && accepted < 3000, `${accepted} were accepted`);
});

Deno.test("it does not matter where blocks end", async () => {
  const random = randomNumbers(2);
  const paddings = [
    (length: number) => "7 ".repeat(length).slice(-length),
    (length: number) => "x".repeat(length),
    (length: number) => " ".repeat(length),
    (length: number) => `${"x".repeat(length - 1000)} ${"0".repeat(999)}`,
  ];
  for (let round = 0; round < 400; round++) {
    const tail = `1.50 ${randomText(random)} 2.5`;
    const pad = paddings[round % paddings.length]!(BLOCK_ENDS[random(2)]! - random(24));
    const spaces = " ".repeat(random(3));
    const answer = pad + tail;
    const output = spaces + pad + change(tail, random);
    const flags = FLAG_SETS[random(FLAG_SETS.length)]!;
    const message = JSON.stringify({ round, tail, output: output.slice(-40), flags });
    assertEquals(await accepts(answer, output, ...flags), oracle(answer, output, flags), message);
  }
});

Deno.test("the place of a difference is right in whatever block it is", async () => {
  const lines = Array.from({ length: 200_000 }, (_, i) => `${i} ${i * i}`);
  for (const wrong of [0, 1, 30_000, 123_456, 199_999]) {
    const output = lines.with(wrong, `${wrong} x`).join("\n");
    const found = await difference(lines.join("\n"), output, "float_tolerance", "1e-9");
    assertEquals(
      found.reason,
      `Line ${wrong + 1}, word 2: expected the number ${wrong * wrong}, got "x"`,
    );
    assertEquals(found.actual[wrong + 1 - found.actualFrom], `${wrong} x`);
  }
});

Deno.test("the position of the descriptors does not matter, and stays", async () => {
  const [output, answer] = [memoryFile("1 2 3"), memoryFile("1 2 4")];
  try {
    // Written just now: both positions are at the end.
    assert(!(await checkOutput({ output, answer, flags: [] })).accepted);
    system.writeAll(output.fd, new TextEncoder().encode(" 5"), "the output");
    system.writeAll(answer.fd, new TextEncoder().encode(" 5"), "the answer");
    const result = await checkOutput({ output, answer, flags: [] });
    assert(!result.accepted);
    assertEquals(result.difference.actual, ["1 2 3 5"]);
  } finally {
    system.close(output.fd, answer.fd);
  }
});

Deno.test("what cannot be read is an error of the system, not a wrong answer", async () => {
  using answer = memoryFile("1");
  const output = new HostFile({ system }, -1, "the output");
  const message = "Cannot read the output: Bad file descriptor";
  await assertRejects(() => checkOutput({ output, answer, flags: [] }), SandboxError, message);
});

Deno.test("others have their turn while a large output is compared", async () => {
  const content = new Uint8Array(16 << 20).fill(0x61);
  for (let at = 7; at < content.length; at += 8) content[at] = 0x20;
  const [output, answer] = [memoryFile(content), memoryFile(content)];
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  try {
    const flags = ["float_tolerance", "1"];
    assertEquals(await checkOutput({ output, answer, flags }), {
      accepted: true,
    });
    assert(turns > 0, "nobody else had a turn");
    await assertRejects(
      () => checkOutput({ output, answer, flags: ["x"] }),
      SyntaxError,
    );
  } finally {
    clearInterval(timer);
    system.close(output.fd, answer.fd);
  }
});
