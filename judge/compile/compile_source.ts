/** What of a program's files is compiled, under which names, and which of them is the main one. */

import { roleOf } from "../languages/file_role.ts";
import type { HostFiles } from "../../mod.ts";
import { javaProgram } from "../languages/java_main.ts";
import { LanguageError } from "../languages/language_definition.ts";
import type { Language } from "../languages/languages.ts";
import type { Words } from "./program.ts";
import type { ProgramSource } from "../types.ts";

/** A file of a program with its content. */
export interface LoadedFile {
  /** Its name in the folder in which it is compiled. */
  readonly name: string;
  /** Its content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A program that is ready to be compiled. */
export interface PreparedSource {
  /** Its files, by the names that they must have. */
  readonly files: readonly LoadedFile[];
  /** What stands for the placeholders `{sources}`, `{main}`, `{class}` and `{program}`. */
  readonly words: Words;
}

/** Reads all files of a program. */
export function loadFiles(
  host: HostFiles,
  source: ProgramSource,
  options: { codeKib: number },
): LoadedFile[] {
  const limitBytes = options.codeKib * 1024;
  const total = source.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > limitBytes) {
    throw new LanguageError(
      `The source has ${Math.ceil(total / 1024)} KiB, more than the ${options.codeKib} KiB allowed`,
    );
  }
  let rest = limitBytes;
  return source.files.map(({ name, hostFile }) => {
    const bytes = host.readBytes(hostFile, { limitBytes: rest });
    rest -= bytes.length;
    return { name, bytes };
  });
}

/** Finds out what is compiled. */
export function prepareSource(language: Language, files: readonly LoadedFile[]): PreparedSource {
  const { definition } = language;
  const decoder = new TextDecoder();
  const isScript = definition.files.length > 0;
  const sources = isScript ? files : sourcesOf(language, files);
  const program = unusedName(files);
  if (isScript || definition.main === "none") {
    return { files, words: words({ sources, main: undefined, program }) };
  }
  if (definition.main === "java") {
    const { names, mainClass } = javaProgram(
      new Map(sources.map(({ name, bytes }) => [name, decoder.decode(bytes)])),
    );
    const renamed = files.map((file) => ({ ...file, name: names.get(file.name) ?? file.name }));
    const renamedSources = sources.map(({ name }) => ({ name: names.get(name) ?? name }));
    const all = words({ sources: renamedSources, main: undefined, program });
    if (mainClass !== undefined) all.set("class", mainClass);
    return { files: renamed, words: all };
  }
  return { files, words: words({ sources, main: mainOf(sources, definition.main), program }) };
}

/** A language that somebody asked for takes files whatever their names end in. */
function sourcesOf(language: Language, files: readonly LoadedFile[]): readonly LoadedFile[] {
  const { definition } = language;
  const decoder = new TextDecoder();
  const role = (file: LoadedFile, name: string) =>
    roleOf(definition, name, () => decoder.decode(file.bytes.subarray(0, 256)));
  const inSmall = (name: string) =>
    name.replace(/\.[^./]+$/, (extension) => extension.toLowerCase());
  const sources = files.filter((file) =>
    (role(file, file.name) ?? role(file, inSmall(file.name))) === "source"
  );
  if (sources.length > 0) return sources;
  if (files.length === 1) return files;
  const endings = definition.extensions.join(" ");
  throw new LanguageError(`None of its files is ${definition.name} (${endings})`);
}

function mainOf(sources: readonly LoadedFile[], names: readonly string[]): string {
  const [only, ...others] = sources;
  if (only !== undefined && others.length === 0) return only.name;
  const found = names.find((name) => sources.some((file) => file.name === name));
  if (found !== undefined) return found;
  throw new LanguageError(
    `Cannot tell which of its ${sources.length} files is the main one: none is called ` +
      names.join(" or "),
  );
}

function words({ sources, main, program }: {
  sources: readonly { readonly name: string }[];
  main: string | undefined;
  program: string;
}): Map<string, string | readonly string[]> {
  const all = new Map<string, string | readonly string[]>([
    ["sources", sources.map(({ name }) => argument(name))],
    ["program", program],
  ]);
  if (main !== undefined) all.set("main", argument(main));
  return all;
}

/** A name that no compiler takes for an option or for a list of arguments. */
function argument(name: string): string {
  return /^[\p{L}\p{N}_./]/u.test(name) ? name : `./${name}`;
}

function unusedName(files: readonly LoadedFile[]): string {
  const taken = new Set(files.map(({ name }) => name.split("/")[0]));
  let name = "program";
  while (taken.has(name)) name += "_";
  return name;
}
