/** The sources of programs in a package. */

import type { ProgramSource, SourceFile } from "../types.ts";
import { notAFile, type PackageEntry, type PackageFiles } from "./files.ts";

const FILES_MAX = 1000;

/** Reads which files a program has. */
export function readProgram(files: PackageFiles, entry: PackageEntry): ProgramSource {
  if (entry.kind === "file") {
    return { name: entry.name, files: [sourceFile(entry, entry.name)] };
  }
  if (entry.kind !== "directory") throw files.error(entry.path, notAFile(entry));
  const list: SourceFile[] = [];
  collect(files, entry.path, { prefix: "", list });
  if (list.length === 0) {
    throw files.error(entry.path, "is an empty folder; the files of a program must be in it");
  }
  return { name: entry.name, files: list.sort((a, b) => a.name < b.name ? -1 : 1) };
}

function collect(
  files: PackageFiles,
  path: string,
  { prefix, list }: { prefix: string; list: SourceFile[] },
): void {
  for (const entry of files.list(path) ?? []) {
    if (isHidden(entry.name)) continue;
    const name = prefix + entry.name;
    if (entry.kind === "directory") {
      collect(files, entry.path, { prefix: `${name}/`, list });
    } else if (entry.kind === "file") {
      list.push(sourceFile(entry, name));
    } else {
      throw files.error(entry.path, notAFile(entry));
    }
    if (list.length > FILES_MAX) {
      throw files.error(path, `belongs to a program of more than ${FILES_MAX} files`);
    }
  }
}

function sourceFile({ hostFile, sizeBytes }: PackageEntry, name: string): SourceFile {
  return { name, hostFile, sizeBytes };
}

/**
 * Whether a file is there for other purposes: of an editor, of a version control system, of Python.
 */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || name.endsWith("~") || name === "__pycache__";
}
