/** The classic format of the configuration: `key = value` lines. */

import { type ConfigEntry, type ParsedConfig, settingsFromEntries } from "./entries.ts";
import { FileError } from "../text/errors.ts";
import type { Settings } from "./settings.ts";

/** Reads a configuration of `key = value` lines. `#` starts a comment at the start of a line or after a blank. */
export function parseClassicConfig(
  text: string,
  file: string,
  defaults?: Settings,
): ParsedConfig {
  const entries: ConfigEntry[] = [];
  for (const [index, rawLine] of text.split(/\r?\n/).entries()) {
    const content = rawLine.replace(/(^|\s)#.*$/, "").trim();
    if (content === "") continue;
    const line = index + 1;
    const equals = content.indexOf("=");
    const key = content.slice(0, Math.max(equals, 0)).trim();
    if (key === "") {
      throw new FileError(`expected 'key = value', found '${content}'`, { file, line });
    }
    entries.push({ key, value: content.slice(equals + 1).trim(), line });
  }
  return settingsFromEntries(entries, file, defaults);
}
