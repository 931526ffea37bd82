/** YAML as texts, lists and mappings. */

import { FileError } from "./errors.ts";

/**
 * Parses YAML. All values are texts, so that nothing is guessed: `0-3`, `010` and `1_000` mean what
 * they say. The parser is loaded only when this is called.
 */
export async function parseYamlText(text: string, file: string): Promise<unknown> {
  const { parse } = await import("@std/yaml");
  try {
    return parse(text, { schema: "failsafe" });
  } catch (error) {
    throw yamlError(error, file);
  }
}

/** The parser puts the place, and an excerpt of several lines, at the end of its messages. */
function yamlError(error: unknown, file: string): FileError {
  const message = error instanceof Error ? error.message : String(error);
  const match = /^([\s\S]*?) at line (\d+), column (\d+)/.exec(message);
  if (match === null) return new FileError(`not valid YAML: ${message}`, { file });
  const [, reason, line, column] = match;
  return new FileError(`not valid YAML: ${reason} (column ${column})`, {
    file,
    line: Number(line),
  });
}
