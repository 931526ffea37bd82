/** Reads values of a JSON body, and says in one sentence what is wrong with the first wrong one. */

import { HttpError } from "../http/failure.ts";
import type { Bytes } from "../engine/types.ts";
import { nearest } from "../../text/suggest.ts";
import { visibleText } from "../../text/visible.ts";

/** What a number must be. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
}

const ENCODER = new TextEncoder();

/** A value with its place in the body, such as `tests[3].limits`. */
export class JsonReader {
  readonly value: unknown;
  readonly place: string;

  /** Wraps a value; the body itself has no place. */
  constructor(value: unknown, place = "") {
    this.value = value;
    this.place = place;
  }

  /** Whether it is missing. */
  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** Makes an error about the value. */
  error(complaint: string): HttpError {
    return new HttpError(400, `${this.place === "" ? "the body" : this.place} ${complaint}`);
  }

  /** Reads an object whose keys are known. */
  object<Key extends string>(keys: readonly Key[]): Readonly<Record<Key, JsonReader>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.error("must be an object");
    }
    const known: readonly string[] = keys;
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) {
      const meant = nearest(unknown, keys);
      const hint = meant === undefined
        ? `known keys: ${keys.join(", ")}`
        : `did you mean ${meant}?`;
      throw this.error(`has the unknown key "${visibleText(unknown.slice(0, 50))}"; ${hint}`);
    }
    const at = (key: string) => this.place === "" ? key : `${this.place}.${key}`;
    const readers = keys.map((key) => {
      const part = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      return [key, new JsonReader(part, at(key))];
    });
    return Object.fromEntries(readers);
  }

  /** Reads a list. */
  list({ max }: { max: number }): JsonReader[] {
    if (!Array.isArray(this.value)) throw this.error("must be a list");
    if (this.value.length > max) throw this.error(`must have at most ${max} entries`);
    return this.value.map((part, i) => new JsonReader(part, `${this.place}[${i}]`));
  }

  text(): string {
    if (typeof this.value !== "string") throw this.error("must be a text");
    return this.value;
  }

  truth(): boolean {
    if (typeof this.value !== "boolean") throw this.error("must be true or false");
    return this.value;
  }

  /** Reads a whole number. */
  whole({ min, max }: NumberBounds): number {
    const { value } = this;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    throw this.error(`must be a whole number from ${min} to ${max}`);
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const choice = choices.find((choice) => choice === this.value);
    if (choice !== undefined) return choice;
    throw this.error(`must be ${choices.map((choice) => `"${choice}"`).join(" or ")}`);
  }

  /** Reads words, such as arguments. */
  words({ max }: { max: number }): string[] {
    return this.list({ max }).map((word) => word.text());
  }

  /** Reads bytes: a text, which is then UTF-8, or `{"base64": "…"}`. */
  bytes(): Bytes {
    if (typeof this.value === "string") return ENCODER.encode(this.value);
    if (typeof this.value !== "object") throw this.error('must be a text or {"base64": "…"}');
    const { base64 } = this.object(["base64"]);
    try {
      return Uint8Array.fromBase64(base64.text());
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw base64.error("must be base64");
    }
  }

  /** Reads the value with one of the methods, unless it is missing. */
  optional<T>(read: (reader: this) => T): T | undefined {
    return this.isMissing ? undefined : read(this);
  }
}
