import { assertEquals, assertThrows } from "@std/assert";
import { parseClassicConfig } from "./classic.ts";
import { FileError } from "../text/errors.ts";
import { defaultSettings } from "./settings.ts";

function assertRefused(text: string, message: string) {
  assertThrows(() => parseClassicConfig(text, "/etc/isolate"), FileError, message);
}

Deno.test("parseClassicConfig() reads an empty file as the default settings", () => {
  for (const text of ["", "\n\n", "# nothing\n   # here\n\t\n"]) {
    assertEquals(parseClassicConfig(text, "x"), { file: "x", settings: defaultSettings() });
  }
});

Deno.test("parseClassicConfig() reads keys, values, comments and blanks", () => {
  const text = `# Boxes of the judge
box_root = /srv/boxes
lock_root=/srv/locks
   num_boxes\t=  16   # two a core
box3.cpus = 0-1,4
box3.mems = 0

cg_root = auto:/run/isolate/cgroup`;
  assertEquals(parseClassicConfig(text, "x").settings, {
    ...defaultSettings(),
    boxRoot: "/srv/boxes",
    lockRoot: "/srv/locks",
    numBoxes: 16,
    cgRoot: { kind: "fromFile", file: "/run/isolate/cgroup" },
    perBox: new Map([[3, { cpus: "0-1,4", mems: "0" }]]),
  });
});

Deno.test("parseClassicConfig() takes lines that end as on Windows", () => {
  assertEquals(parseClassicConfig("num_boxes = 5\r\n# x\r\n", "x").settings.numBoxes, 5);
});

Deno.test("parseClassicConfig() keeps equals signs and hashes within a value", () => {
  assertEquals(parseClassicConfig("box_root = /a=b#c", "x").settings.boxRoot, "/a=b#c");
});

Deno.test("parseClassicConfig() names the file and the line of what is wrong", () => {
  assertRefused("\n# x\ncolour = red\n", "/etc/isolate:3: unknown key 'colour'");
  assertRefused("num_boxes = 5\nnum_boxes = 5", "/etc/isolate:2: num_boxes comes twice");
  assertRefused("num_boxes = many", "/etc/isolate:1: num_boxes must be a whole number");
  assertRefused("\nfirst_uid = 5", "/etc/isolate:2: first_uid needs first_gid");
});

Deno.test("parseClassicConfig() refuses lines that are not settings", () => {
  for (const line of ["num_boxes", "num_boxes: 5", "= 5", "[section]"]) {
    assertRefused(`\n${line}`, `/etc/isolate:2: expected 'key = value', found '${line}'`);
  }
  assertRefused("num_boxes =", "/etc/isolate:1: num_boxes has no value");
  assertRefused("num_boxes = # 5", "/etc/isolate:1: num_boxes has no value");
});
