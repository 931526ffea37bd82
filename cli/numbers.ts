import { UsageError } from "./complain.ts";

/** The largest number that an option accepts (`INT_MAX` of the classic command). */
export const NUMBER_MAX = 2147483647;

/** The longest time that an option accepts, in seconds (about 31,700 years). */
export const SECONDS_MAX = 1e12;

/** How a number is read. */
export interface NumberOptions {
  /** What the option takes, for people; added in parentheses to the complaint. */
  readonly hint?: string;
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
  if (value > NUMBER_MAX || (sign === "-" && value !== 0)) {
    throw outOfRange(text, NUMBER_MAX, options);
  }
  return value;
}

/**
 * Reads a time in seconds: a decimal number with an optional fraction and exponent.
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
    throw outOfRange(text, SECONDS_MAX, options);
  }
  if (milliseconds === 0 && /[1-9]/.test(mantissa)) return Number.MIN_VALUE;
  return milliseconds;
}

function invalid(text: string, { hint }: NumberOptions): UsageError {
  return new UsageError(
    `Invalid numeric parameter: ${text}${hint === undefined ? "" : ` (${hint})`}`,
  );
}

function outOfRange(text: string, max: number, { hint }: NumberOptions): UsageError {
  const allowed = `allowed: 0-${max}`;
  const help = hint === undefined ? allowed : `${hint}; ${allowed}`;
  return new UsageError(`Numeric parameter out of range: ${text} (${help})`);
}
