/** Reads the table of languages with the user's changes, and looks for their tools. */

import type { HostFiles } from "../../mod.ts";
import { isMapping } from "../../text/yaml.ts";
import { parseYaml, YamlNode, type YamlSource } from "../../text/yaml_node.ts";
import builtIn from "../languages.yaml" with { type: "text" };
import { type LanguageDefinition, readLanguage } from "./language_definition.ts";
import { type Language, LanguageTable } from "./language_table.ts";
import { type FoundTool, ToolFinder } from "./tool_finder.ts";

const USER_FILE_BYTES = 1 << 20;

/** Where the table comes from. */
export interface LoadLanguagesOptions {
  /** A file that adds to the table and replaces parts of it. */
  readonly userFile?: string | undefined;
  /** The caller's environment, whose PATH leads to the tools. */
  readonly environment: ReadonlyMap<string, string>;
}

/** A mapping as it was parsed: all its single values are texts. */
type Raw = Readonly<Record<string, unknown>>;

/**
 * Reads the table of languages and looks for their tools.
 *
 * @param host the files of the host
 * @param options the user's file and environment
 * @returns the table
 * @throws {FileError} if the user's file is wrong: `FILE:LINE: KEY: REASON`. Rejects with it
 * @throws {SandboxError} if it cannot be read. Rejects with it
 *
 * @example Listing the languages of this machine
 * ```ts
 * import { callerEnvironment, HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { loadLanguages } from "@isolate/isolate/judge";
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
  { userFile, environment }: LoadLanguagesOptions,
): Promise<LanguageTable> {
  const source: YamlSource = { file: "languages.yaml", text: builtIn };
  const userSource = userFile === undefined
    ? source
    : { file: userFile, text: host.readText(userFile, { limitBytes: USER_FILE_BYTES }) };
  const table = await parseTable(source);
  const changes = userFile === undefined ? {} : await parseTable(userSource);
  const finder = new ToolFinder(host, environment);
  const languages = Object.entries(merge(table, changes)).map(([id, raw]) => {
    const node = new YamlNode(raw, id in changes ? userSource : source, [id]);
    return findTools(readLanguage(node), finder);
  });
  return new LanguageTable(host, languages);
}

async function parseTable(source: YamlSource): Promise<Raw> {
  const { value } = await parseYaml(source);
  if (value === null || value === undefined) return {};
  if (isMapping(value)) return value;
  throw new YamlNode(value, source).error(
    "a table of languages must be a mapping of ids to languages",
  );
}

/** Values that remove a key. */
const REMOVED: readonly unknown[] = [null, "", "null", "~"];

/** Merges mappings, and those inside of them, key by key; everything else is replaced as a whole. */
function merge(base: unknown, changes: Raw): Raw {
  const result: Record<string, unknown> = isMapping(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(changes)) {
    if (REMOVED.includes(value)) delete result[key];
    else result[key] = isMapping(value) ? merge(result[key], value) : value;
  }
  return result;
}

function findTools(definition: LanguageDefinition, finder: ToolFinder): Language {
  const { id, name } = definition;
  const tools = new Map<string, FoundTool>();
  const reasons: string[] = [];
  const absent: string[] = [];
  for (const [tool, { commands, alone }] of definition.tools) {
    const found = finder.find({ commands, alone });
    if (typeof found === "string") {
      const names = commands.filter((command) => !/[/{]/.test(command));
      if (found.includes("that can be used") || names.length === 0) reasons.push(found);
      else absent.push(names.join(" or "));
    } else tools.set(tool, found);
  }
  if (absent.length > 0) reasons.unshift(`install ${absent.join(" and ")}`);
  const missing = reasons.length === 0
    ? undefined
    : `${name} is not set up: ${reasons.join("; ")}, or see --languages`;
  const directories = definition.directories.flatMap((pattern) => finder.expand(pattern));
  return { id, name, missing, definition, tools, directories };
}
