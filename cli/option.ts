/**
 * The one format of options. A command has one table; its parser, its `--help`, the manual and the
 * completions come from it.
 */

import type { OptionSpec } from "./getopt.ts";

/** One option of a command that fills in a request. */
export interface Option<in Request> extends OptionSpec {
  /** How it is typed: `-t, --time=S`, with blanks in the place of a missing letter. */
  readonly spelled: string;
  /** What it does, in one line without a final period. */
  readonly summary: string;
  /** What holds without the option, for people. */
  readonly default?: string;
  /** A value for the example in complaints. */
  readonly example?: string;
  /** The smallest and the largest number that it takes. */
  readonly range?: readonly [min: number, max: number];
  /** Puts what was typed into the request; undefined: no value was typed. */
  readonly apply: (request: Request, text: string | undefined) => void;
}

/** The options of a command under the headings of its help, in the order in which people read them. */
export type OptionTable<Request> = Readonly<Record<string, readonly Option<Request>[]>>;

/** What is known of an option where its value is read. */
export type OptionFacts = Omit<Option<never>, "apply">;

/** Reads a value as it was typed; throws a UsageError that names the option. */
export type Read<Value> = (text: string, option: OptionFacts) => Value;

/** What is said of an option with a value. */
export interface ValueOptions<Request, Value>
  extends Pick<Option<Request>, "default" | "example" | "range" | "addition"> {
  /** How the value is read. */
  readonly read: Read<Value>;
  /** The value of an option that was typed without its optional value. */
  readonly absent?: Value;
  /** Puts the value into the request. The last one given wins. */
  readonly set: (request: Request, value: Value) => void;
}

/** Makes an option with a value, from the way it is typed: `-t, --time=S`, `-p, --processes[=N]`. */
export function option<Request, Value>(
  typed: string,
  summary: string,
  { read, absent, set, ...more }: ValueOptions<Request, Value>,
): Option<Request> {
  const made = { ...spell(typed), summary, ...more };
  return {
    ...made,
    // An optional value has an `absent` one.
    apply: (request, text) => set(request, text === undefined ? absent! : read(text, made)),
  };
}

/** Makes an option without a value. */
export function flag<Request>(
  typed: string,
  summary: string,
  set: (request: Request) => void,
  more: Pick<Option<Request>, "addition"> = {},
): Option<Request> {
  return { ...spell(typed), summary, ...more, apply: set };
}

function spell(typed: string): OptionSpec & { spelled: string } {
  const pattern = /^(?:-(\w), )?--([\w-]+)(?:=(.+)|\[=(.+)\])?$/;
  const [, short, long = "", required, optional] = pattern.exec(typed)!;
  const value = required ? "required" : optional ? "optional" : "none";
  const valueName = required ?? optional;
  return {
    long,
    value,
    spelled: short === undefined ? `    ${typed}` : typed,
    ...short === undefined ? {} : { short },
    ...valueName === undefined ? {} : { valueName },
  };
}

/** All options of a table, in order. */
export function optionsOf<Request>(table: OptionTable<Request>): Option<Request>[] {
  return Object.values(table).flat();
}
