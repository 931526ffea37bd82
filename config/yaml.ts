/** The YAML format of the configuration. */

import { type ConfigEntry, type ParsedConfig, settingsFromEntries } from "./entries.ts";
import { FileError } from "../text/errors.ts";
import { parseYamlText, yamlLine } from "../text/yaml.ts";

/**
 * Reads a configuration in YAML. The keys are those of the classic format; the settings of single
 * boxes may also be grouped: `boxes: {0: {cpus: "0-3", mems: "0"}}`.
 *
 * All values are taken as text, so that `0-3`, `010` and `1_000` mean what they say and no number
 * is guessed. The YAML parser is loaded only when this is called.
 */
export async function parseYamlConfig(text: string, file: string): Promise<ParsedConfig> {
  const document = await parseYamlText(text, file);
  const reader = new EntryReader(text, file);
  return settingsFromEntries(reader.read(document), file);
}

/** Turns the parsed document back into entries and finds the line of each. */
class EntryReader {
  readonly #text: string;
  readonly #file: string;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(document: unknown): ConfigEntry[] {
    // What an empty file, or one with nothing but comments, is parsed to.
    if (document === null || document === undefined) return [];
    if (!isMapping(document)) {
      throw new FileError("the configuration must be a mapping of keys to values", {
        file: this.#file,
        line: 1,
      });
    }
    const entries: ConfigEntry[] = [];
    for (const [key, value] of Object.entries(document)) {
      if (key === "boxes") entries.push(...this.#boxes(value));
      else entries.push(this.#entry(key, { value, path: [key] }));
    }
    return entries.sort((a, b) => a.line - b.line);
  }

  #boxes(boxes: unknown): ConfigEntry[] {
    const entries: ConfigEntry[] = [];
    for (const [id, settings] of this.#members(boxes, ["boxes"])) {
      for (const [name, value] of this.#members(settings, ["boxes", id])) {
        entries.push(this.#entry(`box${id}.${name}`, { value, path: ["boxes", id, name] }));
      }
    }
    return entries;
  }

  #members(value: unknown, path: string[]): [string, unknown][] {
    if (isMapping(value)) return Object.entries(value);
    throw new FileError(`${path.join(".")} must be a mapping`, {
      file: this.#file,
      line: yamlLine(this.#text, path),
    });
  }

  #entry(key: string, { value, path }: { value: unknown; path: string[] }): ConfigEntry {
    const line = yamlLine(this.#text, path);
    if (value !== null && typeof value !== "string") {
      throw new FileError(`${path.join(".")} must be a single value`, { file: this.#file, line });
    }
    return { key, value: value?.trim() ?? "", line };
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
