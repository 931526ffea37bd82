/** What is wrong with a problem package, and where. */

/** Where in a package something stands. */
export interface PackagePlace {
  /** The file or folder, as the user can find it. */
  readonly file: string;
  /** The line, counted from 1; undefined if the file as a whole is meant. */
  readonly line?: number | undefined;
  /** The key with those above it, e.g. `limits.memory`. */
  readonly key?: string | undefined;
}

/**
 * A package that cannot be judged with. The message is one sentence that begins with the place:
 * `FILE:LINE: KEY: REASON`.
 *
 * @example
 * ```ts
 * import { PackageError } from "isolate/judge/package/errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const place = { file: "sum/problem.yaml", line: 4, key: "limits.memory" };
 * const error = new PackageError('must be a number of MiB, not "lots"', place);
 * const message = 'sum/problem.yaml:4: limits.memory: must be a number of MiB, not "lots"';
 * assertEquals(error.message, message);
 * ```
 */
export class PackageError extends Error {
  /** Always `"PackageError"`. */
  override readonly name = "PackageError";
  /** Where it stands. */
  readonly place: PackagePlace;

  /**
   * Makes an error.
   *
   * @param reason what is wrong and what would be right, without the place
   * @param place the file, and if known the line and the key
   * @param options the cause
   */
  constructor(reason: string, place: PackagePlace, options?: ErrorOptions) {
    super(describePlace(place) + reason, options);
    this.place = place;
  }
}

/** A place for people. */
export function describePlace({ file, line, key }: PackagePlace): string {
  const where = line === undefined ? printable(file) : `${printable(file)}:${line}`;
  return key === undefined ? `${where}: ` : `${where}: ${printable(key)}: `;
}

/** Makes text safe to print: names in a package are what somebody else chose. */
export function printable(text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return short.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Controls, lone surrogates, and what turns the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Whether a name can be printed as it is. */
export function isPrintable(name: string): boolean {
  return name.search(UNPRINTABLE) < 0;
}
