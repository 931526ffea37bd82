import { assert, assertEquals } from "@std/assert";
import { parse } from "../../vendor/std/yaml.ts";
import { type JsonSchema, schemaErrors } from "../../tests/support/json_schema.ts";
import { SMALL_TASK, withPackage } from "../../tests/support/package.ts";
import schema from "../task.schema.json" with { type: "json" };
import { PackageError } from "./errors.ts";
import { readPackage } from "./read.ts";
import { CHECKER_KEYS, TASK_KEYS, TASK_LIMITS } from "./task.ts";
import { GROUP_KEYS } from "./task_groups.ts";
import { PAIR_KEYS, TEST_KEYS } from "./task_tests.ts";

const SCHEMA = schema as JsonSchema;

/** The keys that a part of the schema knows. */
function keysOf({ properties }: { properties: Readonly<Record<string, unknown>> }): string[] {
  return Object.keys(properties).sort();
}

Deno.test("the schema of task.yaml has the keys that its reader knows, all and no other", () => {
  const { $defs, properties } = schema;
  assertEquals(keysOf(schema), [...TASK_KEYS].sort());
  assertEquals(keysOf(properties.limits), Object.keys(TASK_LIMITS).sort());
  assertEquals(keysOf($defs.group), [...GROUP_KEYS].sort());
  assertEquals(keysOf($defs.pair), [...PAIR_KEYS].sort());
  assertEquals(keysOf($defs.test), [...TEST_KEYS].sort());
  assertEquals(keysOf($defs.program), [...CHECKER_KEYS].sort());
});

Deno.test("the example of a task agrees with the schema", async () => {
  const file = new URL("../../examples/plainpairs/task.yaml", import.meta.url);
  assertEquals(schemaErrors(parse(await Deno.readTextFile(file)), SCHEMA), []);
});

Deno.test("what TASK.md shows agrees with the schema", async () => {
  const text = await Deno.readTextFile(new URL("../TASK.md", import.meta.url));
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!);
  assertEquals(blocks.length, 3);
  for (const yaml of blocks) assertEquals(schemaErrors(parse(yaml), SCHEMA), [], yaml);
});

const FILES = {
  ...SMALL_TASK,
  "tests/2.in": "",
  "tests/2.out": "",
  "a/x.txt": "",
  "b/x.txt": "",
  "check.py": "",
  "solutions/": "",
};

for (
  const yaml of [
    "",
    "title: 2024\n",
    "limits: {time: 1, memory: 64}\n",
    "limits: {time: 1.5, memory: 64 MiB, output: 1G, code: 5kb, compile_time: 300ms}\n",
    "limits: {checker_time: 1e0 s, checker_memory: 100000 B, compile_memory: 2GiB}\n",
    "tests: tests/*.in\n",
    "tests: {input: a/*.txt, answer: b/*.txt}\n",
    "tests: [{input: tests/1.in, points: 1}, {input: tests/2.in, answer: tests/2.out, points: 2}]",
    "samples: [{input: a/x.txt, answer: b/x.txt}]\n",
    "groups: [{name: 1st, tests: tests/1*.in, points: 5}, {tests: tests/2*.in, points_each: 1}]\n",
    "checker: float_tolerance 1e-6\n",
    "checker: check.py\n",
    "checker: {program: check.py, flags: [a, b], scores: true}\n",
    "interactor: {program: check.py, flags: a b}\n",
    "submissions: solutions\n",
  ]
) {
  Deno.test(`schema and reader take ${JSON.stringify(yaml)}`, async () => {
    assertEquals(schemaErrors(parse(yaml), SCHEMA), []);
    await withPackage({ ...FILES, "task.yaml": yaml }, async ({ host, directory }) => {
      await readPackage(host, directory);
    });
  });
}

for (
  const yaml of [
    "text\n",
    "titel: x\n",
    "title: [a]\n",
    "limits: {time: -1}\n",
    "limits: {time: 1h}\n",
    "limits: {memory: lots}\n",
    "limits: {memory: 5 TB}\n",
    "limits: {tiem: 1}\n",
    "tests: []\n",
    "tests: /etc\n",
    "tests: {input: nothing}\n",
    "tests: {answer: b/*.txt}\n",
    "tests: [{answer: b/x.txt}]\n",
    "tests: [{input: tests/1.in, points: many}]\n",
    "tests: tests\ngroups: [{tests: tests}]\n",
    "groups: []\n",
    "groups: [{name: a}]\n",
    "groups: [{tests: tests, points: 1, points_each: 1}]\n",
    "groups: [{tests: tests, points: -1}]\n",
    "checker: {program: check.py, scores: maybe}\n",
    "checker: [check.py]\n",
    "interactor: {file: check.py}\n",
    "submissions: [solutions]\n",
  ]
) {
  Deno.test(`schema and reader refuse ${JSON.stringify(yaml)}`, async () => {
    assert(schemaErrors(parse(yaml), SCHEMA).length > 0);
    await withPackage({ ...FILES, "task.yaml": yaml }, async ({ host, directory }) => {
      const error = await readPackage(host, directory).catch((error) => error);
      assert(error instanceof PackageError, String(error));
    });
  });
}
