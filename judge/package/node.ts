/** Values of YAML files, read with complaints that name file, line and key. */

import { FileError } from "../../text/errors.ts";
import { nearest } from "../../text/suggest.ts";
import { parseYamlText, yamlLine, type YamlPath } from "../../text/yaml.ts";
import { PackageError } from "./errors.ts";
import type { PackageFiles } from "./files.ts";

const YAML_MAX_BYTES = 1 << 20;

/** What a number must be. */
export interface NumberRules {
  /** The least that is allowed. */
  readonly min: number;
  /** The most that is allowed. */
  readonly max: number;
  /** What is expected, as the rest of a sentence, e.g. `a number of seconds, such as 2`. */
  readonly what: string;
}

/** What is done about a key that nobody knows: it is an error, or this is called with a sentence. */
export type UnknownKeys = "fail" | ((warning: string) => void);

interface Source {
  readonly file: string;
  readonly text: string;
}

/** A value in a YAML file. */
export class YamlNode {
  /** The value: texts, arrays and objects of them, null. */
  readonly value: unknown;
  /** The way to it. */
  readonly path: YamlPath;
  readonly #source: Source;

  private constructor(value: unknown, path: YamlPath, source: Source) {
    this.value = value;
    this.path = path;
    this.#source = source;
  }

  /** Reads a YAML file of a package. */
  static async read(files: PackageFiles, path: string): Promise<YamlNode> {
    const text = files.readText(path, { limitBytes: YAML_MAX_BYTES });
    const source = { file: files.pathFor(path), text };
    try {
      return new YamlNode(await parseYamlText(text, source.file), [], source);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new PackageError(error.reason, error.place, { cause: error });
    }
  }

  /** The key with those above it, e.g. `limits.memory`; undefined for the whole document. */
  get key(): string | undefined {
    return this.path.length === 0 ? undefined : this.path.reduce<string>(
      (key, part) =>
        typeof part === "number" ? `${key}[${part + 1}]` : key && `${key}.${part}` || part,
      "",
    );
  }

  /** Where the value stands, for people. */
  describe(): string {
    const name = this.#source.file.slice(this.#source.file.lastIndexOf("/") + 1);
    return this.key === undefined ? name : `${name}: ${this.key}`;
  }

  /** Complains about the value. */
  error(reason: string): PackageError {
    const { file, text } = this.#source;
    const line = yamlLine(text, this.path);
    return new PackageError(reason, { file, line, key: this.key });
  }

  /** Whoever indents by tabs gets a key of the level above. */
  #isTabbed(): boolean {
    const { text } = this.#source;
    return text.split("\n")[yamlLine(text, this.path) - 1]?.startsWith("\t") ?? false;
  }

  /** Whether nothing was written behind the key. */
  get isEmpty(): boolean {
    return this.value === null || this.value === undefined;
  }

  /** Whether it is a mapping of keys to values. */
  get isMapping(): boolean {
    return typeof this.value === "object" && this.value !== null && !Array.isArray(this.value);
  }

  /** Whether it is a list. */
  get isList(): boolean {
    return Array.isArray(this.value);
  }

  /** The values of a mapping. A key with nothing behind it counts as missing. */
  entries(): Map<string, YamlNode> {
    if (this.isEmpty) return new Map();
    if (!this.isMapping) throw this.error("must be a mapping of keys to values");
    const nodes = Object.entries(this.value as Record<string, unknown>).map(([key, value]) =>
      [key, this.#below(value, key)] as const
    );
    return new Map(nodes.filter(([, node]) => !node.isEmpty));
  }

  /** The values of a mapping whose keys are known. */
  mapping(known: readonly string[], unknown: UnknownKeys): Map<string, YamlNode> {
    const entries = this.entries();
    for (const [key, node] of entries) {
      if (known.includes(key)) continue;
      const meant = nearest(key, known);
      const hint = node.#isTabbed()
        ? "its line begins with a tab, which YAML takes for nothing: use spaces"
        : meant
        ? `did you mean ${meant}?`
        : `known are ${known.join(", ")}`;
      const error = node.error(`is no key that is known here; ${hint}`);
      if (unknown === "fail") throw error;
      unknown(error.message);
    }
    return entries;
  }

  /** A value that is not written, as if it stood below this one. */
  with(key: string, value: string): YamlNode {
    return this.#below(value, key);
  }

  /** The values of a list. */
  list(): YamlNode[] {
    if (!Array.isArray(this.value)) throw this.error("must be a list");
    return this.value.map((value, i) => this.#below(value, i));
  }

  #below(value: unknown, part: string | number): YamlNode {
    return new YamlNode(value, [...this.path, part], this.#source);
  }

  /** A single text. */
  text(): string {
    if (typeof this.value !== "string") throw this.error("must be a single value");
    return this.value.trim();
  }

  /** Words: a text that is split at blanks, or a list of texts that are taken as they are. */
  words(): string[] {
    if (this.isEmpty) return [];
    if (this.isList) return this.list().map((node) => node.text());
    return this.text().split(/\s+/).filter((word) => word !== "");
  }

  /** One of several words. */
  oneOf<T extends string>(choices: readonly T[]): T {
    const text = this.text();
    const choice = choices.find((word) => word === text);
    if (choice !== undefined) return choice;
    const meant = nearest(text, choices);
    const hint = meant ? `; did you mean ${meant}?` : "";
    throw this.error(`must be ${choices.join(" or ")}, not ${JSON.stringify(text)}${hint}`);
  }

  /** Yes or no. */
  truth(): boolean {
    const text = this.text().toLowerCase();
    if (["true", "yes", "on"].includes(text)) return true;
    if (["false", "no", "off"].includes(text)) return false;
    throw this.error(`must be true or false, not ${JSON.stringify(text)}`);
  }

  /** A decimal number. */
  number(rules: NumberRules): number {
    const text = this.text();
    const value = parseNumber(text);
    if (value !== undefined && value >= rules.min && value <= rules.max) return value;
    throw this.error(`must be ${rules.what}, not ${JSON.stringify(text)}`);
  }
}

/** Reads a decimal number. */
export function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
