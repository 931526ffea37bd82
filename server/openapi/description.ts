/** How routes are described; each dialect has a table of it beside its routes. */

/** A JSON schema (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/** What can be answered with a status. */
export interface AnswerDescription {
  readonly description: string;
  /** The type of the body. Default: `application/json`, if there is a schema. */
  readonly type?: string;
  /** Undefined: the body is empty or a text. */
  readonly schema?: Schema;
}

/** A part of the query, or a header. */
export interface ParameterDescription {
  readonly in: "query" | "header";
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
}

/** A route. */
export interface RouteDescription {
  readonly summary: string;
  readonly parameters?: readonly ParameterDescription[];
  /** The body of the request, which is then needed. */
  readonly body?: Schema;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Whether everybody may ask. Default: false. */
  readonly isOpen?: boolean;
}

/** Routes by method and path: `POST /run`. */
export type RouteDescriptions = Readonly<Record<string, RouteDescription>>;

/** All that is said of an API. */
export interface ApiDescription {
  /** What it is called. */
  readonly tag: string;
  readonly routes: RouteDescriptions;
  /** Schemas that others refer to by name. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** The schema of what is wrong with a request. */
  readonly failure: Schema;
}

export const TEXT: Schema = { type: "string" };
export const NUMBER: Schema = { type: "number" };
export const WHOLE: Schema = { type: "integer" };
export const TRUTH: Schema = { type: "boolean" };

/** Describes an object; keys that end with `?` can be missing. */
export function object(properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  const entries = Object.entries(properties);
  const required = entries.map(([key]) => key).filter((key) => !key.endsWith("?"));
  return {
    type: "object",
    ...required.length > 0 && { required },
    properties: Object.fromEntries(entries.map(([key, part]) => [key.replace(/\?$/, ""), part])),
    ...more,
  };
}

/** Describes a list. */
export function list(items: Schema, more: Schema = {}): Schema {
  return { type: "array", items, ...more };
}

/** Describes a value that can also be null. */
export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: "null" }] };
}

/** Refers to a schema by its name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** The header of requests that must not be done twice. */
export const IDEMPOTENCY_KEY: ParameterDescription = {
  in: "header",
  name: "Idempotency-Key",
  description: "Equal requests with this key are done once",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
};
