/** Values of a YAML file that know their place, so that errors name file, line and key. */

import { FileError, type FilePlace } from "./errors.ts";
import { nearest } from "./suggest.ts";
import { isMapping, parseYamlText, yamlLine, type YamlPath } from "./yaml.ts";

/** Where values come from, and how their errors are thrown. */
export interface YamlSource {
  readonly file: string;
  readonly text: string;
  /** The class of errors. Default: {@linkcode FileError}. */
  readonly ErrorClass?: new (reason: string, place: FilePlace, options?: ErrorOptions) => FileError;
  /** Gets the errors of unknown keys; undefined: they are thrown. */
  readonly onUnknownKey?: ((error: FileError) => void) | undefined;
  /** Gets the errors of keys that are there twice, of which the last counts; undefined: thrown. */
  readonly onDuplicateKey?: ((error: FileError) => void) | undefined;
}

/** What a number must be. */
export interface NumberRules {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
  /** The rest of the sentence "must be …", such as `a number of seconds`. */
  readonly what: string;
}

/** Parses a YAML file, whose single values are all texts. */
export async function parseYaml(source: YamlSource): Promise<YamlNode> {
  try {
    return new YamlNode(await parseYamlText(source.text, source.file, source), source);
  } catch (error) {
    if (!(error instanceof FileError && source.ErrorClass)) throw error;
    throw new source.ErrorClass(error.reason, error.place, { cause: error });
  }
}

/** A value in a YAML file. */
export class YamlNode {
  /** A text, null, or an array or object of those. */
  readonly value: unknown;
  readonly path: YamlPath;
  readonly #source: YamlSource;

  /** Wraps a value that was parsed, or that stands in for one. */
  constructor(value: unknown, source: YamlSource, path: YamlPath = []) {
    this.value = value;
    this.path = path;
    this.#source = source;
  }

  /** Names the key and those above it, such as `limits.memory`; undefined for the whole document. */
  get key(): string | undefined {
    const key = this.path.map((part) => typeof part === "number" ? `[${part + 1}]` : `.${part}`);
    return key.length === 0 ? undefined : key.join("").replace(/^\./, "");
  }

  /** Names the file and the key, for people. */
  describe(): string {
    const name = this.#source.file.slice(this.#source.file.lastIndexOf("/") + 1);
    return this.key === undefined ? name : `${name}: ${this.key}`;
  }

  /** Makes an error with the place of the value. */
  error(reason: string): FileError {
    const { file, ErrorClass = FileError } = this.#source;
    return new ErrorClass(reason, { file, line: this.#line(), key: this.key });
  }

  #line(): number {
    return yamlLine(this.#source.text, this.path);
  }

  /** Whether the key has no value. */
  get isEmpty(): boolean {
    return this.value === null || this.value === undefined;
  }

  get isMapping(): boolean {
    return isMapping(this.value);
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  /** Reads a mapping. A key without a value counts as missing, unless those are asked for. */
  entries({ withEmpty = false } = {}): Map<string, YamlNode> {
    if (this.isEmpty) return new Map();
    if (!isMapping(this.value)) throw this.error("must be a mapping of keys to values");
    const nodes = Object.entries(this.value).map(([key, value]) =>
      [key, this.#below(value, key)] as const
    );
    return new Map(nodes.filter(([, node]) => withEmpty || !node.isEmpty));
  }

  /** Reads a mapping whose keys are known. */
  mapping(known: readonly string[]): Map<string, YamlNode> {
    const entries = this.entries();
    for (const [key, node] of entries) {
      if (known.includes(key)) continue;
      const error = node.error(`unknown key; ${node.#keyHint(key, known)}`);
      if (!this.#source.onUnknownKey) throw error;
      this.#source.onUnknownKey(error);
    }
    return entries;
  }

  #keyHint(key: string, known: readonly string[]): string {
    // Below a mapping, a key that is indented by a tab belongs to the level above.
    if (this.#source.text.split("\n")[this.#line() - 1]?.startsWith("\t")) {
      return "its line begins with a tab, which YAML ignores: indent with spaces";
    }
    return nearestHint(key, known) ?? `known keys: ${known.join(", ")}`;
  }

  /** Makes a value that is not in the file, as if it were below this one. */
  with(key: string, value: string): YamlNode {
    return this.#below(value, key);
  }

  list(): YamlNode[] {
    if (!Array.isArray(this.value)) throw this.error("must be a list, such as [a, b]");
    return this.value.map((value, i) => this.#below(value, i));
  }

  #below(value: unknown, part: string | number): YamlNode {
    return new YamlNode(value, this.#source, [...this.path, part]);
  }

  text(): string {
    return this.exactText().trim();
  }

  /** Reads a single text with the white space around it. */
  exactText(): string {
    if (typeof this.value !== "string") throw this.error("must be a single value");
    return this.value;
  }

  /** Reads words: a text that is split at white space, or a list of texts that are left as they are. */
  words(): string[] {
    if (this.isEmpty) return [];
    if (this.isList) return this.list().map((node) => node.exactText());
    return this.text().split(/\s+/).filter((word) => word !== "");
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const text = this.text();
    const choice = choices.find((word) => word === text);
    if (choice !== undefined) return choice;
    const hint = nearestHint(text, choices);
    throw this.mustBe(choices.join(" or "), hint && `; ${hint}`);
  }

  truth(): boolean {
    const text = this.text().toLowerCase();
    if (["true", "yes", "on"].includes(text)) return true;
    if (["false", "no", "off"].includes(text)) return false;
    throw this.mustBe("true or false");
  }

  /** Reads a decimal number. */
  number({ min, max, isWhole = false, what }: NumberRules): number {
    const value = parseNumber(this.text());
    if (value === undefined) throw this.mustBe(what, numberHint(this.text()));
    if (value < min || value > max) throw this.mustBe(what);
    if (isWhole && !Number.isInteger(value)) throw this.mustBe(what);
    return value;
  }

  /** Makes an error that says what a single value must be, and what it is. */
  mustBe(what: string, hint = ""): FileError {
    return this.error(`must be ${what}, not ${JSON.stringify(this.text())}${hint}`);
  }
}

/** Reads a decimal number. */
export function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Says how to write what is a number for people. */
function numberHint(text: string): string {
  const [, whole, part] = /^(\d+),(\d+)$/.exec(text) ?? [];
  if (whole !== undefined) return `; write ${whole}.${part}`;
  return /^\d+(\.\d+)?\s*[a-zA-Z]+$/.test(text) ? "; leave out the unit" : "";
}

/** Asks whether a name near to a word was meant. */
export function nearestHint(word: string, names: readonly string[]): string | undefined {
  const meant = nearest(word, names);
  return meant && `did you mean ${meant}?`;
}
