/** The YAML format of the configuration. */

import { FileError } from "../text/errors.ts";
import { isMapping, parseYamlText, yamlLine, type YamlPath } from "../text/yaml.ts";
import { type ConfigEntry, type ParsedConfig, settingsFromEntries } from "./entries.ts";
import type { Settings } from "./settings.ts";

/**
 * Reads a configuration in YAML. The keys are those of the classic format; the settings of single
 * boxes may also be grouped: `boxes: {0: {cpus: "0-3", mems: "0"}}`.
 */
export async function parseYamlConfig(
  text: string,
  file: string,
  defaults?: Settings,
): Promise<ParsedConfig> {
  // An empty file, or one with nothing but comments, is parsed to null.
  const document = await parseYamlText(text, file) ?? {};

  function refuse(path: YamlPath, reason: string): never {
    throw new FileError(reason, { file, line: yamlLine(text, path) });
  }
  function members(value: unknown, path: YamlPath): [string, unknown][] {
    if (isMapping(value)) return Object.entries(value);
    return refuse(
      path,
      `${path.join(".") || "the configuration"} must be a mapping of keys to values`,
    );
  }
  function entry(key: string, value: unknown, path: YamlPath): ConfigEntry {
    if (value !== null && typeof value !== "string") {
      refuse(path, `${path.join(".")} must be a single value`);
    }
    return { key, value: value?.trim() ?? "", line: yamlLine(text, path) };
  }

  const entries = members(document, []).flatMap(([key, value]) => {
    if (key !== "boxes") return entry(key, value, [key]);
    return members(value, [key]).flatMap(([id, box]) =>
      members(box, [key, id]).map(([name, setting]) =>
        entry(`box${id}.${name}`, setting, [key, id, name])
      )
    );
  });
  return settingsFromEntries(entries.sort((a, b) => a.line - b.line), file, defaults);
}
