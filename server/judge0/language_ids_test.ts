import { assertEquals } from "@std/assert";
import type { LanguageInfo } from "../engine/executor.ts";
import { mainFileName, numberLanguages } from "./language_ids.ts";

function info(id: string, version?: string, missing?: string): LanguageInfo {
  return { id, name: `The ${id}`, version, missing, isCompiled: true };
}

Deno.test("a language has all numbers that clients may have written down", () => {
  const numbered = numberLanguages([info("python3", "Python 3.11.2"), info("c", "gcc 12.2.0")]);
  assertEquals(
    numbered.map(({ id, name }) => [id, name]),
    [
      ...[48, 49, 50].map((id) => [id, "C (GCC 12.2.0)"]),
      [71, "Python (3.11.2)"],
      [75, "C (GCC 12.2.0)"],
      ...[92, 100].map((id) => [id, "Python (3.11.2)"]),
      ...[103, 104].map((id) => [id, "C (GCC 12.2.0)"]),
      [109, "Python (3.11.2)"],
      [110, "C (GCC 12.2.0)"],
      [113, "Python (3.11.2)"],
    ],
  );
});

Deno.test("a version that says no number leaves none in the name", () => {
  const names = numberLanguages([info("shell", "POSIX shell"), info("lisp"), info("mine")])
    .map(({ name }) => name);
  assertEquals(names, ["Common Lisp (SBCL)", "Shell", "The mine"]);
});

Deno.test("an administrator's own languages have numbers that others do not change", () => {
  const alone = numberLanguages([info("mine")])[0]!.id;
  const both = numberLanguages([info("zig"), info("mine")]);
  assertEquals(both.find(({ language }) => language === "mine")?.id, alone);
  assertEquals(new Set(both.map(({ id }) => id)).size, 2);
});

Deno.test("no two languages share a number", () => {
  const ids = [
    ...["c", "cpp", "python3", "python2", "java", "javascript", "typescript", "go", "rust"],
    ...["csharp", "pascal", "kotlin", "scala", "haskell", "ocaml", "fortran", "d", "ruby"],
    ...["perl", "php", "lua", "lisp", "prolog", "r", "bash", "pypy3", "deno", "ada", "nim"],
  ];
  const numbers = numberLanguages(ids.map((id) => info(id))).map(({ id }) => id);
  assertEquals(new Set(numbers).size, numbers.length);
});

Deno.test("a public class of Java is in the file that it must be in", () => {
  assertEquals([mainFileName("java"), mainFileName("python3")], ["Main.java", "main"]);
});
