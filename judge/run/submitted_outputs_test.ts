import { assertEquals } from "@std/assert";
import { submittedOutputs } from "./submitted_outputs.ts";

function outputs(names: readonly string[], tests: readonly string[]) {
  const files = names.map((name) => ({ name, hostFile: `/s/${name}`, sizeBytes: 1 }));
  const submitted = submittedOutputs({ name: "s", files }, tests);
  if (!submitted) return undefined;
  const found = [...submitted.outputs].map(([test, { name }]) => [test, name]);
  return { ...Object.fromEntries(found), note: submitted.compiled.result.note };
}

Deno.test("outputs are found by the names of their tests", () => {
  const tests = ["sample/1", "secret/1", "secret/2", "secret/a/3", "secret/b/3"];
  assertEquals(outputs(["1.out", "2.ans", "a/3.out", "secret/b/3.out"], tests), {
    "secret/1": "1.out",
    "secret/2": "2.ans",
    "secret/a/3": "a/3.out",
    "secret/b/3": "secret/b/3.out",
    note: undefined,
  });
  const note = "3.out, 9.out: for no test; an output is called like its test, such as secret/1.out";
  assertEquals(outputs(["3.out", "9.out", "sample/1.out"], tests), {
    "sample/1": "sample/1.out",
    note,
  });
});

Deno.test("a single output is for the only test", () => {
  assertEquals(outputs(["x.out"], ["secret/1"]), { "secret/1": "x.out", note: undefined });
});

Deno.test("a submission with other files is a program", () => {
  assertEquals(outputs(["main.py", "1.ans"], ["secret/1"]), undefined);
});
