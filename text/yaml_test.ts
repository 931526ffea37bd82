import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "./errors.ts";
import { parseYamlText, yamlLine, type YamlPath } from "./yaml.ts";

Deno.test("parseYamlText() keeps every value as it is written", async () => {
  const text = "time: 1\ncpus: 0-3\nmode: 010\nempty: ''\ntests: [a, 1_000]\n";
  assertEquals(await parseYamlText(text, "task.yaml"), {
    time: "1",
    cpus: "0-3",
    mode: "010",
    empty: "",
    tests: ["a", "1_000"],
  });
});

Deno.test("parseYamlText() names the file and the line of a mistake", async () => {
  const error = await assertRejects(
    () => parseYamlText("time: 1\ntests: [a\n", "task.yaml"),
    Error,
  );
  assertEquals(/^task\.yaml:\d+: not valid YAML: /.test(error.message), true, error.message);
});

const TEXT = `# time: no key
name:
  en: Names   # de: none
  de: Namen
time: 9
limits:
  # memory: no key
  time_multipliers: {ac: 2, tle: 3}
  memory: 5

  time: 1
text: |
  output: no key
flow: {a: 1,
  output: 2}
list:
- input: a
  points: 1
-
  input: b
  points: 2
- { input: c, points: 3 }
"quoted": 1
deep:
    list:
      - - x
      - name: y
        en: z
`;

for (
  const [line, ...path] of [
    [2, "name"],
    [3, "name", "en"],
    [4, "name", "de"],
    [5, "time"],
    [8, "limits", "time_multipliers", "tle"],
    [9, "limits", "memory"],
    [11, "limits", "time"],
    [15, "flow", "output"],
    [17, "list", 0],
    [18, "list", 0, "points"],
    [19, "list", 1],
    [20, "list", 1, "input"],
    [21, "list", 1, "points"],
    [22, "list", 2, "points"],
    [23, "quoted"],
    [27, "deep", "list", 1, "name"],
    [28, "deep", "list", 1, "en"],
  ] as [number, ...YamlPath][]
) {
  Deno.test(`yamlLine() finds ${path.join(".")}`, () => {
    assertEquals(yamlLine(TEXT, path), line);
  });
}

Deno.test("yamlLine() gives the line of the key above for what it cannot find", () => {
  assertEquals(yamlLine(TEXT, ["limits", "colour"]), 6);
  assertEquals(yamlLine(TEXT, ["colour"]), 1);
  assertEquals(yamlLine(TEXT, ["list", 7, "input"]), 16 + 1);
});

Deno.test("parseYamlText() refuses what is wrong behind a key that is there twice, too", async () => {
  const onDuplicateKey = () => {};
  const text = "a: 1\na: 2\nlimits:  memory: 1, time: 2\n";
  await assertRejects(
    () => parseYamlText(text, "f.yaml", { onDuplicateKey }),
    FileError,
    "f.yaml:3: not valid YAML",
  );
});
