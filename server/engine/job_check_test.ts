import { assertEquals } from "@std/assert";
import type { Language } from "../../judge/languages/language_table.ts";
import { fileNameComplaint, withEnding } from "./job_check.ts";

/** A language of which only the endings matter. */
const language = (extensions: string[], extensionsWithShebang: string[] = []): Language => ({
  id: "x",
  name: "X",
  missing: undefined,
  tools: new Map(),
  directories: [],
  definition: {
    extensions,
    extensionsWithShebang,
    companions: [],
    shebangs: [],
  } as unknown as Language["definition"],
});

/** The names that files have in the end. */
function named(of: Language, ...names: string[]): string[] {
  const files = names.map((name) => ({ name, content: new Uint8Array() }));
  return withEnding(of, files).map(({ name }) => name);
}

Deno.test("withEnding() gives the main file an ending of the language if it has none", () => {
  const c = language([".c"]);
  assertEquals(named(c, "main.c", "other"), ["main.c", "other"]);
  assertEquals(named(c, "MAIN.C", "other"), ["MAIN.C", "other"]);
  assertEquals(named(c, "main", "other.code"), ["main.c", "other.code"]);
  assertEquals(named(c, "file0.code"), ["file0.c"]);
  assertEquals(named(c, "main.txt"), ["main.txt.c"]);
  assertEquals(named(c, "main", "main.c", "main-2.c"), ["main-3.c", "main.c", "main-2.c"]);
  assertEquals(named(language([], [".py"]), "main"), ["main.py"]);
  assertEquals(named(language([], [".py"]), "main.py"), ["main.py"]);
  assertEquals(named(language([]), "main"), ["main"]);
});

Deno.test("fileNameComplaint() lets only names through that stay in their folder", () => {
  for (const name of ["a", "a/b.c", "..a", "a..b", "é", "-x", " ", "a/".repeat(15) + "b"]) {
    assertEquals([name, fileNameComplaint(name)], [name, undefined]);
  }
  for (const name of ["", ".", "..", "/a", "a/", "a//b", "a/../b", "./a", "a\0", "\ud800"]) {
    assertEquals([name, typeof fileNameComplaint(name)], [name, "string"]);
  }
  for (const name of ["x".repeat(256), "a/".repeat(16) + "b", "xx/".repeat(400)]) {
    assertEquals(typeof fileNameComplaint(name), "string");
  }
});
