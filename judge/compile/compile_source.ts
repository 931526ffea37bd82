/** Reads the sources of a program, and finds their names and the main file for the compiler. */

import type { HostFiles } from "../../mod.ts";
import { javaProgram } from "../languages/java_main.ts";
import { LanguageError } from "../languages/language_definition.ts";
import { isSource, type Language, withLowerCaseExtension } from "../languages/language_table.ts";
import { replaceInBytes } from "../package/constants.ts";
import type { ProgramSource, SourceFile } from "../types.ts";
import type { Words } from "./program.ts";

/** A file of a program with its content. */
export interface LoadedFile {
  /** Its name in the folder of the compiler. */
  readonly name: string;
  /** Its content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A program with the content of its files. */
export interface LoadedSource {
  /** The files; at least one. */
  readonly loaded: readonly LoadedFile[];
}

/** A program that is ready to be compiled. */
export interface PreparedSource {
  readonly files: readonly LoadedFile[];
  /** The values of the placeholders `{sources}`, `{main}`, `{class}` and `{program}`. */
  readonly words: Words;
  /** What is odd about it, one sentence. */
  readonly note?: string | undefined;
}

/** Reads all files of a program. */
export function loadFiles(
  host: HostFiles,
  source: ProgramSource | LoadedSource,
  options: { codeKib: number },
): readonly LoadedFile[] {
  const limitBytes = options.codeKib * 1024;
  const sizes = "loaded" in source
    ? source.loaded.map(({ bytes }) => bytes.length)
    : source.files.map(({ sizeBytes }) => sizeBytes);
  const total = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  if (total > limitBytes) {
    throw new LanguageError(
      `The source has ${Math.ceil(total / 1024)} KiB, more than the ${options.codeKib} KiB allowed`,
    );
  }
  if ("loaded" in source) return source.loaded;
  let rest = limitBytes;
  return source.files.map(({ name, hostFile, constants }) => {
    const bytes = host.readBytes(hostFile, { limitBytes: rest, followLinks: false });
    rest -= bytes.length;
    return { name, bytes: replaceInBytes(bytes, constants) };
  });
}

/** The most that a package may include: not the contestant's, so no limit of the problem counts. */
const INCLUDED_BYTES = 64 << 20;

/** Reads the files that a package includes; the last one of a name counts. */
export function loadIncluded(host: HostFiles, files: readonly SourceFile[]): LoadedFile[] {
  let rest = INCLUDED_BYTES;
  return [...new Map(files.map((file) => [file.name, file])).values()].map((file) => {
    const bytes = host.readBytes(file.hostFile, { limitBytes: rest, followLinks: false });
    rest -= bytes.length;
    return { name: file.name, bytes: replaceInBytes(bytes, file.constants) };
  });
}

/** Finds the sources of a program with included files, which replace its own, their names and the main one. */
export function prepareSource(
  language: Language,
  own: readonly LoadedFile[],
  { included = [], entrypoint }: {
    included?: readonly LoadedFile[] | undefined;
    /** The main file or class; undefined: found by names. */
    entrypoint?: string | undefined;
  } = {},
): PreparedSource {
  const replaced = new Set(included.map(({ name }) => name));
  const remaining = own.filter(({ name }) => !replaced.has(name));
  // What is the submission's own comes first: it is the main file unless a name says otherwise.
  const files = [...remaining, ...included];
  const { main, files: scripts } = language.definition;
  const program = unusedName(files);
  if (scripts.length > 0) return { files, words: wordsOf({ sources: files, program }) };
  const sources = sourcesOf(language, files);
  if (main === "none") return { files, words: wordsOf({ sources, program }) };
  if (main !== "java") {
    const ours = sources.filter((file) => remaining.includes(file));
    return {
      files,
      words: wordsOf({
        sources,
        program,
        main: given(sources, entrypoint) ?? mainOf(sources, ours, main),
      }),
    };
  }
  const decoder = new TextDecoder();
  const { names, mainClass, otherMains } = javaProgram(
    new Map(sources.map(({ name, bytes }) => [name, decoder.decode(bytes)])),
  );
  const rename = (file: LoadedFile) => ({ ...file, name: names.get(file.name) ?? file.name });
  const words = wordsOf({ sources: sources.map(rename), program });
  const startClass = entrypoint ?? mainClass;
  if (startClass !== undefined) words.set("class", startClass);
  const note = otherMains.length === 0 || entrypoint !== undefined
    ? undefined
    : `${mainClass} is run; ${otherMains.join(", ")} has a main method, too`;
  return { files: files.map(rename), words, note };
}

/** Finds the sources; a language that the user has given takes a single file of any name. */
function sourcesOf({ definition }: Language, files: readonly LoadedFile[]): readonly LoadedFile[] {
  const decoder = new TextDecoder();
  const sources = files.filter(({ name, bytes }) => {
    const firstLine = () => decoder.decode(bytes.subarray(0, 256));
    return [name, withLowerCaseExtension(name)].some((name) =>
      isSource(definition, name, firstLine)
    );
  });
  if (sources.length > 0) return sources;
  if (files.length === 1) return files;
  // A given language has its own endings even where a first line would have to tell them from another's.
  const others = files.filter(({ name }) =>
    definition.extensionsWithShebang.some((extension) => name.endsWith(extension))
  );
  if (others.length > 0) return others;
  const endings = definition.extensions.join(" ");
  throw new LanguageError(`None of its files is ${definition.name} (${endings})`);
}

/** Checks that the file which the package names as the main one is there. */
function given(sources: readonly LoadedFile[], name: string | undefined): string | undefined {
  if (name === undefined || sources.some((file) => file.name === name)) return name;
  const names = sources.map(({ name }) => name).join(", ");
  throw new LanguageError(`Its entrypoint ${name} is none of its files: ${names}`);
}

/** Finds the main file: the one with the right name, else the only one that was not included. */
function mainOf(
  sources: readonly LoadedFile[],
  own: readonly LoadedFile[],
  names: readonly string[],
): string {
  const found = names.find((name) => sources.some((file) => file.name === name));
  if (found !== undefined) return found;
  const [only, ...others] = own.length > 0 ? own : sources;
  if (only !== undefined && others.length === 0) return only.name;
  throw new LanguageError(
    `Cannot tell which of its ${sources.length} files is the main one: none is called ` +
      names.join(" or "),
  );
}

function wordsOf({ sources, program, main }: {
  sources: readonly LoadedFile[];
  program: string;
  main?: string;
}): Map<string, string | readonly string[]> {
  const words = new Map<string, string | readonly string[]>([
    ["sources", sources.map(({ name }) => argument(name))],
    ["program", program],
  ]);
  if (main !== undefined) words.set("main", argument(main));
  return words;
}

/** Spells a name so that no compiler takes it for an option or for a list of arguments. */
function argument(name: string): string {
  return /^[\p{L}\p{N}_./]/u.test(name) ? name : `./${name}`;
}

function unusedName(files: readonly LoadedFile[]): string {
  const taken = new Set(files.map(({ name }) => name.split("/")[0]));
  let name = "program";
  while (taken.has(name)) name += "_";
  return name;
}
