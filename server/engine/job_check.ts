/** Looks whether a job can be carried out, before it takes anybody's place. */

import {
  isSource,
  type Language,
  withLowerCaseExtension,
} from "../../judge/languages/language_table.ts";
import { visibleText } from "../../text/visible.ts";
import { JobError } from "./executor.ts";
import type { Job, JobFile } from "./types.ts";

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 1024;
const DEPTH_MAX = 16;
const FIRST_LINE_BYTES = 256;

/** Checks the files of a job; undefined: they are fine. */
export function fileNameComplaint(name: string): string | undefined {
  const shown = `file name "${visibleText(name.slice(0, PATH_BYTES_MAX))}"`;
  const parts = name.split("/");
  if (name === "") return "a file name must not be empty";
  if (name.includes("\0")) return `${shown} must not have a NUL character`;
  if (!name.isWellFormed()) return `${shown} must be valid Unicode`;
  if (name.startsWith("/")) return `${shown} must be relative`;
  if (parts.some((part) => part === "..")) return `${shown} must not lead out of the folder (..)`;
  if (parts.some((part) => part === "" || part === ".")) return `${shown} has an empty part`;
  const bytesOf = (text: string) => new TextEncoder().encode(text).length;
  if (bytesOf(name) > PATH_BYTES_MAX || parts.some((part) => bytesOf(part) > NAME_BYTES_MAX)) {
    return `a file name is too long: ${NAME_BYTES_MAX} bytes are allowed in each part`;
  }
  if (parts.length > DEPTH_MAX) return `${shown} has more than ${DEPTH_MAX} parts`;
  return undefined;
}

/** Throws what is wrong with a job, as a {@linkcode JobError}. */
export function checkJob(
  { files, runs, checker }: Job,
  { allowNetwork }: { allowNetwork: boolean },
): void {
  if (files.length === 0) throw new JobError("a job needs at least one file");
  if (checker?.files.length === 0) throw new JobError("a checker needs at least one file");
  for (const run of runs) checkFiles([...files, ...run.files ?? []]);
  checkFiles(checker?.files ?? []);
  if (runs.some(({ network }) => network) && !allowNetwork) {
    throw new JobError("programs have no network here: the administrator does not allow it");
  }
  for (const { args, environment = [] } of runs) {
    const words = [...args, ...environment.flat()];
    if (words.some((word) => word.includes("\0"))) {
      throw new JobError("arguments and variables must not have a NUL character");
    }
    const wrong = environment.find(([name]) => name === "" || name.includes("="));
    if (wrong) throw new JobError(`"${visibleText(wrong[0])}" cannot be the name of a variable`);
  }
}

/** Checks files that lie in one folder. */
function checkFiles(files: readonly JobFile[]): void {
  const seen = new Set<string>();
  const folders = new Set<string>();
  for (const { name } of files) {
    const complaint = fileNameComplaint(name);
    if (complaint !== undefined) throw new JobError(complaint);
    if (seen.has(name)) throw new JobError(`two files have the name "${visibleText(name)}"`);
    seen.add(name);
    const parts = name.split("/");
    for (let i = 1; i < parts.length; i++) folders.add(parts.slice(0, i).join("/"));
  }
  const both = [...seen].find((name) => folders.has(name));
  if (both !== undefined) {
    throw new JobError(`"${visibleText(both)}" is a file, and the folder of another one`);
  }
}

/** Gives the main file the ending of its language, if no ending tells that it is a source. */
export function withEnding({ definition }: Language, files: readonly JobFile[]): JobFile[] {
  const [main, ...others] = files as [JobFile, ...JobFile[]];
  const firstLine = () => new TextDecoder().decode(main.content.subarray(0, FIRST_LINE_BYTES));
  const { extensions, extensionsWithShebang } = definition;
  const hasEnding = [main.name, withLowerCaseExtension(main.name)].some((name) =>
    isSource(definition, name, firstLine) ||
    extensionsWithShebang.some((ending) => name.endsWith(ending))
  );
  const ending = extensions[0] ?? extensionsWithShebang[0];
  if (hasEnding || ending === undefined) return [...files];
  const taken = new Set(others.map(({ name }) => name));
  // Clients of Piston call what has no name so.
  const stem = main.name.replace(/\.code$/, "");
  let name = `${stem}${ending}`;
  for (let i = 2; taken.has(name); i++) name = `${stem}-${i}${ending}`;
  return [{ ...main, name }, ...others];
}
