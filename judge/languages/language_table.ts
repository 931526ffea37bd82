/** The languages that programs can be written in, and how a program's language is recognised. */

import type { HostFiles } from "../../mod.ts";
import { visibleText } from "../../text/visible.ts";
import type { ProgramSource, SourceFile } from "../types.ts";
import { type LanguageDefinition, LanguageError } from "./language_definition.ts";
import type { FoundTool } from "./tool_finder.ts";

/** Codes of languages in packages that are not our ids. */
const OTHER_CODES: Readonly<Record<string, string>> = {
  "c++": "cpp",
  cxx: "cpp",
  python: "python3",
  py: "python3",
  pypy: "pypy3",
  js: "javascript",
  node: "javascript",
  ts: "deno",
  cs: "csharp",
  kt: "kotlin",
  hs: "haskell",
  rb: "ruby",
  pl: "prolog",
  ml: "ocaml",
  commonlisp: "lisp",
  f90: "fortran",
  golang: "go",
  rs: "rust",
  sh: "shell",
};

const FIRST_LINE_BYTES = 256;
/** The most files of a program whose first line is read. */
const FILES_READ_MAX = 100;

/** A language, and its tools on this machine. */
export interface Language {
  /** Its key in the table. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  /** Why it is not available, one sentence; undefined: it is. */
  readonly missing: string | undefined;
  /** What the table says. */
  readonly definition: LanguageDefinition;
  /** The tools that were found, by their names in the table. */
  readonly tools: ReadonlyMap<string, FoundTool>;
  /** Other files and directories of the host that it needs and that exist. */
  readonly directories: readonly string[];
}

/** How the language of a program is recognised. */
export interface RecogniseOptions {
  /** Its id or name, if the user has given it. */
  readonly language?: string | undefined;
  /** What the program is for: a validator may come with scripts that build and run it. */
  readonly kind?: "submission" | "validator";
}

/** The table of languages. */
export class LanguageTable {
  /** All languages in the order of the table, those that are not available included. */
  readonly languages: readonly Language[];
  readonly #host: HostFiles;

  /**
   * Makes a table; {@linkcode loadLanguages} reads one.
   *
   * @param host the files of the host
   * @param languages the languages
   */
  constructor(host: HostFiles, languages: readonly Language[]) {
    this.#host = host;
    this.languages = languages;
  }

  /**
   * Finds a language.
   *
   * @param name its id or name; case does not matter
   * @returns the language; undefined if there is none
   */
  find(name: string): Language | undefined {
    const wanted = name.toLowerCase();
    return this.languages.find(({ id }) => id === wanted) ??
      this.languages.find((language) => language.name.toLowerCase() === wanted);
  }

  /** Finds a language by the code that other judges have for it, such as that of a package's folder. */
  findByCode(code: string): Language | undefined {
    return this.find(code) ?? this.find(OTHER_CODES[code.toLowerCase()] ?? "");
  }

  /**
   * Recognises the language of a program, which may be one that is not available.
   *
   * @param source the program
   * @param options what is known already
   * @returns the language
   * @throws {LanguageError} if the table does not have it, or if it could be several
   */
  recognise(source: ProgramSource, options: RecogniseOptions = {}): Language {
    if (options.language !== undefined) {
      const language = this.findByCode(options.language);
      if (language) return language;
      const known = this.languages.map(({ id }) => id).join(", ");
      throw new LanguageError(`Unknown language '${options.language}' (known: ${known})`);
    }
    const byFiles = options.kind === "validator" && this.#byFiles(source);
    if (byFiles) return byFiles;
    const found = new Map<Language, string>();
    let filesRead = 0;
    for (const file of source.files) {
      const line = once(() => ++filesRead <= FILES_READ_MAX ? this.#firstLine(file) : "");
      for (const language of this.#languagesOf(file.name, line)) {
        if (!found.has(language)) found.set(language, file.name);
      }
    }
    const [first, ...others] = found.keys();
    if (!first) throw this.#unknown(source);
    if (others.length === 0) return first;
    const which = [...found].map(([{ name }, file]) => `${visibleText(file)} is ${name}`);
    throw new LanguageError(
      `Cannot tell the language of ${visibleText(source.name)}: ${which.join(", ")}; a program ` +
        "has one language",
    );
  }

  #byFiles(source: ProgramSource): Language | undefined {
    const names = new Set(source.files.map((file) => file.name));
    return this.languages.find(({ definition: { files } }) =>
      files.length > 0 && files.every((name) => names.has(name))
    );
  }

  #firstLine({ hostFile }: SourceFile): string {
    using file = this.#host.open(hostFile, { followLinks: false });
    const block = file.block(FIRST_LINE_BYTES);
    return new TextDecoder().decode(block.bytes.subarray(0, block.read(0)));
  }

  #languagesOf(name: string, firstLine: () => string): Language[] {
    const found = this.languages.filter(({ definition }) => isSource(definition, name, firstLine));
    const other = withLowerCaseExtension(name);
    if (found.length === 0 && other !== name) return this.#languagesOf(other, firstLine);
    // The first line counts more than an ending that several languages have.
    const byLine = found.filter(({ definition }) =>
      hasExtension(name, definition.extensionsWithShebang)
    );
    return found.length > 1 && byLine.length > 0 ? byLine : found;
  }

  #unknown(source: ProgramSource): LanguageError {
    const [only, ...others] = source.files;
    const known = "no language of the table has such an ending; see --languages";
    const name = visibleText(source.name);
    const what = only && others.length === 0
      ? `Cannot tell the language of ${visibleText(only.name)}`
      : `None of the ${source.files.length} files of ${name} has a known language`;
    return new LanguageError(`${what} (${known})`);
  }
}

/** Tells whether a file is a source of a language, by its name and its first line. */
export function isSource(
  definition: LanguageDefinition,
  name: string,
  firstLine: () => string,
): boolean {
  const { extensions, companions, extensionsWithShebang, shebangs } = definition;
  if (hasExtension(name, extensions)) return true;
  if (hasExtension(name, companions)) return false;
  const mayHaveShebang = hasExtension(name, extensionsWithShebang) ||
    shebangs.length > 0 && !/[^/]\.[^/]*$/.test(name);
  if (!mayHaveShebang) return false;
  const words = /^#!([^\n]*)/.exec(firstLine())?.[1]?.split(/[\s/]+/) ?? [];
  return shebangs.some((shebang) => words.includes(shebang));
}

function hasExtension(name: string, extensions: readonly string[]): boolean {
  const extension = /[^/](\.[^./]+)$/.exec(name)?.[1];
  return extension !== undefined && extensions.includes(extension);
}

/** Spells `a.CPP` as `a.cpp`. */
export function withLowerCaseExtension(name: string): string {
  return name.replace(/\.[^./]+$/, (extension) => extension.toLowerCase());
}

function once(read: () => string): () => string {
  let text: string | undefined;
  return () => text ??= read();
}
