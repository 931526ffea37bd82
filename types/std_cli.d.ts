// What `@std/cli/parse-args` exports, as far as it is used here. The npm packaging carries no types.

declare module "@std/cli" {
  export interface ParseOptions<
    Bool extends string = never,
    Str extends string = never,
    Collected extends string = never,
  > {
    /** Flags without a value. An unset one is `false` in the result. */
    boolean?: readonly Bool[];
    /** Options whose value is kept as text; without it `--box 01` would become the number 1. */
    string?: readonly Str[];
    /** Options that may be repeated. An unset one is an empty array in the result. */
    collect?: readonly Collected[];
    /** Flags that understand `--no-NAME`. */
    negatable?: readonly string[];
    alias?: Readonly<Record<string, string | readonly string[]>>;
    default?: Readonly<Record<string, unknown>>;
    /** Give what follows `--` back under the key `--` instead of `_`. */
    "--"?: boolean;
    /** Stop at the first positional argument. */
    stopEarly?: boolean;
    /** Called for each option that was not declared; `false` drops it from the result. */
    unknown?(arg: string, key?: string, value?: unknown): unknown;
  }

  export type Args<Bool extends string, Str extends string, Collected extends string> =
    & { [K in Exclude<Bool, Collected>]: boolean }
    & { [K in Exclude<Str, Collected>]?: string }
    & { [K in Collected & Str]: string[] }
    & { _: (string | number)[]; "--"?: string[] };

  export function parseArgs<
    const Bool extends string = never,
    const Str extends string = never,
    const Collected extends string = never,
  >(
    args: readonly string[],
    options?: ParseOptions<Bool, Str, Collected>,
  ): Args<Bool, Str, Collected>;
}
