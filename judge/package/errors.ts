/** What is wrong with a problem package. */

import { FileError } from "../../text/errors.ts";

/** A package cannot be judged with. The message begins with the place: `FILE:LINE: KEY: REASON`. */
export class PackageError extends FileError {
  /** Always `"PackageError"`. */
  override readonly name = "PackageError";
}

/** Controls, lone surrogates, and what turns the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Whether a name can be printed as it is. */
export function isPrintable(name: string): boolean {
  return !UNPRINTABLE.test(name);
}
