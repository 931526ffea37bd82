import { assertEquals, assertThrows } from "@std/assert";
import { sharedSandbox } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { loadFiles, prepareSource } from "./compile_source.ts";
import { HostFiles } from "../../host/files.ts";
import { LanguageError } from "../languages/language_definition.ts";
import { loadLanguages } from "../languages/languages.ts";

async function prepare(id: string, files: Readonly<Record<string, string>>) {
  const table = await loadLanguages(new HostFiles(await sharedSandbox()), {
    environment: new Map(),
  });
  const encoder = new TextEncoder();
  const loaded = Object.entries(files).map(([name, text]) => ({
    name,
    bytes: encoder.encode(text),
  }));
  const { files: prepared, words } = prepareSource(table.find(id)!, loaded);
  return { names: prepared.map(({ name }) => name), words: Object.fromEntries(words) };
}

testWith(
  [needs.root()],
  "sources are distinguished from the files that belong to them",
  async () => {
    const files = { "a.cpp": "", "b.CC": "", "c.h": "", "data.txt": "" };
    assertEquals(await prepare("cpp", files), {
      names: ["a.cpp", "b.CC", "c.h", "data.txt"],
      words: { sources: ["a.cpp", "b.CC"], program: "program" },
    });
  },
);

testWith([needs.root()], "a program does not take the name of a file", async () => {
  const { words } = await prepare("cpp", { "a.cpp": "", "program": "", "program_/data": "" });
  assertEquals(words.program, "program__");
});

testWith([needs.root()], "no name is taken for an option", async () => {
  const { words } = await prepare("c", { "-o.c": "", "@b.c": "", "c.c": "", "../d.c": "" });
  assertEquals(words.sources, ["./-o.c", "./@b.c", "c.c", "../d.c"]);
});

testWith(
  [needs.root()],
  "the main file is the only one, or the one of the right name",
  async () => {
    assertEquals((await prepare("python3", { "a.py": "" })).words.main, "a.py");
    assertEquals(
      (await prepare("python3", { "a.py": "", "__main__.py": "" })).words.main,
      "__main__.py",
    );
    const both = { "__main__.py": "", "main.py": "" };
    assertEquals((await prepare("python3", both)).words.main, "main.py");
  },
);

testWith([needs.root()], "a language that was asked for takes a file of any name", async () => {
  assertEquals((await prepare("python3", { "solution.txt": "" })).words.main, "solution.txt");
  const table = await loadLanguages(new HostFiles(await sharedSandbox()), {
    environment: new Map(),
  });
  const files = ["a.txt", "b.txt"].map((name) => ({ name, bytes: new Uint8Array() }));
  assertThrows(
    () => prepareSource(table.find("python3")!, files),
    LanguageError,
    "None of its files is Python 3 (.py .py3)",
  );
});

testWith(
  [needs.root()],
  "the size of all files together is limited, however they grow",
  async () => {
    const host = new HostFiles(await sharedSandbox());
    await withFolder(async (folder) => {
      const files = await Promise.all(["a", "b"].map(async (name) => {
        const hostFile = `${folder}/${name}`;
        await Deno.writeTextFile(hostFile, "x".repeat(600));
        return { name, hostFile, sizeBytes: 600 };
      }));
      const source = { name: "folder", files };
      assertEquals(loadFiles(host, source, { codeKib: 2 }).length, 2);
      assertThrows(
        () => loadFiles(host, source, { codeKib: 1 }),
        LanguageError,
        "more than the 1 KiB",
      );
      const grown = { name: "folder", files: files.map((file) => ({ ...file, sizeBytes: 1 })) };
      assertThrows(() => loadFiles(host, grown, { codeKib: 1 }), Error, "larger than 424 bytes");
    });
  },
);
