/** Reads YAML as texts, lists and mappings, and finds the lines of keys. */

import { FileError } from "./errors.ts";
import { checkAliases, checkExpansion } from "./yaml_aliases.ts";

/**
 * Parses YAML. All values are texts, so that nothing is guessed: `0-3`, `010` and `1_000` stay as they
 * are. The parser is loaded only when this is called. A key that is there twice is an error, or with
 * `onDuplicateKey` its last value counts.
 */
export async function parseYamlText(
  text: string,
  file: string,
  options: { onDuplicateKey?: ((error: FileError) => void) | undefined } = {},
): Promise<unknown> {
  const { parse } = await import("../vendor/std/yaml.ts");
  checkAliases(text, file);
  let value: unknown;
  try {
    value = parse(text, { schema: "failsafe" });
  } catch (error) {
    const { isDuplicateKey, error: known } = yamlError(error, { file, text });
    if (!isDuplicateKey || !options.onDuplicateKey) throw known;
    try {
      value = parse(text, { schema: "failsafe", allowDuplicateKeys: true });
    } catch (error) {
      // Behind the key there may be worse.
      throw yamlError(error, { file, text }).error;
    }
    const reason = known.reason.replace(/^not valid YAML: /, "");
    options.onDuplicateKey(new FileError(`${reason}; the last one counts`, known.place));
  }
  checkExpansion(value, file);
  return value;
}

/** Tells mappings from lists, texts and null. */
export function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A line with a value that goes on behind a second colon. */
const COLON = /^[^#"']*: [^"'{[#]*: /;

/** Takes apart a message of the parser, which ends with the place and an excerpt of several lines. */
function yamlError(
  error: unknown,
  { file, text }: { file: string; text: string },
): { error: FileError; isDuplicateKey: boolean } {
  const message = error instanceof Error ? error.message : String(error);
  const match = /^([\s\S]*?) at line (\d+), column (\d+)/.exec(message);
  if (match === null) {
    return { error: new FileError(`not valid YAML: ${message}`, { file }), isDuplicateKey: false };
  }
  const [, reason = "", line, column] = match;
  const place = { file, line: Number(line) };
  if (!reason.includes("duplicated key")) {
    const [written = ""] = text.split(/\r?\n/).slice(Number(line) - 1);
    const hint = COLON.test(written) ? `; quote a value that has ": " in it` : "";
    const sentence = `not valid YAML: ${reason} (column ${column})${hint}`;
    return { error: new FileError(sentence, place), isDuplicateKey: false };
  }
  const key = /^[\s{,-]*["']?([^"':,{}]+)["']?\s*:/.exec(
    text.split(/\r?\n/)[Number(line) - 1] ?? "",
  );
  const name = key ? `the key ${key[1]!.trim()}` : "a key";
  return {
    error: new FileError(`not valid YAML: ${name} is there twice`, place),
    isDuplicateKey: true,
  };
}

/** The way to a value: keys of mappings, and positions in lists, counted from 0. */
export type YamlPath = readonly (string | number)[];

/** Lines that belong together: the first, and those below that are deeper. */
interface Block {
  /** The first line, counted from 0. */
  readonly from: number;
  /** The line behind the last. */
  readonly to: number;
}

/**
 * Finds the line of a key, or of an entry of a list, which the parser does not tell. Where the text is
 * too unusual to be followed, gives the line of the nearest key above that was found.
 */
export function yamlLine(text: string, path: YamlPath): number {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, ""));
  let block: Block = { from: 0, to: lines.length };
  let found = 0;
  for (const [depth, part] of path.entries()) {
    const at = typeof part === "number"
      ? entryLine(lines, block, part)
      : keyLine(lines, { block, key: part, isTop: depth === 0 });
    if (at === undefined) continue;
    found = at;
    block = blockBelow(lines, at, typeof part === "number");
  }
  return found + 1;
}

/** Finds the column at which the text of a line begins, after the dashes of list entries. */
function column(line: string): number {
  return /^(?:\s*-(?=\s|$))*\s*/.exec(line)![0].length;
}

function indent(line: string): number {
  return /^\s*/.exec(line)![0].length;
}

function isBlank(line: string): boolean {
  return line.trim() === "" || line === "---";
}

/** Finds what belongs to the key or entry on a line. */
function blockBelow(lines: readonly string[], at: number, isEntry: boolean): Block {
  const own = isEntry ? indent(lines[at]!) : column(lines[at]!);
  let to = at + 1;
  for (; to < lines.length; to++) {
    const line = lines[to]!;
    if (isBlank(line) || indent(line) > own) continue;
    // The entries of a list may be as far left as its key.
    if (isEntry || indent(line) < own || !/^\s*-(\s|$)/.test(line)) break;
  }
  return { from: at, to };
}

function keyLine(
  lines: readonly string[],
  { block, key, isTop }: { block: Block; key: string; isTop: boolean },
): number | undefined {
  const name = key.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const atStart = new RegExp(`^[\\s-]*["']?${name}["']?\\s*:(\\s|$)`);
  const anywhere = new RegExp(`(?:^|[\\s{,?])["']?${name}["']?\\s*:`);
  const places = [];
  for (let at = block.from; at < block.to; at++) if (atStart.test(lines[at]!)) places.push(at);
  // A key of the same name further inside is deeper.
  const depth = Math.min(...places.map((at) => column(lines[at]!)));
  const direct = places.find((at) => column(lines[at]!) === depth);
  if (direct !== undefined && (!isTop || depth === 0)) return direct;
  for (let at = block.from; at < block.to; at++) if (anywhere.test(lines[at]!)) return at;
  return undefined;
}

function entryLine(lines: readonly string[], block: Block, position: number): number | undefined {
  const places = [];
  for (let at = block.from + 1; at < block.to; at++) {
    if (/^\s*-(\s|$)/.test(lines[at]!)) places.push(at);
  }
  const depth = Math.min(...places.map((at) => indent(lines[at]!)));
  return places.filter((at) => indent(lines[at]!) === depth)[position];
}
