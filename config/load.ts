/** Finds and reads the configuration file. */

import { decodeOsString } from "../text/os_string.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { errnoText } from "../ffi/errno.ts";
import { readFile } from "../host/read.ts";
import { isRootsAlone } from "../host/status.ts";
import type { ParsedConfig } from "./entries.ts";
import { ExpectedError, FileError } from "../text/errors.ts";
import { defaultSettings, type Settings } from "./settings.ts";

/** The places of the configuration; the first that exists is used. */
export const CONFIG_FILES: readonly string[] = [
  "/etc/isolate.yaml",
  "/usr/local/etc/isolate",
  "/etc/isolate",
];

/** A configuration, and the file that it came from. */
export interface LoadedConfig {
  readonly settings: Settings;
  /** Undefined where the defaults apply. */
  readonly file: string | undefined;
}

/** Where to look, and what holds where nothing is found. */
export interface ConfigPlaces {
  /** A file to read instead of the usual ones. */
  readonly file?: string | undefined;
  /** The usual ones. Default: those of the machine. */
  readonly files?: readonly string[] | undefined;
  /** The settings that no file mentions. */
  readonly defaults?: Settings | undefined;
}

/** Reads the configuration. */
export async function loadConfig(
  system: System,
  options: ConfigPlaces = {},
): Promise<LoadedConfig> {
  const { files = CONFIG_FILES, defaults = defaultSettings() } = options;
  for (const file of options.file === undefined ? files : [options.file]) {
    const text = readTrusted(system, file);
    if (text === undefined) continue;
    const parsed = await parse(text, file, defaults);
    return { settings: await complete(system, parsed), file };
  }
  if (options.file !== undefined) {
    throw new FileError("Cannot read the configuration: no such file", { file: options.file });
  }
  return { settings: defaults, file: undefined };
}

async function parse(text: string, file: string, defaults: Settings): Promise<ParsedConfig> {
  // Readers are loaded only where there is something to read: most machines have no such file.
  if (!/\.ya?ml$/.test(file)) {
    const { parseClassicConfig } = await import("./classic.ts");
    return parseClassicConfig(text, file, defaults);
  }
  const { parseYamlConfig } = await import("./yaml.ts");
  return await parseYamlConfig(text, file, defaults);
}

/** Reads a file that only root can write: the configuration says where root makes and removes directories. */
function readTrusted(system: System, file: string): string | undefined {
  const read = readOrComplain(system, file);
  if (!read) return undefined;
  const { status, bytes } = read;
  if (!isRootsAlone(status)) {
    throw new FileError(
      "The configuration must belong to root and not be writable by others " +
        `(owner ${status.uid}, mode ${status.mode.toString(8)}): ` +
        `chown root ${file}; chmod go-w ${file}`,
      { file },
    );
  }
  return decodeOsString(bytes);
}

function readOrComplain(system: System, file: string) {
  try {
    return readFile(system, file);
  } catch (error) {
    if (error instanceof SystemError) {
      throw new FileError(`Cannot read the configuration: ${errnoText(error.errno)}`, { file });
    }
    if (error instanceof ExpectedError) throw new FileError(error.message, { file });
    throw error;
  }
}

async function complete(system: System, parsed: ParsedConfig): Promise<Settings> {
  if (!parsed.subidUser) return parsed.settings;
  const { SUBGID_FILE, SUBUID_FILE, withSubordinateIds } = await import("./subordinate_ids.ts");
  return withSubordinateIds(parsed, {
    subuid: readTrusted(system, SUBUID_FILE) ?? "",
    subgid: readTrusted(system, SUBGID_FILE) ?? "",
  });
}
