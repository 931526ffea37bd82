import { assertEquals, assertMatch } from "@std/assert";
import {
  complaintAbout,
  readFiles,
  SMALL_PACKAGE,
  withoutFolder,
  withPackage,
} from "../../tests/support/package.ts";
import { readPackage } from "./read.ts";
import { readSubmission } from "./submissions.ts";

/** What the submissions of a package promise. */
async function promises(
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string | undefined>> {
  const { submissions } = await readFiles({ ...SMALL_PACKAGE, ...files });
  return Object.fromEntries(
    submissions.map(({ name, expected }) => [name, expected?.join(" ")]),
  );
}

Deno.test("readPackage() knows what each folder of submissions promises", async () => {
  const folders = {
    accepted: "AC",
    brute_force: "TLE RTE MLE",
    compile_error: "CE",
    compiler_error: "CE",
    memory_limit_exceeded: "MLE",
    output_limit_exceeded: "OLE",
    rejected: "WA TLE MLE OLE RTE",
    run_time_error: "RTE MLE",
    time_limit_exceeded: "TLE",
    wrong_answer: "WA",
  };
  const names = Object.keys(folders).map((folder) => [folder, `${folder}/a.py`] as const);
  const files = Object.fromEntries(names.map(([, name]) => [`submissions/${name}`, ""]));
  const expected = Object.entries(folders).map(([folder, words]) => [`${folder}/a.py`, words]);
  assertEquals(await promises(files), Object.fromEntries(expected));
});

Deno.test("readPackage() takes files and folders for submissions, and no hidden ones", async () => {
  const { submissions } = await readFiles({
    ...SMALL_PACKAGE,
    "submissions/accepted/a.py": "1234",
    "submissions/accepted/.a.py.swp": "",
    "submissions/accepted/README.md": "",
    "submissions/accepted/big/main.c": "",
    "submissions/accepted/big/lib/x.h": "",
    "submissions/accepted/big/__pycache__/x": "",
  });
  assertEquals(submissions.map(({ name }) => name), ["accepted/a.py", "accepted/big"]);
  const [single, folder] = submissions;
  assertEquals(single?.source.name, "a.py");
  assertEquals(single?.source.files.map(({ name, sizeBytes }) => [name, sizeBytes]), [["a.py", 4]]);
  assertEquals(folder?.source.files.map(({ name }) => name), ["lib/x.h", "main.c"]);
});

Deno.test("readPackage() goes by the tag of expected results rather than by the folder", async () => {
  assertEquals(
    await promises({
      "submissions/accepted/a.py": "# @EXPECTED_RESULTS@: WRONG-ANSWER, timelimit\n",
      "submissions/mixed/b.c": "// @EXPECTED_RESULTS@: CORRECT, RUN-ERROR\r\n",
      "submissions/mixed/c/x.c": "",
      "submissions/mixed/c/y.c": "/* @EXPECTED_RESULTS@: COMPILER-ERROR */",
    }),
    { "accepted/a.py": "WA TLE", "mixed/b.c": "AC RTE MLE", "mixed/c": "CE" },
  );
});

Deno.test("readPackage() knows other names of the folders", async () => {
  const files = ["mixed", "Run_Time_Exception", "TLE", "brute-force"].map((name) =>
    [`submissions/${name}/a.py`, ""] as const
  );
  assertEquals(await promises(Object.fromEntries(files)), {
    "Run_Time_Exception/a.py": "RTE MLE",
    "TLE/a.py": "TLE",
    "brute-force/a.py": "TLE RTE MLE",
    "mixed/a.py": "AC WA TLE MLE OLE RTE",
  });
  const { complaints } = await readFiles({ ...SMALL_PACKAGE, ...Object.fromEntries(files) });
  assertEquals(complaints, []);
});

Deno.test("readPackage() goes by submissions.yaml", async () => {
  const { submissions, complaints } = await readFiles({
    ...SMALL_PACKAGE,
    "submissions/submissions.yaml": `
time_limit_exceeded: {permitted: [AC, WA, TLE], required: [TLE]}
own/{a,b}.*: {permitted: [AC, RTE], required: [RTE], language: cpp}
accepted/slow.py: {use_for_time_limit: false}
wrong_answer/c.py:
  secret/1: {permitted: [AC]}
accepted/nnoe.py: {}
`,
    "submissions/accepted/slow.py": "",
    "submissions/accepted/none.py": "",
    "submissions/own/a.txt": "",
    "submissions/time_limit_exceeded/b.py": "",
    "submissions/wrong_answer/c.py": "",
  });
  const told = submissions.map(({ name, expected, language, forTimeLimit }) =>
    [name, expected?.join(" "), language, forTimeLimit] as const
  );
  assertEquals(told, [
    ["accepted/none.py", "AC", undefined, undefined],
    ["accepted/slow.py", "AC", undefined, false],
    ["own/a.txt", "MLE OLE RTE", "cpp", undefined],
    ["time_limit_exceeded/b.py", "WA TLE OLE", undefined, undefined],
    ["wrong_answer/c.py", "WA", undefined, undefined],
  ]);
  assertEquals(complaints?.map((text) => text.replace(/^.*\/pack/, "pack")), [
    "pack/submissions/submissions.yaml: accepted/nnoe.py matches no submission; did you mean " +
    "accepted/none.py?",
  ]);
});

for (
  const [text, reason] of [
    ["- a\n", ":1: must be a mapping of keys to values"],
    ["a: [\n", /^:\d: not valid YAML: /],
    ["accepted: {permited: [AC]}\n", ":1: accepted.permited: unknown key; did you mean permitted?"],
    [
      "accepted: {permitted: [AK]}\n",
      ':1: accepted.permitted[1]: must be AC or WA or TLE or RTE, not "AK"; did you mean AC?',
    ],
  ] as const
) {
  Deno.test(`readPackage() says of submissions.yaml ${reason}`, async () => {
    const { complaints, submissions } = await readFiles({
      ...SMALL_PACKAGE,
      "submissions/submissions.yaml": text,
      "submissions/accepted/a.py": "",
    });
    assertEquals([complaints?.length, submissions.length], [1, 1]);
    const said = complaints![0]!.replace(/^.*submissions\.yaml/, "");
    if (typeof reason === "string") assertEquals(said, reason);
    else assertMatch(said, reason);
  });
}

Deno.test("readPackage() reads the score that a source expects of itself", async () => {
  const { submissions, warnings } = await readFiles({
    ...SCORED,
    "submissions/partially_accepted/a.py": "# @EXPECTED_SCORE@: 30\n",
    "submissions/partially_accepted/b.py": "# @EXPECTED_SCORE@: some\n",
  });
  const [low, high] = submissions[0]!.expectedScore!;
  assertEquals([low < 30 && low > 29.99, high > 30 && high < 30.01], [true, true]);
  assertEquals(warnings.map((text) => text.replace(/^.*a\/b/, "b")).length, 1);
  assertEquals(warnings[0]!.endsWith('b.py: @EXPECTED_SCORE@ must be a number, not "some"'), true);
});

Deno.test("readPackage() warns of words that are not verdicts, and of folders that promise nothing", async () => {
  await withPackage({
    ...SMALL_PACKAGE,
    "submissions/notes.txt": "",
    "submissions/wrong_answer/a.py": "# @EXPECTED_RESULTS@: CHECK-MANUALLY\n",
    "submissions/wrogn_answer/b.py": "",
    "submissions/partially_accepted/c.py": "",
  }, async ({ host, directory }) => {
    const { warnings, submissions, complaints } = await readPackage(host, directory);
    assertEquals(warnings.map((warning) => withoutFolder(warning, directory)), [
      "pack/submissions/notes.txt: ignored; submissions belong in folders named after verdicts",
      "pack/submissions/partially_accepted/c.py: a pass-fail problem has no partially accepted " +
      "submissions",
      "pack/submissions/wrong_answer/a.py: @EXPECTED_RESULTS@ has the unknown verdict CHECK-MANUALLY",
    ]);
    assertEquals(submissions.map(({ expected }) => expected?.join()), [
      "AC",
      "AC,WA,TLE,MLE,OLE,RTE",
      "WA",
    ]);
    assertEquals(complaints?.map((complaint) => withoutFolder(complaint, directory)), [
      "pack/submissions/wrogn_answer: promises no verdict that is known; did you mean wrong_answer?",
    ]);
  });
});

const SCORED = {
  "problem.yaml": "type: scoring\n",
  "data/testdata.yaml": "on_reject: continue\ngrader_flags: ignore_sample\n",
  "data/sample/1.in": "",
  "data/sample/1.ans": "",
  "data/secret/testdata.yaml": "grader_flags: accept_if_any_accepted\n",
  "data/secret/a/testdata.yaml": "accept_score: 30\ngrader_flags: min\n",
  "data/secret/a/1.in": "",
  "data/secret/a/1.ans": "",
  "data/secret/a/2.in": "",
  "data/secret/a/2.ans": "",
  "data/secret/b/testdata.yaml": "accept_score: 10\n",
  "data/secret/b/3.in": "",
  "data/secret/b/3.ans": "",
  "data/secret/b/4.in": "",
  "data/secret/b/4.ans": "",
  "submissions/partially_accepted/a.py": "",
};

Deno.test("readPackage() says that a partially accepted submission has less than all points", async () => {
  const score = async (files: Record<string, string>) =>
    (await readFiles({ ...SCORED, ...files })).submissions[0]?.expectedScore;
  const [low, high] = (await score({}))!;
  // One group of 30, and two tests of 10.
  assertEquals([low, Math.round(high), high < 50], [-Infinity, 50, true]);
  const range = { "data/testdata.yaml": "grader_flags: ignore_sample\nrange: 0 80\n" };
  assertEquals(Math.round((await score(range))![1]), 80);
  const least = (await score({ "problem.yaml": "type: scoring\ngrading: {objective: min}\n" }))!;
  assertEquals([least[0] > 0, least[1]], [true, Infinity]);
});

Deno.test("readPackage() knows no best score where the validator gives scores without a range", async () => {
  const { submissions } = await readFiles({
    ...SCORED,
    "problem.yaml": "type: scoring\nvalidation: custom score\n",
    "output_validators/check.py": "",
  });
  assertEquals(submissions[0]?.expectedScore, undefined);
});

Deno.test("readPackage() says which submission has no files", async () => {
  assertEquals(
    await complaintAbout({ ...SMALL_PACKAGE, "submissions/accepted/none/.x": "" }),
    "pack/submissions/accepted/none: is empty, but must hold the files of a program",
  );
});

Deno.test("readPackage() refuses a submission with a device in it", async () => {
  const message = await complaintAbout(
    { ...SMALL_PACKAGE, "submissions/accepted/a/a.c": "" },
    async (directory) => {
      const args = [`${directory}/submissions/accepted/a/zero`, "c", "1", "5"];
      assertEquals((await new Deno.Command("mknod", { args }).output()).success, true);
    },
  );
  assertEquals(
    message,
    "pack/submissions/accepted/a/zero: must be a regular file, not a pipe, a socket or a device",
  );
});

Deno.test("readPackage() refuses a program of too many files", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1001 }, (_, i) => [`submissions/accepted/a/${i}.c`, ""]),
  );
  assertEquals(
    await complaintAbout({ ...SMALL_PACKAGE, ...files }),
    "pack/submissions/accepted/a: belongs to a program of more than 1000 files",
  );
});

Deno.test("readSubmission() reads a file or a folder that lies anywhere", async () => {
  await withPackage({ "dir/a.c": "", "dir/sub/b.h": "", "x.py": "12" }, ({ host, directory }) => {
    const file = readSubmission(host, `${directory}/x.py`);
    assertEquals([file.name, file.expected], [`${directory}/x.py`, undefined]);
    assertEquals(file.source, {
      name: "x.py",
      files: [{ name: "x.py", hostFile: `${directory}/x.py`, sizeBytes: 2 }],
    });
    const folder = readSubmission(host, `${directory}/dir/`);
    assertEquals(folder.source.name, "dir");
    assertEquals(folder.source.files.map(({ name, hostFile }) => [name, hostFile]), [
      ["a.c", `${directory}/dir/a.c`],
      ["sub/b.h", `${directory}/dir/sub/b.h`],
    ]);
  });
});

Deno.test("readSubmission() says why it cannot read one", async () => {
  await withPackage({ "empty/": "" }, ({ host, directory }) => {
    const complaint = (path: string) => {
      try {
        return readSubmission(host, path).name;
      } catch (error) {
        return withoutFolder((error as Error).message, directory);
      }
    };
    assertEquals(
      complaint(`${directory}/none.py`),
      "pack/none.py: cannot open it: No such file or directory",
    );
    assertEquals(
      complaint(`${directory}/empty`),
      "pack/empty: is empty, but must hold the files of a program",
    );
    assertEquals(
      complaint("/dev/null"),
      "/dev/null: must be a regular file, not a pipe, a socket or a device",
    );
  });
});
