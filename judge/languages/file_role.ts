/** What a file is in a language, by its name and its first line. */

import type { LanguageDefinition } from "./language_definition.ts";

/** What a file is in a language. */
export type FileRole = "source" | "companion" | undefined;

/** What a file is in a language. */
export function roleOf(
  definition: LanguageDefinition,
  name: string,
  firstLine: () => string,
): FileRole {
  if (endsWithOne(name, definition.extensions)) return "source";
  if (endsWithOne(name, definition.companions)) return "companion";
  const isCandidate = endsWithOne(name, definition.extensionsWithShebang) ||
    definition.shebangs.length > 0 && !/[^/]\.[^/]*$/.test(name);
  if (!isCandidate) return undefined;
  const line = /^#!([^\n]*)/.exec(firstLine())?.[1];
  const words = line?.split(/[\s/]+/) ?? [];
  return definition.shebangs.some((shebang) => words.includes(shebang)) ? "source" : undefined;
}

/** Whether a file's name ends in one of some extensions. */
export function endsWithOne(name: string, extensions: readonly string[]): boolean {
  const extension = /[^/](\.[^./]+)$/.exec(name)?.[1];
  return extension !== undefined && extensions.includes(extension);
}
