/** The sources of programs: submissions, validators, interactors. */

import type { ProgramSource, SourceFile } from "../types.ts";
import { isHidden, join, type PackageEntry, type PackageFiles } from "./files.ts";

const FILES_MAX = 1000;

/** Reads which files a program has: it is one file, or a folder of files. */
export function readProgram(files: PackageFiles, entry: PackageEntry): ProgramSource {
  const sources: SourceFile[] = [];
  function collect(path: string, folder: string): void {
    for (const below of files.list(path) ?? []) {
      const name = join(folder, below.name);
      if (isHidden(below.name)) continue;
      if (below.kind === "directory") collect(below.path, name);
      else sources.push(sourceFile(files, below, name));
      if (sources.length > FILES_MAX) {
        throw files.error(path, `belongs to a program of more than ${FILES_MAX} files`);
      }
    }
  }
  if (entry.kind !== "directory") {
    return { name: entry.name, files: [sourceFile(files, entry, entry.name)] };
  }
  collect(entry.path, "");
  if (sources.length === 0) {
    throw files.error(entry.path, "is empty, but must hold the files of a program");
  }
  return { name: entry.name, files: sources.sort((a, b) => a.name < b.name ? -1 : 1) };
}

function sourceFile(files: PackageFiles, entry: PackageEntry, name: string): SourceFile {
  const { hostFile, sizeBytes } = files.mustBeFile(entry.path, entry);
  const { constants } = files;
  return { name, hostFile, sizeBytes, ...constants && { constants } };
}
