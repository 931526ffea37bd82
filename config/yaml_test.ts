import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../text/errors.ts";
import { defaultSettings } from "./settings.ts";
import { parseYamlConfig } from "./yaml.ts";

const FILE = "/etc/isolate.yaml";

async function assertRefused(text: string, start: string) {
  const error = await assertRejects(() => parseYamlConfig(text, FILE), FileError);
  assertEquals(error.message.slice(0, start.length), start);
  assertEquals(error.message.includes("\n"), false, "the message is one line");
}

Deno.test("parseYamlConfig() reads an empty file as the default settings", async () => {
  for (const text of ["", "\n", "# nothing\n", "---\n", "{}"]) {
    assertEquals(await parseYamlConfig(text, FILE), { file: FILE, settings: defaultSettings() });
  }
});

Deno.test("parseYamlConfig() reads every key", async () => {
  const text = `# The judge
box_root: /srv/boxes
lock_root: "/srv/locks"
cg_root: auto:/run/isolate/cgroup
first_uid: 100000
first_gid: 200000
num_boxes: 16   # two a core
restricted_init: true
syscall_flags: 15
`;
  assertEquals((await parseYamlConfig(text, FILE)).settings, {
    boxRoot: "/srv/boxes",
    lockRoot: "/srv/locks",
    cgRoot: { kind: "fromFile", file: "/run/isolate/cgroup" },
    firstUid: 100000,
    firstGid: 200000,
    numBoxes: 16,
    restrictedInit: true,
    syscallFlags: 15,
    network: defaultSettings().network,
    perBox: new Map(),
    service: defaultSettings().service,
  });
  assertEquals((await parseYamlConfig("subid_user: judge", FILE)).subidUser, {
    name: "judge",
    line: 1,
  });
});

Deno.test("parseYamlConfig() reads boxes in all three spellings", async () => {
  const expected = new Map([[0, { cpus: "0-3", mems: "0" }], [12, { cpus: "4,6" }]]);
  const texts = [
    `boxes:\n  0:\n    cpus: 0-3\n    mems: 0\n  12:\n    cpus: 4,6\n`,
    `boxes: {0: {cpus: "0-3", mems: "0"}, 12: {cpus: "4,6"}}`,
    `box0.cpus: 0-3\nbox0.mems: 0\nbox12.cpus: "4,6"\n`,
  ];
  for (const text of texts) {
    assertEquals((await parseYamlConfig(text, FILE)).settings.perBox, expected);
  }
});

Deno.test("parseYamlConfig() guesses no numbers", async () => {
  await assertRefused("num_boxes: 0x10", `${FILE}:1: num_boxes must be a whole number`);
  await assertRefused("num_boxes: 1_000", `${FILE}:1: num_boxes must be a whole number`);
  await assertRefused("num_boxes: 1e3", `${FILE}:1: num_boxes must be a whole number`);
  assertEquals((await parseYamlConfig("num_boxes: 010", FILE)).settings.numBoxes, 10);
});

Deno.test("parseYamlConfig() names the line of a syntax error", async () => {
  await assertRefused("num_boxes: 5\n  bad: x", `${FILE}:2: not valid YAML: `);
  await assertRefused("a: [\n b", `${FILE}:3: not valid YAML: `);
  await assertRefused("num_boxes: 5\nnum_boxes: 6", `${FILE}:2: not valid YAML: `);
  await assertRefused("a: 1\n---\nb: 2\n", `${FILE}:2: not valid YAML: `);
  await assertRefused("num_boxes: !!int 5", `${FILE}:1: not valid YAML: `);
  const error = await assertRejects(() => parseYamlConfig("a: b: c", FILE), FileError);
  assertStringIncludes(error.message, "(column ");
});

Deno.test("parseYamlConfig() names the line of a wrong setting", async () => {
  await assertRefused(
    "# colour: red\nnum_boxes: 5\ncolour: red\n",
    `${FILE}:3: unknown key 'colour'`,
  );
  await assertRefused('"colour": red', `${FILE}:1: unknown key 'colour'`);
  await assertRefused("{num_boxes: 5,\n colour: red}", `${FILE}:2: unknown key 'colour'`);
  await assertRefused("num_boxes: 5\nbox_root: x", `${FILE}:2: box_root must be an absolute`);
  await assertRefused("\n\nfirst_uid: 5\n", `${FILE}:3: first_uid needs first_gid`);
  await assertRefused("num_boxes:\n", `${FILE}:1: num_boxes has no value`);
  await assertRefused("a.b: 1", `${FILE}:1: unknown key 'a.b'`);
  await assertRefused("x: 1\n__proto__: 1", `${FILE}:1: unknown key 'x'`);
  await assertRefused("__proto__: 1", `${FILE}:1: unknown key '__proto__'`);
});

Deno.test("parseYamlConfig() names the line of a wrong setting of a box", async () => {
  const text = `box1.cpus: 1
boxes:
  2:
    cpus: 1
  3:
    mems: 0
    # cpus: 1
    cpus: x
`;
  await assertRefused(text, `${FILE}:8: box3.cpus must be a list`);
  await assertRefused("boxes:\n  1:\n    colour: 5", `${FILE}:3: unknown key 'box1.colour'`);
  await assertRefused("boxes:\n  one:\n    cpus: 5", `${FILE}:3: unknown key 'boxone.cpus'`);
});

Deno.test("parseYamlConfig() refuses a box setting in two spellings", async () => {
  await assertRefused(
    "box1.cpus: 1\nboxes: {1: {cpus: 1}}",
    `${FILE}:2: box1.cpus comes twice, first on line 1`,
  );
});

Deno.test("parseYamlConfig() refuses values of the wrong shape", async () => {
  await assertRefused("- num_boxes: 5", `${FILE}:1: the configuration must be a mapping`);
  await assertRefused("just text", `${FILE}:1: the configuration must be a mapping`);
  await assertRefused("x: 1\nnum_boxes: [5]", `${FILE}:2: num_boxes must be a single value`);
  await assertRefused("num_boxes: {a: 5}", `${FILE}:1: num_boxes must be a single value`);
  await assertRefused("boxes: 5", `${FILE}:1: boxes must be a mapping`);
  await assertRefused("boxes:\n", `${FILE}:1: boxes must be a mapping`);
  await assertRefused("boxes: [a]", `${FILE}:1: boxes must be a mapping`);
  await assertRefused("boxes:\n  7: 5", `${FILE}:2: boxes.7 must be a mapping`);
  await assertRefused("boxes: {7: {cpus: [1]}}", `${FILE}:1: boxes.7.cpus must be a single value`);
});
