// The types of yaml.ts, as far as they are used. The npm packaging carries none.

export type SchemaType = "failsafe" | "json" | "core" | "default" | "extended";

export interface ParseOptions {
  /** Throw on a duplicate key, unless this is set: then the last wins. */
  allowDuplicateKeys?: boolean;
  schema?: SchemaType;
  /** Called for what is odd but no error. */
  onWarning?(error: Error): void;
}

/** Throws a `SyntaxError` whose message carries the line and the column. */
export function parse(content: string, options?: ParseOptions): unknown;
