// What `@std/yaml` exports, as far as it is used here. The npm packaging carries no types.

declare module "@std/yaml" {
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
  export function parseAll(content: string, options?: ParseOptions): unknown;

  export interface StringifyOptions {
    indent?: number;
    arrayIndent?: boolean;
    skipInvalid?: boolean;
    flowLevel?: number;
    schema?: SchemaType;
    sortKeys?: boolean | ((a: string, b: string) => number);
    lineWidth?: number;
    useAnchors?: boolean;
    compatMode?: boolean;
    quoteStyle?: "'" | '"';
  }

  export function stringify(data: unknown, options?: StringifyOptions): string;
}
