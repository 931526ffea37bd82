/**
 * The languages that can be judged here: the table, what a user's own file changes in it, and which
 * of their tools this machine has.
 */

import { FileError } from "../../text/errors.ts";
import { parseYamlText, yamlLine } from "../../text/yaml.ts";
import { endsWithOne, roleOf } from "./file_role.ts";
import type { HostFiles } from "../../mod.ts";
import { type LanguageDefinition, LanguageError } from "./language_definition.ts";
import { isMapping, type RawLanguage, readLanguage } from "./language_reader.ts";
import { type FoundTool, ToolFinder } from "./tool_finder.ts";
import type { ProgramSource, SourceFile } from "../types.ts";
import builtIn from "../languages.yaml" with { type: "text" };

const USER_FILE_BYTES = 1 << 20;
const FIRST_LINE_BYTES = 256;
/** So many files of a folder without a known ending are looked into. */
const LOOKED_INTO_MAX = 100;

/** A language, and what of it this machine has. */
export interface Language {
  /** Its key in the table. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Why it cannot be used here, one sentence; undefined: it can. */
  readonly missing: string | undefined;
  /** What the table says. */
  readonly definition: LanguageDefinition;
  /** Its tools, by the names that the table gives them; those that were found. */
  readonly tools: ReadonlyMap<string, FoundTool>;
  /** Other files and directories of the host that it needs and that exist. */
  readonly directories: readonly string[];
}

/** How the language of a program is recognised. */
export interface RecogniseOptions {
  /** Its id or name, where that is known. */
  readonly language?: string | undefined;
  /** What the program is for: a validator can come with scripts that build and run it. */
  readonly kind?: "submission" | "validator";
}

/** Where the table comes from. */
export interface LoadLanguagesOptions {
  /** A file that adds to the table and replaces parts of it. */
  readonly userFile?: string | undefined;
  /** The caller's environment, in which tools are found. */
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Reads the table of languages and looks for their tools.
 *
 * @param host the files of the host
 * @param options the user's file and environment
 * @returns the table
 * @throws {FileError} if the user's file is not right: `FILE:LINE: REASON`. Rejects with it
 * @throws {SandboxError} if it cannot be read. Rejects with it
 *
 * @example Which languages this machine has
 * ```ts
 * import { callerEnvironment, HostFiles, sharedSandbox } from "isolate/mod.ts";
 * import { loadLanguages } from "isolate/judge/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const table = await loadLanguages(host, { environment: await callerEnvironment() });
 * for (const { name, missing } of table.languages) console.log(name, missing ?? "can be used");
 * assertEquals(table.find("C++")?.id, "cpp");
 * ```
 */
export async function loadLanguages(
  host: HostFiles,
  options: LoadLanguagesOptions,
): Promise<LanguageTable> {
  const table = await parseTable(builtIn, "languages.yaml");
  const { userFile, environment } = options;
  const text = userFile === undefined
    ? ""
    : host.readText(userFile, { limitBytes: USER_FILE_BYTES });
  const own = userFile === undefined ? {} : await parseTable(text, userFile);
  const merged = mergeTables(table, own);
  const definitions = [...merged].map(([id, raw]) =>
    readLanguage(id, raw, (path, reason) => {
      const [file, source] = id in own ? [userFile, text] : ["languages.yaml", builtIn];
      return new FileError(reason, { file: file!, line: yamlLine(source, path), key: path[0] });
    })
  );
  const finder = new ToolFinder(host, environment);
  return new LanguageTable(host, definitions.map((definition) => findTools(definition, finder)));
}

async function parseTable(text: string, file: string): Promise<RawLanguage> {
  const document = await parseYamlText(text, file);
  if (document === null || document === undefined) return {};
  if (isMapping(document)) return document;
  throw new FileError("a table of languages must be a mapping of ids to languages", {
    file,
    line: 1,
  });
}

const TAKEN_AWAY = [null, "", "null", "~"] as readonly unknown[];

function mergeTables(table: RawLanguage, own: RawLanguage): Map<string, RawLanguage> {
  const merged = new Map<string, RawLanguage>();
  for (const id of new Set([...Object.keys(table), ...Object.keys(own)])) {
    const [base, change] = [table[id] ?? {}, own[id]];
    if (id in own && TAKEN_AWAY.includes(change)) continue;
    merged.set(id, mergeMappings(base, change));
  }
  return merged;
}

/** Keys of mappings inside of mappings are replaced one by one, everything else as a whole. */
function mergeMappings(base: unknown, change: unknown): RawLanguage {
  const result: Record<string, unknown> = { ...isMapping(base) ? base : {} };
  for (const [key, value] of Object.entries(isMapping(change) ? change : {})) {
    if (TAKEN_AWAY.includes(value)) delete result[key];
    else result[key] = isMapping(value) ? mergeMappings(result[key], value) : value;
  }
  return result;
}

function findTools(definition: LanguageDefinition, finder: ToolFinder): Language {
  const tools = new Map<string, FoundTool>();
  const missing: string[] = [];
  for (const [name, tool] of definition.tools) {
    const found = finder.find(tool);
    if (typeof found === "string") missing.push(`there is ${found}`);
    else tools.set(name, found);
  }
  return {
    id: definition.id,
    name: definition.name,
    missing: missing.length === 0
      ? undefined
      : `${definition.name} cannot be used here: ${missing.join("; ")}`,
    definition,
    tools,
    directories: definition.directories.flatMap((pattern) => finder.expand(pattern)),
  };
}

/** The languages that can be judged here. */
export class LanguageTable {
  /** All of them, in the order of the table; also those whose tools are missing. */
  readonly languages: readonly Language[];
  readonly #host: HostFiles;

  /**
   * Makes a table; {@linkcode loadLanguages} reads it.
   *
   * @param host the files of the host
   * @param languages the languages
   */
  constructor(host: HostFiles, languages: readonly Language[]) {
    this.#host = host;
    this.languages = languages;
  }

  /**
   * Finds a language by what it is called.
   *
   * @param name its id or name; capitals do not matter
   * @returns the language; undefined if there is none
   */
  find(name: string): Language | undefined {
    const wanted = name.toLowerCase();
    return this.languages.find(({ id }) => id === wanted) ??
      this.languages.find((language) => language.name.toLowerCase() === wanted);
  }

  /**
   * Recognises the language of a program. It may be one whose tools are missing.
   *
   * @param source the program
   * @param options what is known already
   * @returns the language
   * @throws {LanguageError} if it is none of the table, or could be several
   */
  recognise(source: ProgramSource, options: RecogniseOptions = {}): Language {
    if (options.language !== undefined) {
      const language = this.find(options.language);
      if (language) return language;
      throw new LanguageError(
        `There is no language '${options.language}' (known: ${this.#ids().join(", ")})`,
      );
    }
    const byFiles = options.kind === "validator" && this.#byFiles(source);
    if (byFiles) return byFiles;
    const found = new Map<Language, string>();
    let looked = 0;
    for (const file of source.files) {
      const line = this.#firstLine(file, () => ++looked <= LOOKED_INTO_MAX);
      for (const language of this.#languagesOf(file.name, line)) {
        if (!found.has(language)) found.set(language, file.name);
      }
    }
    const [first, ...others] = found.keys();
    if (first === undefined) throw this.#unknown(source);
    if (others.length === 0) return first;
    const which = [...found].map(([{ name }, file]) => `${shown(file)} is ${name}`).join(", ");
    throw new LanguageError(
      `Cannot tell the language of ${shown(source.name)}: ${which}; a program has one language`,
    );
  }

  #languagesOf(name: string, firstLine: () => string): Language[] {
    const lower = name.replace(/\.[^./]+$/, (extension) => extension.toLowerCase());
    const roles = (spelling: string) =>
      this.languages.filter(({ definition }) =>
        roleOf(definition, spelling, firstLine) === "source"
      );
    let found = roles(name);
    if (found.length === 0 && lower !== name) found = roles(lower);
    if (found.length < 2) return found;
    // What the first line says counts more than an ending that several have.
    const byLine = found.filter(({ definition }) =>
      endsWithOne(lower, definition.extensionsWithShebang)
    );
    return byLine.length > 0 ? byLine : found;
  }

  #byFiles(source: ProgramSource): Language | undefined {
    const names = new Set(source.files.map((file) => file.name));
    return this.languages.find(({ definition: { files } }) =>
      files.length > 0 && files.every((name) => names.has(name))
    );
  }

  /** Reads the beginning of a file, once, if it is asked for. */
  #firstLine(file: SourceFile, mayLook: () => boolean): () => string {
    let line: string | undefined;
    return () => {
      line ??= mayLook() ? readHead(this.#host, file.hostFile) : "";
      return line;
    };
  }

  #ids(): string[] {
    return this.languages.map(({ id }) => id);
  }

  #unknown(source: ProgramSource): LanguageError {
    const [only, ...others] = source.files;
    const extensions = this.languages.flatMap(({ definition }) => definition.extensions);
    const known = `known endings: ${[...new Set(extensions)].join(" ")}`;
    const what = only && others.length === 0
      ? `Cannot tell the language of ${shown(only.name)}`
      : `None of the ${source.files.length} files of ${shown(source.name)} is of a known language`;
    return new LanguageError(`${what} (${known})`);
  }
}

/** Names come from contestants, and messages go to terminals. */
function shown(name: string): string {
  const isPlain = name.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name);
  return isPlain ? name : JSON.stringify(name.toWellFormed());
}

function readHead(host: HostFiles, path: string): string {
  using file = host.open(path);
  const block = file.block(FIRST_LINE_BYTES);
  return new TextDecoder().decode(block.bytes.subarray(0, block.read(0)));
}
