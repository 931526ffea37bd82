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
      : from.kind === "given"
      ? "given"
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
    ["secret/five", "gen.py+lib.py 5 testcase"],
    ["secret/four", "gen.py 4"],
    ["secret/group/1", "gen.py 6"],
    ["secret/group/2-last", "gen.py 7"],
    ["secret/three", "generators/manual/three.in"],
  ]);
  assertEquals(problem.warnings, []);
});

Deno.test("the seed follows from the salt and the command, as in other tools", async () => {
  const problem = await read(
    "data:\n  a: gen.py 5 {seed}\n  b:\n    generate: 'gen.py {seed:2}'\n    random_salt: abc\n",
  );
  assertEquals(short(problem), [["a", "gen.py 5 1561539053"], ["b", "gen.py 289459119"]]);
});

const LISTS = `
data:
  secret:
    data:
      - "": gen.py 1
      - many:
          generate: gen.py 2 {count} {seed}
          count: 2
      - group:
          data:
            - a: gen.py 3
            - b: gen.py 4
      - other:
          data: { z: gen.py 5, y: gen.py 6 }
      - last: gen.py 7
  sample:
    data:
      - first: gen.py 8
`;

Deno.test("tests in lists are numbered through the whole file, and groups in their folder", async () => {
  const problem = await readFiles({
    ...PROGRAMS,
    "generators/generators.yaml": LISTS,
    "data/secret/2.in": "1\n",
    "data/secret/2.ans": "1\n",
  });
  assertEquals(short(problem), [
    ["sample/1-first", "gen.py 8"],
    ["secret/2", "gen.py 1"],
    ["secret/3-many-1", "gen.py 2 1 2048192586"],
    ["secret/4-many-2", "gen.py 2 2 752902238"],
    ["secret/1-group/5-a", "gen.py 3"],
    ["secret/1-group/6-b", "gen.py 4"],
    ["secret/2-other/y", "gen.py 6"],
    ["secret/2-other/z", "gen.py 5"],
    ["secret/7-last", "gen.py 7"],
  ]);
});

Deno.test("all members of lists are numbered in their folder where the package has them so", async () => {
  const text = LISTS.replace("  sample:", "    extra: {}\n  sample:");
  const problem = await readFiles({
    ...PROGRAMS,
    "generators/generators.yaml": text,
    "data/secret/4-group/1-a.in": "1\n",
    "data/secret/4-group/1-a.ans": "1\n",
  });
  assertEquals(short(problem).map(([name]) => name), [
    "sample/1-first",
    ...["secret/1", "secret/2-many-1", "secret/3-many-2", "secret/4-group/1-a"],
    ...["secret/4-group/2-b", "secret/5-other/y", "secret/5-other/z", "secret/6-last"],
  ]);
});

Deno.test("tests have counts: numbers, lists and ranges", async () => {
  const names = async (count: string) => {
    const tests = short(
      await read(`data:\n  a: { generate: "gen.py {count}", count: ${count} }\n`),
    );
    return tests.map(([name, made]) => [name, made.replace("gen.py ", "")].join("="));
  };
  assertEquals(await names("3"), ["a-1=1", "a-2=2", "a-3=3"]);
  assertEquals(await names("[5, 100]"), ["a-5=5", "a-100=100"]);
  assertEquals(await names("9..=10"), ["a-09=9", "a-10=10"]);
  assertEquals(await names("'-1..=1'"), ["a--1=-1", "a-00=0", "a-01=1"]);
});

Deno.test("folders include tests of others, and tests may be given only as files", async () => {
  const problem = await read(`
data:
  secret:
    data:
      a: { data: { small: gen.py 1, old: manual/three.in, by_hand: } }
      b: { include: [a], data: { more: gen.py 2 } }
      c: { include: [small, more] }
`);
  assertEquals(short(problem), [
    ["secret/a/by_hand", "given"],
    ["secret/a/old", "generators/manual/three.in"],
    ["secret/a/small", "gen.py 1"],
    ["secret/b/by_hand", "given"],
    ["secret/b/old", "generators/manual/three.in"],
    ["secret/b/small", "gen.py 1"],
    ["secret/b/more", "gen.py 2"],
    ["secret/c/small", "gen.py 1"],
    ["secret/c/more", "gen.py 2"],
  ]);
});

Deno.test("folders that include each other again and again list no more tests than anybody has", async () => {
  const folders = Array.from({ length: 40 }, (_, i) => {
    const before = i === 0 ? "data: { t: gen.py }" : `include: [g${i - 1}, g${i - 1}]`;
    return `      g${i}: { ${before} }`;
  });
  // Folders are read in the order of their names.
  const text = `data:\n  secret:\n    data:\n${folders.join("\n").replace(/\bg(\d)\b/g, "g0$1")}\n`;
  const { warnings, checks } = await read(text);
  assertEquals([checks?.generated ?? [], warnings.length], [[], 1]);
  assertEquals(warnings[0]!.endsWith("lists more than 100000 tests"), true, warnings[0]);
});

Deno.test("what is not known of generators.yaml is noted, and the package is judged", async () => {
  const noted = async (text: string) => {
    const problem = await read(text);
    return [
      short(problem).length,
      ...problem.warnings.map((one) => one.replace(/^.*?\/pack\//, "")),
    ];
  };
  const file = "generators/generators.yaml";
  assertEquals(
    await noted("data:\n  secret:\n    data:\n      - a: gen.py\n        b: gen.py 2\n"),
    [
      0,
      `${file}:4: data.secret.data[1]: must have one test or one group: indent what belongs to it`,
    ],
  );
  const counts = "a number of tests up to 100, a list of numbers or a range such as 2..=5";
  for (const count of ["0", "101", "3..=2", "1..=200", "many", "2.5"]) {
    assertEquals(await noted(`data:\n  a: {generate: gen.py, count: ${count}}\n`), [
      0,
      `${file}:2: data.a.count: must be ${counts}, not "${count}"`,
    ]);
  }
  for (const count of ["[]", "[1, 1]", "[x]"]) {
    assertEquals(await noted(`data:\n  a: {generate: gen.py, count: ${count}}\n`), [
      0,
      `${file}:2: data.a.count: must be ${counts}`,
    ]);
  }
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
