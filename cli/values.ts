/** Reads the values of options as they were typed. */

import { UsageError } from "./complain.ts";
import type { Read } from "./option.ts";

/** The largest number that an option accepts (`INT_MAX` of the classic command). */
export const NUMBER_MAX = 2147483647;

/** The longest time that an option accepts, in seconds (about 31,700 years). */
export const SECONDS_MAX = 1e12;

/** How a number is read. */
export interface NumberOptions {
  /** What the option takes, for people; added in parentheses to the complaint. */
  readonly hint?: string;
  /** The smallest and the largest number allowed; default: 0 and {@linkcode NUMBER_MAX}. */
  readonly range?: readonly [min: number, max: number] | undefined;
}

/**
 * Reads a whole number as `strtoul(3)` with base 10 does: leading blanks and a sign are accepted, anything
 * behind the digits is not. Unlike `strtoul`, a number too large for 64 bits does not wrap around.
 */
export function parseUnsigned(text: string, options: NumberOptions = {}): number {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(text);
  if (match === null) throw invalid(text, options);
  const [, sign, digits] = match;
  const value = Number(digits);
  const [min, max] = options.range ?? [0, NUMBER_MAX];
  if (value < min || value > max || (sign === "-" && value !== 0)) {
    throw outOfRange(text, `${min}-${max}`, options);
  }
  return value;
}

/**
 * Reads a time in seconds, a decimal number with an optional fraction and exponent, as milliseconds.
 *
 * The point is moved before the conversion, so `1.1` is exactly 1100 ms. A positive time never becomes 0,
 * however small it is, since 0 means "no limit".
 */
export function parseSeconds(text: string, options: NumberOptions = {}): number {
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) throw invalid(text, options);
  const [, sign, mantissa = "", exponent = "0"] = match;
  // Beyond a million Number() would print the exponent as "1e+21", and no mantissa can make up for it.
  const shifted = Math.max(-1e6, Math.min(1e6, Number(exponent))) + 3;
  const milliseconds = Number(`${mantissa}e${shifted}`);
  if (sign === "-" || milliseconds > SECONDS_MAX * 1000) {
    throw outOfRange(text, `0-${SECONDS_MAX}`, options);
  }
  if (milliseconds === 0 && /[1-9]/.test(mantissa)) return Number.MIN_VALUE;
  return milliseconds;
}

/** Takes the value as it was typed. */
export const asTyped: Read<string> = (text) => text;

/** Takes a value that must not be empty. */
export const nonEmpty: Read<string> = (text, { long, valueName }) => {
  if (text !== "") return text;
  throw new UsageError(`Option --${long} needs a value: --${long}=${valueName}`);
};

/** Reads a whole number. */
export const whole: Read<number> = (text, option) => {
  const unit = option.valueName === "KIB" ? " of KiB" : "";
  return parseUnsigned(text, { hint: takes(`a whole number${unit}`, option), range: option.range });
};

/** Reads the name of a user, or a number. */
export const userName: Read<string | number> = (text, option) =>
  /^[A-Za-z_][\w.@-]*\$?$/.test(text) ? text : whole(text, option);

/** Reads a limit; 0 means that there is none. */
export const limit: Read<number | undefined> = (text, option) => whole(text, option) || undefined;

/** Reads a limit whose absence is not the default. */
export const limitOrUnlimited: Read<number | "unlimited"> = (text, option) =>
  whole(text, option) || "unlimited";

/** Reads a time limit in seconds as milliseconds; 0 means that there is none. */
export const duration: Read<number | undefined> = (text, option) =>
  parseSeconds(text, { hint: takes("seconds", option) }) || undefined;

/** Says what an option takes, with an example. */
export const takes = (what: string, { long, example }: { long: string; example?: string }) =>
  `--${long} takes ${what}, e.g. --${long}=${example}`;

function invalid(text: string, { hint }: NumberOptions): UsageError {
  const help = hint === undefined ? "" : ` (${hint})`;
  return new UsageError(`Invalid numeric parameter: ${text}${help}`);
}

function outOfRange(text: string, allowed: string, { hint }: NumberOptions): UsageError {
  const help = hint === undefined ? "" : `${hint}; `;
  return new UsageError(`Numeric parameter out of range: ${text} (${help}allowed: ${allowed})`);
}

/** Reads a time that is more than 0. */
export const positiveSeconds: Read<number> = (text, option) => {
  const ms = duration(text, option);
  if (ms !== undefined) return ms;
  throw new UsageError(`Option --${option.long} must be more than 0 seconds`);
};
