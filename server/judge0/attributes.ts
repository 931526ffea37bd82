/**
 * What a client says of a submission. The names are those of the API, so that what is stored and
 * what is answered have one table.
 */

import type { Destinations } from "../callbacks/destinations.ts";
import type { Bytes } from "../engine/types.ts";
import type { NumberedLanguage } from "./language_ids.ts";
import { type Judge0Settings, LIMIT_NAMES, type LimitName } from "./settings.ts";

/** Texts of any bytes, in base64 if the client says so. */
export const TEXT_NAMES = ["source_code", "stdin", "expected_output"] as const;
/** Short texts, never in base64. */
export const STRING_NAMES = [
  "compiler_options",
  "command_line_arguments",
  "callback_url",
] as const;
export const FLAG_NAMES = [
  "enable_per_process_and_thread_time_limit",
  "enable_per_process_and_thread_memory_limit",
  "redirect_stderr_to_stdout",
  "enable_network",
] as const;

/** A submission as its client wants it, with all defaults. */
export type Attributes =
  & Readonly<Record<typeof TEXT_NAMES[number], Bytes | null>>
  & Readonly<Record<typeof STRING_NAMES[number], string | null>>
  & Readonly<Record<typeof FLAG_NAMES[number], boolean>>
  & Readonly<Record<LimitName, number>>
  & { readonly language_id: number; readonly additional_files: Bytes | null };

/** What is wrong with a submission: sentences by attribute, each without its subject. */
export type AttributeErrors = Readonly<Record<string, readonly string[]>>;

/** What attributes are checked against. */
export interface AttributeContext {
  /** Whether the client sends base64. */
  readonly isBase64: boolean;
  readonly settings: Judge0Settings;
  readonly languages: readonly NumberedLanguage[];
  readonly destinations: Destinations;
}

const STRING_MAX: Readonly<Record<typeof STRING_NAMES[number], number>> = {
  compiler_options: 512,
  command_line_arguments: 512,
  callback_url: 2048,
};

/** Reads a submission; what is not known in it is ignored, as it is there. */
export function readAttributes(
  body: unknown,
  context: AttributeContext,
): { attributes: Attributes } | { errors: AttributeErrors } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { errors: { submission: ["must be an object"] } };
  }
  const reader = new AttributeReader(body, context);
  const all = {
    ...fill(TEXT_NAMES, (name) => reader.text(name)),
    ...fill(STRING_NAMES, (name) => reader.string(name)),
    ...fill(FLAG_NAMES, (name) => reader.flag(name)),
    ...fill(LIMIT_NAMES, (name) => reader.limit(name)),
    language_id: reader.language(),
    additional_files: reader.base64("additional_files"),
  };
  if (all.source_code === null || all.source_code.length === 0) {
    reader.complain("source_code", "can't be blank");
  }
  const { settings: { allowNetwork }, destinations } = context;
  if (all.enable_network && !allowNetwork) {
    reader.complain("enable_network", "cannot be true: programs have no network on this server");
  }
  if (all.callback_url !== null) {
    reader.complain("callback_url", destinations.complaint(all.callback_url));
  }
  return reader.hasErrors ? { errors: reader.errors } : { attributes: all };
}

function fill<Name extends string, Value>(
  names: readonly Name[],
  value: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>;
}

const ENCODER = new TextEncoder();

/** Reads attributes, and gathers what is wrong with all of them. */
class AttributeReader {
  readonly #body: object;
  readonly #context: AttributeContext;
  readonly #errors = new Map<string, string[]>();

  constructor(body: object, context: AttributeContext) {
    this.#body = body;
    this.#context = context;
  }

  get hasErrors(): boolean {
    return this.#errors.size > 0;
  }

  get errors(): AttributeErrors {
    return Object.fromEntries(this.#errors);
  }

  complain(name: string, complaint: string | undefined): void {
    if (complaint === undefined) return;
    this.#errors.set(name, [...this.#errors.get(name) ?? [], complaint]);
  }

  text(name: string): Bytes | null {
    return this.#context.isBase64 ? this.base64(name) : this.#plain(name);
  }

  base64(name: string): Bytes | null {
    const text = this.#string(name);
    if (text === null) return null;
    try {
      // Many encoders break lines, which this decoder skips.
      return Uint8Array.fromBase64(text);
    } catch {
      this.complain(name, "is not base64");
      return null;
    }
  }

  string(name: typeof STRING_NAMES[number]): string | null {
    const text = this.#string(name);
    if (text === null || text.trim() === "") return null;
    const max = STRING_MAX[name];
    if (text.length > max) {
      this.complain(name, `is too long (maximum is ${max} characters)`);
    } else if (text.includes("\0")) {
      this.complain(name, "must not have a NUL character");
    }
    return text;
  }

  flag(name: string): boolean {
    const value = this.#value(name);
    if (value === null) return false;
    if (value === true || value === "true" || value === 1) return true;
    if (value === false || value === "false" || value === 0) return false;
    this.complain(name, "must be true or false");
    return false;
  }

  limit(name: LimitName): number {
    const rule = this.#context.settings.limits[name];
    const value = this.#value(name);
    if (value === null) return rule.default;
    const number = numberOf(value);
    // There, numbers that need not be whole are written with a point.
    const written = (number: number) =>
      rule.isWhole || name === "memory_limit" ? String(number) : decimal(number);
    if (number === undefined) this.complain(name, "is not a number");
    else if (rule.isWhole && !Number.isInteger(number)) this.complain(name, "must be an integer");
    else if (number < rule.min) {
      this.complain(name, `must be greater than or equal to ${written(rule.min)}`);
    } else if (number > rule.max) {
      this.complain(name, `must be less than or equal to ${written(rule.max)}`);
    } else return number;
    return rule.default;
  }

  language(): number {
    const value = this.#value("language_id");
    if (value === null || value === "") {
      this.complain("language_id", "can't be blank");
      return 0;
    }
    const id = numberOf(value);
    const language = this.#context.languages.find((language) => language.id === id);
    if (!language) {
      const shown = JSON.stringify(value).slice(0, 50);
      this.complain("language_id", `language with id ${shown} doesn't exist`);
    } else if (language.missing !== undefined) {
      this.complain("language_id", `${language.name} cannot be used here: ${language.missing}`);
    }
    return id ?? 0;
  }

  #plain(name: string): Bytes | null {
    const text = this.#string(name);
    return text === null ? null : ENCODER.encode(text);
  }

  /** Numbers and the like become texts, as they do there. */
  #string(name: string): string | null {
    const value = this.#value(name);
    if (value === null || typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    this.complain(name, "must be a text");
    return null;
  }

  #value(name: string): unknown {
    if (!Object.hasOwn(this.#body, name)) return null;
    return (this.#body as Readonly<Record<string, unknown>>)[name] ?? null;
  }
}

/** Writes a number with a point. */
export function decimal(number: number): string {
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const isNumber = typeof value === "string" && /^\s*[+-]?\d{1,15}(\.\d{1,15})?\s*$/.test(value);
  return isNumber ? Number(value) : undefined;
}
