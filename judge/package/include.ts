/** Files that are compiled together with every submission: the folder `include` of a package. */

import type { SourceFile } from "../types.ts";
import { isHidden, type PackageFiles } from "./files.ts";
import { readProgram } from "./programs.ts";

const FOLDER = "include";

/** Reads the files of each language; those of `default` are for all. */
export function readIncluded(files: PackageFiles): Record<string, readonly SourceFile[]> {
  const included: Record<string, readonly SourceFile[]> = {};
  for (const entry of files.list(FOLDER) ?? []) {
    const { name, path, kind } = entry;
    if (isHidden(name) || /^readme(\.|$)/i.test(name)) continue;
    if (kind !== "directory") {
      files.warn(path, "ignored; files belong in folders named after languages, or in default");
    } else if ((files.list(path) ?? []).length === 0) {
      files.warn(path, "is empty: nothing is included");
    } else {
      included[name] = readProgram(files, entry).files;
    }
  }
  return included;
}
