import { assertEquals, assertThrows } from "@std/assert";
import {
  type BindRule,
  checkDirectoryRule,
  defaultDirectoryRules,
  describeDirectoryRule,
  parseDirectoryRule,
  resolveDirectoryRules,
} from "./directory_rules.ts";

function bind(fields: Partial<BindRule> & { inside: string; outside: string }): BindRule {
  return {
    kind: "bind",
    readWrite: false,
    noExec: false,
    devices: false,
    optional: false,
    recursive: true,
    ...fields,
  };
}

function assertRefused(text: string, reason: string) {
  const error = assertThrows(() => parseDirectoryRule(text), SyntaxError);
  const start = `Invalid directory rule '${text}': ${reason}`;
  assertEquals(error.message.slice(0, start.length), start);
  const rest = error.message.slice(start.length);
  assertEquals(rest === "" || /^ \(.*\)$/.test(rest), true, `what follows the reason: ${rest}`);
}

function resolveTexts(texts: string[], defaults = true): string[] {
  const rules = texts.map(parseDirectoryRule);
  return resolveDirectoryRules({ rules, defaults }).map(describeDirectoryRule);
}

const DEFAULTS = [
  "box=./box:rw",
  "bin",
  "dev:norec:dev",
  "dev/shm=tmpfs:fs:rw",
  "lib",
  "lib64:maybe",
  "proc=proc:fs",
  "tmp:tmp",
  "usr",
];

Deno.test("parseDirectoryRule() binds OUT at IN, read-only, without devices, with submounts", () => {
  assertEquals(
    parseDirectoryRule("data=/srv/data"),
    bind({ inside: "data", outside: "/srv/data" }),
  );
});

Deno.test("parseDirectoryRule() binds /IN when there is no right-hand side", () => {
  assertEquals(parseDirectoryRule("/etc"), bind({ inside: "etc", outside: "/etc" }));
  assertEquals(parseDirectoryRule("usr/lib"), bind({ inside: "usr/lib", outside: "/usr/lib" }));
});

Deno.test("parseDirectoryRule() takes OUT relative to the directory of the box", () => {
  assertEquals(parseDirectoryRule("box=./box").kind, "bind");
  assertRefused("box=box", "Right-hand side must start with '/' or './'");
  assertRefused("box=.", "Right-hand side must start with '/' or './'");
  assertRefused("box=../box", "Right-hand side must start with '/' or './'");
});

Deno.test("parseDirectoryRule() knows each option of a bind", () => {
  const rule = { inside: "a", outside: "/b" };
  assertEquals(parseDirectoryRule("a=/b:rw"), bind({ ...rule, readWrite: true }));
  assertEquals(parseDirectoryRule("a=/b:noexec"), bind({ ...rule, noExec: true }));
  assertEquals(parseDirectoryRule("a=/b:maybe"), bind({ ...rule, optional: true }));
  assertEquals(parseDirectoryRule("a=/b:dev"), bind({ ...rule, devices: true }));
  assertEquals(parseDirectoryRule("a=/b:norec"), bind({ ...rule, recursive: false }));
  assertEquals(
    parseDirectoryRule("a=/b:norec:dev:maybe:noexec:rw:rw"),
    bind({
      ...rule,
      readWrite: true,
      noExec: true,
      optional: true,
      devices: true,
      recursive: false,
    }),
  );
});

Deno.test("parseDirectoryRule() removes with an empty right-hand side", () => {
  assertEquals(parseDirectoryRule("/tmp/="), { kind: "remove", inside: "tmp" });
  assertEquals(parseDirectoryRule("tmp=:rw"), { kind: "remove", inside: "tmp" });
});

Deno.test("parseDirectoryRule() mounts each supported filesystem", () => {
  for (const filesystem of ["proc", "sysfs", "tmpfs", "devpts"] as const) {
    assertEquals(parseDirectoryRule(`x=${filesystem}:fs`), {
      kind: "filesystem",
      inside: "x",
      filesystem,
      readWrite: false,
      noExec: false,
      devices: false,
    });
  }
  assertEquals(parseDirectoryRule("x=tmpfs:rw:fs:noexec:dev"), {
    kind: "filesystem",
    inside: "x",
    filesystem: "tmpfs",
    readWrite: true,
    noExec: true,
    devices: true,
  });
});

Deno.test("parseDirectoryRule() refuses other filesystems", () => {
  for (const name of ["ext4", "overlay", "cgroup2", "/proc", "PROC", "proc ", "./tmpfs"]) {
    assertRefused(`x=${name}:fs`, "This filesystem is not supported");
  }
});

Deno.test("parseDirectoryRule() refuses 'fs' without a name", () => {
  assertRefused("proc:fs", "Missing filesystem name");
  assertRefused("proc=:fs", "Missing filesystem name");
});

Deno.test("parseDirectoryRule() makes a temporary directory", () => {
  const rule = { kind: "temporary" as const, inside: "tmp", noExec: false, devices: false };
  assertEquals(parseDirectoryRule("tmp:tmp"), rule);
  assertEquals(parseDirectoryRule("/tmp:tmp:rw"), rule);
  assertEquals(parseDirectoryRule("tmp=:tmp"), rule);
  assertEquals(parseDirectoryRule("tmp:tmp:noexec:dev"), { ...rule, noExec: true, devices: true });
});

Deno.test("parseDirectoryRule() refuses a temporary directory with a right-hand side", () => {
  assertRefused("x=/y:tmp", "Temporary directory mounts do not have a right-hand side");
  assertRefused("x=tmpfs:tmp", "Temporary directory mounts do not have a right-hand side");
});

Deno.test("parseDirectoryRule() refuses 'fs' together with 'tmp'", () => {
  assertRefused("x=tmpfs:fs:tmp", "Flags 'fs' and 'tmp' are mutually exclusive");
  assertRefused("x:tmp:fs", "Flags 'fs' and 'tmp' are mutually exclusive");
});

Deno.test("parseDirectoryRule() accepts options that change nothing", () => {
  assertEquals(parseDirectoryRule("p=proc:fs:norec:maybe").kind, "filesystem");
  assertEquals(parseDirectoryRule("t:tmp:norec:maybe").kind, "temporary");
});

Deno.test("parseDirectoryRule() refuses unknown options", () => {
  assertRefused("etc:ro", "Unknown option 'ro'");
  assertRefused("etc=/etc:RW", "Unknown option 'RW'");
  assertRefused("etc:", "Unknown option ''");
  assertRefused("etc:rw:", "Unknown option ''");
  assertRefused("etc:rw,noexec", "Unknown option 'rw,noexec'");
});

Deno.test("parseDirectoryRule() takes a colon as a separator wherever it stands", () => {
  assertRefused("a=/b:c", "Unknown option 'c'");
  assertRefused("a:rw=/b", "Unknown option 'rw=/b'");
});

Deno.test("parseDirectoryRule() splits at the first equals sign only", () => {
  assertEquals(parseDirectoryRule("a=/b=c"), bind({ inside: "a", outside: "/b=c" }));
});

Deno.test("parseDirectoryRule() refuses paths that name nothing below the root", () => {
  for (const path of ["", "/", "//", ".", "/.", "./", "./."]) {
    assertRefused(path, "Invalid path");
    assertRefused(`${path}=/x`, "Invalid path");
    assertRefused(`${path}=`, "Invalid path");
  }
  assertRefused(":rw", "Invalid path");
});

Deno.test("parseDirectoryRule() refuses '..' in the inside path only", () => {
  for (const path of ["..", "../x", "a/../b", "/a/..", "a/..//"]) {
    assertRefused(`${path}=/x`, "Invalid path");
    assertRefused(path, "Invalid path");
  }
  assertEquals(parseDirectoryRule("a=/x/../y"), bind({ inside: "a", outside: "/x/../y" }));
  assertEquals(parseDirectoryRule("a=./../y"), bind({ inside: "a", outside: "./../y" }));
  assertEquals(parseDirectoryRule("..a/b..=/x").inside, "..a/b..");
});

Deno.test("parseDirectoryRule() normalises slashes and dots of the inside path", () => {
  for (const path of ["a/b", "/a/b", "//a//b//", "a/./b", "./a/b/."]) {
    assertEquals(parseDirectoryRule(`${path}=/x`).inside, "a/b");
  }
  assertEquals(parseDirectoryRule("//etc/"), bind({ inside: "etc", outside: "/etc" }));
});

Deno.test("parseDirectoryRule() refuses NUL bytes", () => {
  assertRefused("a\0b", "Invalid path");
  assertRefused("a=/b\0", "Right-hand side must start with '/' or './'");
});

Deno.test("parseDirectoryRule() keeps blanks, line ends and bytes that are not UTF-8", () => {
  assertEquals(parseDirectoryRule(" a\n\udcff=/ b ").inside, " a\n\udcff");
});

Deno.test("parseDirectoryRule() reads the rules of known judges", () => {
  const texts = {
    "/tmp=/var/x/home:rw": "tmp=/var/x/home:rw",
    "/dev/shm:tmp": "dev/shm:tmp",
    "/etc/alternatives=/etc/alternatives": "etc/alternatives",
    "etc/alternatives=/etc/alternatives:maybe": "etc/alternatives:maybe",
    "/etc:noexec": "etc:noexec",
    "/piston/packages/gcc/10.2.0": "piston/packages/gcc/10.2.0",
  };
  for (const [text, canonical] of Object.entries(texts)) {
    assertEquals(describeDirectoryRule(parseDirectoryRule(text)), canonical);
  }
});

Deno.test("checkDirectoryRule() normalises and checks rules made by programs", () => {
  assertEquals(checkDirectoryRule(bind({ inside: "/a//b/", outside: "/x" })).inside, "a/b");
  assertEquals(checkDirectoryRule({ kind: "remove", inside: "/a/" }).inside, "a");
  assertThrows(
    () => checkDirectoryRule(bind({ inside: "a/../b", outside: "/x" })),
    SyntaxError,
    "Invalid directory rule 'a/../b=/x': Invalid path",
  );
  assertThrows(
    () => checkDirectoryRule(bind({ inside: "a", outside: "x" })),
    SyntaxError,
    "Invalid directory rule 'a=x': Right-hand side must start with '/' or './'",
  );
  assertThrows(
    () =>
      checkDirectoryRule({
        kind: "filesystem",
        inside: "a",
        filesystem: "ext4" as "proc",
        readWrite: false,
        noExec: false,
        devices: false,
      }),
    SyntaxError,
    "Invalid directory rule 'a=ext4:fs': This filesystem is not supported",
  );
});

Deno.test("describeDirectoryRule() is read back as the same rule", () => {
  const texts = [
    ...DEFAULTS,
    "a=/b:rw:noexec:maybe:dev:norec",
    "x=devpts:fs:noexec:dev",
    "t:tmp:noexec:dev",
    "gone=",
  ];
  for (const text of texts) {
    const rule = parseDirectoryRule(text);
    assertEquals(parseDirectoryRule(describeDirectoryRule(rule)), rule);
  }
});

Deno.test("defaultDirectoryRules() are the documented ones in their order", () => {
  const documented = [
    "box=./box:rw",
    "bin",
    "dev:dev:norec",
    "dev/shm=tmpfs:fs:rw",
    "lib",
    "lib64:maybe",
    "proc=proc:fs",
    "tmp:tmp",
    "usr",
  ];
  assertEquals<unknown>(defaultDirectoryRules(), documented.map(parseDirectoryRule));
});

Deno.test("resolveDirectoryRules() appends new rules to the default ones", () => {
  assertEquals(resolveTexts([]), DEFAULTS);
  assertEquals(resolveTexts(["b=/b", "a=/a:rw"]), [...DEFAULTS, "b", "a:rw"]);
});

Deno.test("resolveDirectoryRules() lets a later rule replace an earlier one in its place", () => {
  const replaced = DEFAULTS.map((text) => text === "tmp:tmp" ? "tmp=/srv:rw" : text);
  assertEquals(resolveTexts(["x", "/tmp/=/srv:rw"]), [...replaced, "x"]);
  assertEquals(resolveTexts(["a=/1", "b=/2", "a=/3"], false), ["a=/3", "b=/2"]);
});

Deno.test("resolveDirectoryRules() replaces the whole rule, options included", () => {
  const replaced = DEFAULTS.map((text) => text === "box=./box:rw" ? "box=/x" : text);
  assertEquals(resolveTexts(["box=/x"]), replaced);
});

Deno.test("resolveDirectoryRules() removes rules, and may be given them again", () => {
  const without = DEFAULTS.filter((text) => text !== "usr");
  assertEquals(resolveTexts(["usr="]), without);
  assertEquals(resolveTexts(["usr=", "x", "usr"]), [...DEFAULTS, "x"]);
  assertEquals(resolveTexts(["never="]), DEFAULTS);
});

Deno.test("resolveDirectoryRules() drops the defaults when they are not wanted", () => {
  assertEquals(resolveTexts([], false), []);
  assertEquals(resolveTexts(["opt"], false), ["opt"]);
  assertEquals(resolveTexts(["tmp="], false), []);
});

Deno.test("resolveDirectoryRules() keeps the user's override of a default without defaults", () => {
  assertEquals(resolveTexts(["opt", "box=./box"], false), ["box=./box", "opt"]);
});

Deno.test("resolveDirectoryRules() normalises rules made by programs first", () => {
  const rules = [bind({ inside: "/opt/", outside: "/a" }), bind({ inside: "opt", outside: "/b" })];
  assertEquals(resolveDirectoryRules({ rules, defaults: false }), [
    bind({ inside: "opt", outside: "/b" }),
  ]);
});

Deno.test("parseDirectoryRule() reads the size of a new tmpfs, and of nothing else", () => {
  const rule = parseDirectoryRule("tmp=tmpfs:fs:rw:size=2048:noexec");
  assertEquals(rule.kind === "filesystem" && rule.sizeKib, 2048);
  const text = describeDirectoryRule(rule);
  assertEquals(text, "tmp=tmpfs:fs:rw:noexec:size=2048");
  assertEquals(parseDirectoryRule(text), rule);
  for (const wrong of ["size=", "size=0", "size=1k", "size=-1", "size=1e3"]) {
    assertThrows(() => parseDirectoryRule(`tmp=tmpfs:fs:${wrong}`), SyntaxError, "number of KiB");
  }
  for (const wrong of ["proc=proc:fs:size=1", "etc:size=5", "tmp:tmp:size=5"]) {
    assertThrows(() => parseDirectoryRule(wrong), SyntaxError, "Only a new tmpfs has a size");
  }
});
