/**
 * The numbers of languages that Judge0 has published, for those of the table. Clients have written
 * them into their code, so each number goes on to mean its language; its version is what is installed.
 */

import type { LanguageInfo } from "../engine/executor.ts";

/** A language as Judge0 lists it. */
export interface NumberedLanguage {
  readonly id: number;
  /** Its id in the table of languages. */
  readonly language: string;
  /** Its name with its version. */
  readonly name: string;
  /** Why it cannot be used; undefined: it can. */
  readonly missing: string | undefined;
}

/** How Judge0 lists a language. */
interface Numbering {
  /** The numbers of all its versions there. */
  readonly ids: readonly number[];
  /** Its name there, which clients search for; `*` stands for the version. */
  readonly name: string;
  /** What its main file is called there, if that matters to what is written in it. */
  readonly mainFile?: string;
}

const NUMBERINGS: Readonly<Record<string, Numbering>> = {
  // By GCC and by Clang: the difference matters to few, a C program to all.
  c: { ids: [48, 49, 50, 75, 103, 104, 110], name: "C (GCC *)" },
  cpp: { ids: [52, 53, 54, 76, 105], name: "C++ (GCC *)" },
  python3: { ids: [71, 92, 100, 109, 113], name: "Python (*)" },
  python2: { ids: [70], name: "Python (*)" },
  java: { ids: [62, 91], name: "Java (JDK *)", mainFile: "Main.java" },
  javascript: { ids: [63, 93, 97, 102], name: "JavaScript (Node.js *)" },
  typescript: { ids: [74, 94, 101], name: "TypeScript (*)" },
  go: { ids: [60, 95, 106, 107], name: "Go (*)" },
  rust: { ids: [73, 108], name: "Rust (*)" },
  csharp: { ids: [51], name: "C# (Mono *)", mainFile: "Main.cs" },
  pascal: { ids: [67], name: "Pascal (FPC *)" },
  kotlin: { ids: [78, 111], name: "Kotlin (*)", mainFile: "Main.kt" },
  scala: { ids: [81, 112], name: "Scala (*)", mainFile: "Main.scala" },
  haskell: { ids: [61], name: "Haskell (GHC *)" },
  ocaml: { ids: [65], name: "OCaml (*)" },
  fortran: { ids: [59], name: "Fortran (GFortran *)" },
  d: { ids: [56], name: "D (*)" },
  ruby: { ids: [72], name: "Ruby (*)" },
  perl: { ids: [85], name: "Perl (*)" },
  php: { ids: [68, 98], name: "PHP (*)" },
  lua: { ids: [64], name: "Lua (*)" },
  lisp: { ids: [55], name: "Common Lisp (SBCL *)" },
  prolog: { ids: [69], name: "Prolog (*)" },
  r: { ids: [80, 99], name: "R (*)" },
  bash: { ids: [46], name: "Bash (*)" },
  // Judge0 has none of these.
  pypy3: { ids: [1001], name: "Python (PyPy *)" },
  deno: { ids: [1002], name: "TypeScript (Deno *)" },
  ada: { ids: [1003], name: "Ada (GNAT *)" },
  nim: { ids: [1004], name: "Nim (*)" },
  shell: { ids: [1005], name: "Shell (*)" },
};

/** Languages of an administrator's own table are numbered from here, by their ids. */
const OTHERS = 100_000;

/** Lists languages under all their numbers, in the order of the numbers. */
export function numberLanguages(infos: readonly LanguageInfo[]): NumberedLanguage[] {
  const taken = new Set<number>();
  const numbered = infos.flatMap((info) =>
    (NUMBERINGS[info.id]?.ids ?? [ownNumber(info.id, taken)]).map((id) => ({
      id,
      language: info.id,
      name: nameOf(info),
      missing: info.missing,
    }))
  );
  return numbered.sort((a, b) => a.id - b.id);
}

/** What the main file is called; one without an ending gets that of its language. */
export function mainFileName(language: string): string {
  return NUMBERINGS[language]?.mainFile ?? "main";
}

function nameOf({ id, name, version = "" }: LanguageInfo): string {
  const pattern = NUMBERINGS[id]?.name ?? `${name} (*)`;
  const number = /\d+(\.\d+)+/.exec(version)?.[0];
  return number === undefined ? pattern.replace(/ \(\*\)| \*/, "") : pattern.replace("*", number);
}

/** A number that depends on the id alone, so that it outlives other languages. */
function ownNumber(id: string, taken: Set<number>): number {
  let number = 0;
  for (const character of id) number = (31 * number + character.codePointAt(0)!) % OTHERS;
  while (taken.has(number)) number = (number + 1) % OTHERS;
  taken.add(number);
  return OTHERS + number;
}
