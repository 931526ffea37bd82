import { assertEquals } from "@std/assert";
import { readFiles, SMALL_PACKAGE } from "../../tests/support/package.ts";
import type { Problem } from "../types.ts";

const PROGRAMS = {
  ...SMALL_PACKAGE,
  "generators/gen.py": "print(1)\n",
  "generators/lib.py": "",
  "generators/manual/three.in": "3\n",
};

async function read(text: string): Promise<Problem> {
  return await readFiles({ ...PROGRAMS, "generators/generators.yaml": text });
}

/** Names, and what each is made from in short. */
function short({ checks }: Problem): [string, string][] {
  return (checks?.generated ?? []).map(({ name, from }) => [
    name,
    from.kind === "text"
      ? from.text
      : from.kind === "file"
      ? from.path
      : [from.program.files.map(({ name }) => name).join("+"), ...from.args].join(" "),
  ]);
}

Deno.test("generators.yaml says where tests come from", async () => {
  const problem = await read(`
solution: /submissions/accepted/a.py
generators:
  both: [gen.py, lib.py]
data:
  sample:
    data:
      "1":
        in: 1 2
        ans: "3"
  secret:
    data:
      three:
        copy: manual/three
      four: gen.py 4
      five: { generate: "both 5 {name}" }
      group:
        testdata.yaml: { on_reject: continue }
        data:
          - "": gen.py 6
          - last: gen.py 7
`);
  assertEquals(short(problem), [
    ["sample/1", "1 2\n"],
    ["secret/three", "generators/manual/three.in"],
    ["secret/four", "gen.py 4"],
    ["secret/five", "gen.py+lib.py 5 testcase"],
    ["secret/group/1", "gen.py 6"],
    ["secret/group/2-last", "gen.py 7"],
  ]);
  assertEquals(problem.warnings, []);
});

Deno.test("the seed follows from the salt and the command, as in other tools", async () => {
  const problem = await read(
    "data:\n  a: gen.py 5 {seed}\n  b:\n    generate: 'gen.py {seed:2}'\n    random_salt: abc\n",
  );
  assertEquals(short(problem), [["a", "gen.py 5 1561539053"], ["b", "gen.py 289459119"]]);
});

Deno.test("what is not known of generators.yaml is noted, and the package is judged", async () => {
  const noted = async (text: string) => {
    const problem = await read(text);
    return [
      short(problem).length,
      ...problem.warnings.map((one) => one.replace(/^.*?\/pack\//, "")),
    ];
  };
  assertEquals(await noted("data:\n  - a: { data: { x: gen.py } }\n"), [
    0,
    "generators/generators.yaml: data: numbered groups and counts are not checked",
  ]);
  assertEquals(await noted("data:\n  a: { generate: gen.py, count: 3 }\n  b: gen.py 2\n"), [
    1,
    "generators/generators.yaml: a: tests with a count are not checked",
  ]);
  assertEquals(await noted("data:\n  a: nothing.py\n"), [
    0,
    "generators/generators.yaml:2: data.a: there is no generators/nothing.py",
  ]);
  assertEquals(await noted("data:\n  a: { copy: manual/four }\n"), [
    0,
    "generators/manual/four.in: is missing",
  ]);
  assertEquals(await noted("solution: /submissions/accepted/a.py\n"), [0]);
});
