/** Errors whose messages are sentences for people. Everything else that is thrown is a bug. */

import { cut } from "./quantities.ts";
import { visibleText } from "./visible.ts";

/**
 * Something failed that can fail without a bug in this program. The message is one sentence for people:
 * what is wrong, and what would be right.
 */
export class ExpectedError extends Error {
  /** `"ExpectedError"`, or the name of the subclass. */
  override readonly name: string = "ExpectedError";
}

/** A place in a file. */
export interface FilePlace {
  /** The file or directory, as the user can find it. */
  readonly file: string;
  /** The line, counted from 1; undefined if the whole file is meant. */
  readonly line?: number | undefined;
  /** The key with those above it, such as `limits.memory`. */
  readonly key?: string | undefined;
}

/**
 * A file that the user wrote cannot be used: a configuration, a problem package, a table of languages.
 * The message begins with the place: `FILE:LINE: KEY: REASON`.
 *
 * @example
 * ```ts
 * import { FileError } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FileError("unknown key 'colour'", { file: "/etc/isolate", line: 3 });
 * assertEquals(error.message, "/etc/isolate:3: unknown key 'colour'");
 * ```
 */
export class FileError extends ExpectedError {
  /** `"FileError"`, or the name of the subclass. */
  override readonly name: string = "FileError";
  /** Where the mistake is. */
  readonly place: FilePlace;
  /** What is wrong, without the place. */
  readonly reason: string;

  /** Describes what is wrong and what would be right. */
  constructor(reason: string, place: FilePlace, options?: ErrorOptions) {
    super(describePlace(place) + reason, options);
    this.place = place;
    this.reason = reason;
  }
}

/** Somebody else may have chosen the names. */
function describePlace({ file, line, key }: FilePlace): string {
  const parts = [line === undefined ? short(file) : `${short(file)}:${line}`];
  if (key !== undefined) parts.push(short(key));
  return parts.map((part) => `${part}: `).join("");
}

function short(text: string): string {
  return visibleText(cut(text, 300));
}
