import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { FileError } from "./errors.ts";
import { parseYaml, YamlNode, type YamlSource } from "./yaml_node.ts";

function parse(text: string, options: Partial<YamlSource> = {}): Promise<YamlNode> {
  return parseYaml({ file: "a/b.yaml", text, ...options });
}

Deno.test("errors of a value name the file, the line and the key", async () => {
  const node = await parse("limits:\n  times:\n  - 1\n  - [x]\n");
  const [, second] = node.mapping(["limits"]).get("limits")!.entries().get("times")!.list();
  assertEquals(second!.error("wrong").message, "a/b.yaml:4: limits.times[2]: wrong");
  assertEquals(second!.describe(), "b.yaml: limits.times[2]");
  assertThrows(() => second!.text(), FileError, "must be a single value");
});

Deno.test("an unknown key is an error, or goes to who takes it", async () => {
  const refused = await parse("colour: 1\n");
  assertThrows(
    () => refused.mapping(["color", "size"]),
    FileError,
    "a/b.yaml:1: colour: unknown key; did you mean color?",
  );
  const taken: string[] = [];
  const node = await parse("x: 1\n", { onUnknownKey: ({ message }) => taken.push(message) });
  assertEquals(node.mapping(["color", "size"]).get("x")?.text(), "1");
  assertEquals(taken, ["a/b.yaml:1: x: unknown key; known keys: color, size"]);
});

Deno.test("errors have the class that the reader of the file wants", async () => {
  class TableError extends FileError {}
  const options = { ErrorClass: TableError };
  assertInstanceOf((await parse("a: 1\n", options)).error("wrong"), TableError);
  assertInstanceOf(await parse("a: [\n", options).catch((error) => error), TableError);
});

Deno.test("words are split at white space, those of a list are left as they are", async () => {
  const values = (await parse("a: ' x  y '\nb: [' x', y z]\nc:\n")).entries();
  assertEquals(values.get("a")!.words(), ["x", "y"]);
  assertEquals(values.get("b")!.words(), [" x", "y z"]);
  assertEquals(values.has("c"), false);
});

Deno.test("a number may have to be whole, and in a range", () => {
  const node = (text: string) => new YamlNode(text, { file: "f", text: "" });
  const rules = { min: 0, max: 9, what: "a number up to 9" };
  assertEquals(node("2.5").number(rules), 2.5);
  for (const text of ["-1", "10", "1e1", "0x1", "", "NaN"]) {
    assertThrows(
      () => node(text).number(rules),
      FileError,
      `must be a number up to 9, not "${text}"`,
    );
  }
  assertThrows(() => node("2.5").number({ ...rules, isWhole: true }), FileError, "not");
});
