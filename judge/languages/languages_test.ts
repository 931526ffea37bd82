import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { sharedSandbox } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { HostFiles } from "../../host/files.ts";
import { FileError } from "../../text/errors.ts";
import { LanguageError } from "./language_definition.ts";
import type { LanguageTable } from "./language_table.ts";
import { loadLanguages } from "./languages.ts";
import type { ProgramSource } from "../types.ts";

const environment = new Map([["PATH", "/usr/bin:/bin"]]);

async function load(userFile?: string): Promise<LanguageTable> {
  return await loadLanguages(new HostFiles(await sharedSandbox()), { environment, userFile });
}

/** A test with a program on the disk. */
function sourceTest(
  name: string,
  files: Readonly<Record<string, string>>,
  test: (table: LanguageTable, source: ProgramSource) => void,
): void {
  testWith([needs.root()], name, async () => {
    await withFolder(async (folder) => {
      const names = Object.keys(files).sort();
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${folder}/${name}`, text);
      }
      test(await load(), {
        name: names.length === 1 ? names[0]! : "folder",
        files: names.map((name) => {
          const hostFile = `${folder}/${name}`;
          return { name, hostFile, sizeBytes: files[name]!.length };
        }),
      });
    });
  });
}

for (
  const [file, id] of [
    ["a.c", "c"],
    ["a.cc", "cpp"],
    ["a.cpp", "cpp"],
    ["a.CPP", "cpp"],
    ["a.C", "cpp"],
    ["a.py", "python3"],
    ["a.java", "java"],
    ["a.js", "javascript"],
    ["a.mjs", "javascript"],
    ["a.ts", "deno"],
    ["a.go", "go"],
    ["a.rs", "rust"],
    ["a.cs", "csharp"],
    ["a.pas", "pascal"],
    ["a.sh", "shell"],
    ["a.bash", "bash"],
    ["a.py2", "python2"],
    ["a.kt", "kotlin"],
    ["a.hs", "haskell"],
    ["a.pl", "prolog"],
    ["a.pm", "perl"],
    ["a.f90", "fortran"],
    ["a.R", "r"],
  ] as const
) {
  sourceTest(`recognise() takes ${file} for ${id}`, { [file]: "" }, (table, source) => {
    assertEquals(table.recognise(source).id, id);
  });
}

for (
  const [file, line, id] of [
    ["a.js", "#!/usr/bin/env -S deno run", "deno"],
    ["a.js", "#!/usr/bin/env node", "javascript"],
    ["a.sh", "#!/bin/bash", "bash"],
    ["a.ts", "#!/usr/bin/env node", "typescript"],
    ["a.pl", "#!/usr/bin/perl -w", "perl"],
    ["a.py", "#!/usr/bin/env python2", "python2"],
    ["a.py", "#!/usr/bin/pypy3", "pypy3"],
    ["a.py", "#!/usr/bin/python3", "python3"],
    ["a.sh", "#!/bin/sh -e", "shell"],
    ["validate", "#!/usr/bin/python3", "python3"],
    ["validate", "#!/usr/bin/env python", "python3"],
  ] as const
) {
  sourceTest(`recognise() takes ${file} with ${line} for ${id}`, { [file]: `${line}\n` }, (
    table,
    source,
  ) => assertEquals(table.recognise(source).id, id));
}

sourceTest("recognise() leaves headers and data out", {
  "a.cpp": "",
  "a.h": "",
  "README": "text",
  "data.txt": "1",
}, (table, source) => assertEquals(table.recognise(source).id, "cpp"));

sourceTest("recognise() does not decide between two languages", { "a.c": "", "b.py": "" }, (
  table,
  source,
) => {
  assertThrows(
    () => table.recognise(source),
    LanguageError,
    "Cannot tell the language of folder: a.c is C, b.py is Python 3; a program has one language",
  );
  assertEquals(table.recognise(source, { language: "Python 3" }).id, "python3");
});

sourceTest("recognise() says what it knows where it knows nothing", { "a.txt": "#!/bin/sh" }, (
  table,
  source,
) => {
  assertThrows(
    () => table.recognise(source),
    LanguageError,
    "Cannot tell the language of a.txt (no language of the table has such an ending; see",
  );
  assertThrows(
    () => table.recognise(source, { language: "cobol" }),
    LanguageError,
    "Unknown language 'cobol' (known: c, cpp, python3",
  );
});

sourceTest("recognise() shows no control characters", { "a\u001b[31m.txt": "" }, (
  table,
  source,
) => {
  const error = assertThrows(() => table.recognise(source), LanguageError);
  assert(!error.message.includes("\u001b"), error.message);
});

sourceTest("recognise() takes scripts that build and run only of validators", {
  "build": "#!/bin/sh\n",
  "run": "#!/bin/sh\n",
  "a.cpp": "",
}, (table, source) => {
  assertEquals(table.recognise(source, { kind: "validator" }).id, "script");
  assertThrows(() => table.recognise(source), LanguageError, "build is Shell");
});

testWith([needs.root()], "each language of the table has what judging needs", async () => {
  const { languages } = await load();
  const ids = languages.map(({ id }) => id);
  for (
    const id of [
      "c",
      "cpp",
      "python3",
      "java",
      "javascript",
      "deno",
      "go",
      "rust",
      "csharp",
      "pascal",
      "shell",
    ]
  ) {
    assert(ids.includes(id), id);
  }
  // Nothing is guessed: what is not in PATH is missing, with a reason.
  const elsewhere = languages.find(({ id }) => id === "rust")!;
  if (elsewhere.missing) assertMatch(elsewhere.missing, /^Rust is not set up: /);
});

/** A test with a file of the user's own. */
function userTest(
  name: string,
  text: string,
  test: (load: () => Promise<LanguageTable>, file: string) => Promise<void>,
): void {
  testWith([needs.root()], name, async () => {
    await withFolder(async (folder) => {
      const file = `${folder}/languages.yaml`;
      await Deno.writeTextFile(file, text);
      await test(() => load(file), file);
    });
  });
}

userTest(
  "a user's file replaces parts of a language, takes others away and adds new ones",
  `cpp:
  compile:
    command: ["{compiler}", -O3, -o, "{program}", "{sources}"]
  extensions: [.cxx]
java: null
forth:
  name: Forth
  extensions: [.fth]
  tools: { forth: [no-such-forth, "{home}/no-such-forth"] }
  version: ["{forth}", --version]
  run: { command: ["{forth}", "/program/{main}"], memory: control-group, overhead: 7 }
  main: [main.fth]
`,
  async (load) => {
    const table = await load();
    const { definition } = table.find("cpp")!;
    assertEquals(definition.extensions, [".cxx"]);
    assertEquals(definition.compile!.command[1], "-O3");
    assertEquals(definition.compile!.processes, 100);
    assertEquals(definition.run.processes, 64);
    assertEquals(table.find("java"), undefined);
    const forth = table.find("FORTH")!;
    assertEquals(forth.definition.run.overheadMib, 7);
    assertEquals(
      forth.missing,
      "Forth is not set up: install no-such-forth, or see --languages",
    );
    assertEquals(table.languages.at(-1)?.id, "forth");
  },
);

userTest("an empty file of the user's changes nothing", "# nothing\n", async (userLoad) => {
  assertEquals((await userLoad()).languages.length, (await load()).languages.length);
});

const FORTH = "forth:\n  extensions: [.forth]\n  version: [a]\n";

for (
  const [what, text, expected] of [
    ["no YAML", "cpp: [", /languages\.yaml:\d+: not valid YAML: /],
    [
      "a key twice",
      "cpp:\n  name: a\n  name: b\n",
      /:3: not valid YAML: the key name is there twice$/,
    ],
    ["no mapping", "- cpp\n", /:1: a table of languages must be a mapping of ids to languages$/],
    [
      "an unknown key",
      "cpp:\n  extension: [.x]\n",
      /:2: cpp\.extension: unknown key; did you mean extensions\?$/,
    ],
    [
      "a text for a list",
      "cpp:\n  extensions: .x\n",
      /:2: cpp\.extensions: must be a list, such as/,
    ],
    [
      "an extension without a dot",
      "cpp:\n  extensions: [x]\n",
      /:2: cpp\.extensions\[1\]: must be an ending with a dot, such as \.py, not "x"$/,
    ],
    [
      "a wrong number",
      "c:\n  run:\n    processes: many\n",
      /:3: c\.run\.processes: must be a whole number, not "many"$/,
    ],
    [
      "a wrong word",
      "c:\n  run:\n    memory: none\n",
      /:3: c\.run\.memory: must be any or control-group, not "none"$/,
    ],
    [
      "a wrong placeholder",
      "c:\n  version: ['{gcc}']\n",
      /:2: c\.version\[1\]: unknown placeholder \{gcc\}; known placeholders: compiler, sources/,
    ],
    [
      "a wrong placeholder in a variable",
      "c:\n  run:\n    environment:\n      A: x{b}\n",
      /:4: c\.run\.environment\.A: unknown placeholder \{b\}/,
    ],
    ["no run", FORTH, /:1: forth: needs run, a mapping with a command$/],
    ["no version", "forth:\n  run: {command: [a]}\n", /:1: forth: needs version, a command$/],
    [
      "no way to recognise",
      "forth:\n  version: [a]\n  run: {command: [a]}\n",
      /:1: forth: needs one of extensions, shebangs and files/,
    ],
    [
      "an empty command",
      `${FORTH}  run: {command: []}\n`,
      /:4: forth\.run\.command: must name a command$/,
    ],
    ["no command", `${FORTH}  run: {memory: any}\n`, /:4: forth\.run: needs a command$/],
    [
      "a text for a step",
      `${FORTH}  run: a\n`,
      /:4: forth\.run: must be a mapping of keys to values$/,
    ],
    [
      "a list of lists",
      `${FORTH}  run: {command: [[a]]}\n`,
      /:4: forth\.run\.command\[1\]: must be a single value$/,
    ],
    ["a bad id", "Lisp:\n  name: a\n", /:1: Lisp: the id of a language must consist of lower-case/],
    [
      "file locks while running",
      "c:\n  run:\n    file_locks: true\n",
      /:3: c\.run\.file_locks: programs must not lock files/,
    ],
    [
      "a run that only checks",
      "c:\n  run:\n    only_checks: true\n",
      /:3: c\.run\.only_checks: only a compile step can only check programs/,
    ],
    [
      "no flag",
      "c:\n  tools: {a: {commands: [a], alone: maybe}}\n",
      /:2: c\.tools\.a\.alone: must be true or false, not "maybe"$/,
    ],
    [
      "a bad directory",
      "c:\n  directories: [etc]\n",
      /:2: c\.directories\[1\]: must be an absolute path, with \* at most in its last part, not "etc"/,
    ],
    ["stars", "c:\n  directories: ['/*/x']\n", /:2: c\.directories\[1\]: must be an absolute path/],
  ] as const
) {
  userTest(`a user's file with ${what} is refused with its place`, text, async (load, file) => {
    const error = await assertRejects(load, FileError);
    assert(error.message.startsWith(file), error.message);
    assertMatch(error.message, expected);
    assert(!error.message.includes("\n"), error.message);
  });
}

testWith([needs.root()], "a user's file that does not exist is an error", async () => {
  await assertRejects(() => load("/no/such/file.yaml"), Error, "/no/such/file.yaml");
});
