import { assertEquals, assertRejects } from "@std/assert";
import { parseYamlText } from "./yaml_text.ts";

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
