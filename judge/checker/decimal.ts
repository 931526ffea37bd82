/** Decimal numbers as the problem package format writes them, read from bytes. */

/** The longest number; the format asks for 30 digits on both sides of the point. */
export const NUMBER_BYTES_MAX = 1024;

/** Up to these, a product or quotient of two numbers is the nearest double. */
const EXACT_DIGITS = 15;
const EXACT_POWER = 22;
const POWERS_OF_TEN = Array.from({ length: EXACT_POWER + 1 }, (_, power) => 10 ** power);

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65;

/**
 * Reads a number: digits, optionally with a sign, a decimal point and an exponent. Gives NaN for all else:
 * Infinity, NaN, hexadecimal numbers, and numbers too large for a double.
 */
export function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const negative = bytes[at] === MINUS;
  if (negative || bytes[at] === PLUS) at++;
  let mantissa = 0;
  let digits = 0;
  let significant = 0;
  let power = 0;
  let point = false;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9) {
      digits++;
      if (mantissa > 0 || digit > 0) significant++;
      mantissa = mantissa * 10 + digit;
      if (point) power--;
    } else if (byte === POINT && !point) point = true;
    else break;
  }
  if (digits === 0) return NaN;
  if (at < to) {
    if ((bytes[at]! | 0x20) !== LETTER_E) return NaN;
    at++;
    const negativeExponent = bytes[at] === MINUS;
    if (at < to && (negativeExponent || bytes[at] === PLUS)) at++;
    if (at === to) return NaN;
    let exponent = 0;
    for (; at < to; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return NaN;
      exponent = exponent * 10 + digit;
    }
    power += negativeExponent ? -exponent : exponent;
  }
  if (significant > EXACT_DIGITS || power < -EXACT_POWER || power > EXACT_POWER) {
    return parseSlowly(bytes, from, to);
  }
  const value = power < 0 ? mantissa / POWERS_OF_TEN[-power]! : mantissa * POWERS_OF_TEN[power]!;
  return negative ? -value : value;
}

/** Reads what is known to be a number, exactly. */
function parseSlowly(bytes: Uint8Array, from: number, to: number): number {
  const value = Number(String.fromCharCode(...bytes.subarray(from, to)));
  return Number.isFinite(value) ? value : NaN;
}
