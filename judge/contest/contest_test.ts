import { assertEquals, assertRejects } from "@std/assert";
import { sharedSandbox } from "../../box/sandbox.ts";
import { HostFiles } from "../../host/files.ts";
import { withFolder } from "../../tests/support/folder.ts";
import { type PackageContent, writeFiles } from "../../tests/support/package.ts";
import { PackageError } from "../package/errors.ts";
import { readContest } from "./contest.ts";

const TWO = { "alpha/problem.yaml": "name: A\n", "beta/task.yaml": "" };

async function read(files: Readonly<Record<string, PackageContent>>) {
  let found: [string | undefined, string][] | undefined;
  await withFolder(async (folder) => {
    await writeFiles(`${folder}/contest`, files);
    const contest = await readContest(new HostFiles(await sharedSandbox()), `${folder}/contest`);
    found = contest?.packages.map(({ label, name }) => [label, name]);
  });
  return found;
}

async function complaint(files: Readonly<Record<string, PackageContent>>): Promise<string> {
  const error = await assertRejects(() => read(files), PackageError);
  return error.message.replace(/^.*\/contest\//, "");
}

Deno.test("readContest() finds the packages of a folder", async () => {
  const others = { "README.md": "", "slides/a.tex": "", ".git/config": "", ".old/task.yaml": "" };
  assertEquals(await read({ ...TWO, ...others }), [[undefined, "alpha"], [undefined, "beta"]]);
  assertEquals(await read({ ...TWO, "gamma.zip": "", "beta.zip": "" }), [
    [undefined, "alpha"],
    [undefined, "beta"],
    [undefined, "gamma.zip"],
  ]);
});

Deno.test("readContest() leaves packages, empty folders and what leads outside alone", async () => {
  assertEquals(await read({ "problem.yaml": "", ...TWO }), undefined);
  assertEquals(await read({ "task.yaml": "", ...TWO }), undefined);
  assertEquals(await read({ "notes/a.txt": "" }), undefined);
  assertEquals(await read({ "one.zip": "" }), undefined);
  const outside = { "../other/task.yaml": "", "other": { link: "../other" } };
  assertEquals(await read({ "alpha/task.yaml": "", ...outside }), [[undefined, "alpha"]]);
});

Deno.test("readContest() goes by problems.yaml, as DOMjudge and BAPCtools write it", async () => {
  const domjudge =
    "- id: beta\n  label: A\n  name: Beta\n  rgb: '#ff0000'\n- id: alpha\n  label: B\n";
  assertEquals(await read({ ...TWO, "problems.yaml": domjudge }), [["A", "beta"], ["B", "alpha"]]);
  assertEquals(await read({ ...TWO, "problems.yaml": "[beta]\n" }), [[undefined, "beta"]]);
  const set = "problems:\n  - { short-name: alpha, label: X }\n";
  assertEquals(await read({ ...TWO, "problemset.yaml": set }), [["X", "alpha"]]);
  const archive = { "problems.yaml": "- id: gamma\n", "gamma.kpp": "" };
  assertEquals(await read({ ...TWO, ...archive }), [[undefined, "gamma.kpp"]]);
});

Deno.test("readContest() says what is wrong with problems.yaml", async () => {
  const say = (text: string) => complaint({ ...TWO, "problems.yaml": text });
  assertEquals(
    await say("- label: A\n"),
    "problems.yaml:1: [1]: must have an id, the name of the package's folder",
  );
  assertEquals(
    await say("- id: alpha\n- id: alpha\n"),
    "problems.yaml:1: [2]: is listed twice: alpha",
  );
  assertEquals(await say("[]\n"), "problems.yaml:1: lists no problems");
  assertEquals(
    await say("- id: ../alpha\n"),
    'problems.yaml:1: [1].id: must be the name of a folder beside this file, not "../alpha"',
  );
  assertEquals(
    await say("title: x\n"),
    "problems.yaml:1: has no list of problems: - { id: hello, label: A }",
  );
});
