/** What is wrong with a configuration, and where. */

/** Where in a configuration something stands. */
export interface ConfigPlace {
  /** The path of the file. */
  file: string;
  /** The line, counted from 1; undefined if the file as a whole is meant. */
  line?: number | undefined;
}

/**
 * A configuration that cannot be used. The message starts with the place: `FILE:LINE: REASON`.
 *
 * @example Usage
 * ```ts
 * import { ConfigError } from "isolate/config/errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ConfigError("unknown key 'colour'", { file: "/etc/isolate", line: 3 });
 * assertEquals(error.message, "/etc/isolate:3: unknown key 'colour'");
 * ```
 */
export class ConfigError extends Error {
  /** The path of the file. */
  readonly file: string;
  /** The line, counted from 1; undefined if the file as a whole is meant. */
  readonly line: number | undefined;

  /**
   * Makes an error that names its place.
   *
   * @param reason What is wrong, without the place.
   * @param place The file and the line.
   */
  constructor(reason: string, place: ConfigPlace) {
    const { file, line } = place;
    super(line === undefined ? `${file}: ${reason}` : `${file}:${line}: ${reason}`);
    this.name = "ConfigError";
    this.file = file;
    this.line = line;
  }
}
