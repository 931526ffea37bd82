/**
 * The classic format of the configuration: `key = value` lines.
 *
 * @module
 */

import { type ConfigEntry, type ParsedConfig, settingsFromEntries } from "./entries.ts";
import { ConfigError } from "./errors.ts";

/**
 * Reads a configuration of `key = value` lines. A `#` starts a comment at the start of a line or
 * after a blank; empty lines mean nothing.
 *
 * @param text The text of the file.
 * @param file The path of the file, for error messages.
 * @returns The settings of the file over the default ones.
 * @throws {ConfigError} If a line or a setting is wrong: `FILE:LINE: REASON`.
 *
 * @example Usage
 * ```ts
 * import { parseClassicConfig } from "isolate/config/classic.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { settings } = parseClassicConfig("num_boxes = 16\nbox3.cpus = 2\n", "/etc/isolate");
 * assertEquals(settings.numBoxes, 16);
 * assertEquals(settings.perBox.get(3), { cpus: "2" });
 * ```
 */
export function parseClassicConfig(text: string, file: string): ParsedConfig {
  const entries: ConfigEntry[] = [];
  for (const [index, rawLine] of text.split(/\r?\n/).entries()) {
    const content = rawLine.replace(/(^|\s)#.*$/, "").trim();
    if (content === "") continue;
    const line = index + 1;
    const equals = content.indexOf("=");
    const key = content.slice(0, Math.max(equals, 0)).trim();
    if (key === "") {
      throw new ConfigError(`expected 'key = value', found '${content}'`, { file, line });
    }
    entries.push({ key, value: content.slice(equals + 1).trim(), line });
  }
  return settingsFromEntries(entries, file);
}
