import { assertEquals, assertThrows } from "@std/assert";
import { buildEnvironment, type EnvironmentRule, parseEnvironmentRule } from "./environment.ts";

const CALLER = new Map([["PATH", "/bin"], ["LANG", "C"], ["EMPTY", ""]]);

function build(texts: string[], inheritAll = false): [string, string][] {
  const rules = texts.map(parseEnvironmentRule);
  return [...buildEnvironment({ callerEnvironment: CALLER, inheritAll, rules })];
}

const BUILT_IN: [string, string] = ["LIBC_FATAL_STDERR_", "1"];

Deno.test("parseEnvironmentRule() knows the three forms", () => {
  assertEquals(parseEnvironmentRule("A"), { kind: "inherit", name: "A" });
  assertEquals(parseEnvironmentRule("A=b"), { kind: "set", name: "A", value: "b" });
  assertEquals(parseEnvironmentRule("A="), { kind: "remove", name: "A" });
});

Deno.test("parseEnvironmentRule() splits at the first equals sign", () => {
  assertEquals(parseEnvironmentRule("A=b=c"), { kind: "set", name: "A", value: "b=c" });
  assertEquals(parseEnvironmentRule("A=="), { kind: "set", name: "A", value: "=" });
});

Deno.test("parseEnvironmentRule() keeps blanks, line ends and bytes that are not UTF-8", () => {
  assertEquals(parseEnvironmentRule(" A =\n\udcff"), {
    kind: "set",
    name: " A ",
    value: "\n\udcff",
  });
});

Deno.test("parseEnvironmentRule() refuses an empty name", () => {
  for (const text of ["", "=", "=value"]) {
    assertThrows(
      () => parseEnvironmentRule(text),
      SyntaxError,
      `Invalid environment specified: ${text} (`,
    );
  }
});

Deno.test("parseEnvironmentRule() refuses NUL bytes", () => {
  for (const text of ["A\0", "A=\0", "\0=1"]) {
    assertThrows(
      () => parseEnvironmentRule(text),
      SyntaxError,
      "Invalid environment specified: ",
    );
  }
});

Deno.test("buildEnvironment() starts with the built-in rule alone", () => {
  assertEquals(build([]), [BUILT_IN]);
});

Deno.test("buildEnvironment() starts from the caller's environment on demand", () => {
  assertEquals(build([], true), [...CALLER, BUILT_IN]);
});

Deno.test("buildEnvironment() sets the built-in variable over the caller's value", () => {
  const callerEnvironment = new Map([["LIBC_FATAL_STDERR_", "0"]]);
  const environment = buildEnvironment({ callerEnvironment, inheritAll: true, rules: [] });
  assertEquals([...environment], [BUILT_IN]);
});

Deno.test("buildEnvironment() lets rules override and remove the built-in variable", () => {
  assertEquals(build(["LIBC_FATAL_STDERR_=0"]), [["LIBC_FATAL_STDERR_", "0"]]);
  assertEquals(build(["LIBC_FATAL_STDERR_="]), []);
  assertEquals(build(["LIBC_FATAL_STDERR_"]), []);
});

Deno.test("buildEnvironment() inherits what is set, even to nothing", () => {
  assertEquals(build(["LANG", "MISSING", "EMPTY"]), [BUILT_IN, ["LANG", "C"], ["EMPTY", ""]]);
});

Deno.test("buildEnvironment() applies rules in their order", () => {
  assertEquals(build(["A=1", "A=2"]), [BUILT_IN, ["A", "2"]]);
  assertEquals(build(["A=1", "B=1", "A=2"]), [BUILT_IN, ["A", "2"], ["B", "1"]]);
  assertEquals(build(["A=1", "A="]), [BUILT_IN]);
  assertEquals(build(["A=", "A=1"]), [BUILT_IN, ["A", "1"]]);
});

Deno.test("buildEnvironment() removes inherited variables", () => {
  assertEquals(build(["PATH=", "EMPTY="], true), [["LANG", "C"], BUILT_IN]);
});

Deno.test("buildEnvironment() restores the caller's value, or removes, by an inherit rule", () => {
  assertEquals(build(["LANG=de", "LANG"]), [BUILT_IN, ["LANG", "C"]]);
  assertEquals(build(["MISSING=1", "MISSING"]), [BUILT_IN]);
});

Deno.test("buildEnvironment() leaves the caller's environment alone", () => {
  const before = [...CALLER];
  build(["PATH=", "NEW=1"], true);
  assertEquals([...CALLER], before);
});

Deno.test("buildEnvironment() refuses names and NUL bytes that no text could have given", () => {
  const wrong: EnvironmentRule[] = [
    { kind: "set", name: "", value: "x" },
    { kind: "set", name: "A=B", value: "x" },
    { kind: "inherit", name: "" },
    { kind: "remove", name: "A=" },
    { kind: "set", name: "A", value: "x\0y" },
    { kind: "set", name: "A\0", value: "x" },
  ];
  for (const rule of wrong) {
    assertThrows(
      () => buildEnvironment({ callerEnvironment: CALLER, inheritAll: false, rules: [rule] }),
      SyntaxError,
      "Invalid environment specified: ",
    );
  }
});

Deno.test("buildEnvironment() lets a program set an empty value", () => {
  const rules: EnvironmentRule[] = [{ kind: "set", name: "A", value: "" }];
  const environment = buildEnvironment({ callerEnvironment: CALLER, inheritAll: false, rules });
  assertEquals([...environment], [BUILT_IN, ["A", ""]]);
});
