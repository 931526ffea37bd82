import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileError } from "./errors.ts";
import { parseYamlText } from "./yaml.ts";

async function refusal(text: string): Promise<string> {
  return (await assertRejects(() => parseYamlText(text, "problem.yaml"), FileError)).message;
}

Deno.test("parseYamlText() refuses aliases that multiply a long text", async () => {
  const long = "x".repeat(300_000);
  const aliases = `[${"*x, ".repeat(3000)}]`;
  assertMatch(await refusal(`a: &x ${long}\nflags: ${aliases}\n`), /has 3000 aliases .* 53 that/);
  // Fewer of them: what the parser makes is small, what it stands for is not.
  const few = `[${"*x, ".repeat(50)}]`;
  assertMatch(await refusal(`a: &x ${long}\nflags: ${few}\n`), /expands to more than 4194304/);
  assertMatch(await refusal(`a: &x ${long}\n? ${aliases}\n: b\n`), /aliases/);
});

Deno.test("parseYamlText() refuses aliases that double at each level, at once", async () => {
  const lines = ["a0: &a0 [x, x]"];
  for (let i = 1; i < 60; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
  assertMatch(await refusal(lines.join("\n")), /expands to more than/);
});

Deno.test("parseYamlText() refuses a value that contains itself", async () => {
  assertMatch(await refusal("a: &a [*a]"), /contains itself/);
  assertMatch(await refusal("c: &m\n  d: *m\n"), /contains itself/);
});

Deno.test("parseYamlText() still reads ordinary aliases, and emphasis in texts", async () => {
  const text = "a: &x [1, 2]\nb: *x\nc: *x\n";
  assertEquals(await parseYamlText(text, "f"), { a: ["1", "2"], b: ["1", "2"], c: ["1", "2"] });
  const prose = `t: |\n  ${"a *very* long & old story ".repeat(4000)}\n`;
  assertEquals(typeof await parseYamlText(prose, "f"), "object");
});
