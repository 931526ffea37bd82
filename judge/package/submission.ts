/** Submissions that are given on the command line. */

import { type HostFiles, SandboxError } from "../../mod.ts";
import type { Submission } from "../types.ts";
import { PackageError } from "./errors.ts";
import { PackageFiles, refusalReason } from "./files.ts";
import { readProgram } from "./programs.ts";

/**
 * Reads a submission, which may lie anywhere and promises nothing.
 *
 * @param host the host's files
 * @param path a file, or a folder of files
 * @returns the submission
 * @throws {PackageError} if there is no such file or folder, or it has no files
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "isolate/mod.ts";
 * import { readSubmission } from "isolate/judge/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.write(`${directory}/sum.py`, "print(sum(map(int, input().split())))\n");
 * const submission = readSubmission(host, `${directory}/sum.py`);
 * assertEquals(submission.source.files.map((file) => file.name), ["sum.py"]);
 * host.removeTree(directory);
 * ```
 */
export function readSubmission(host: HostFiles, path: string): Submission {
  const given = path.replace(/(.)\/+$/, "$1");
  const real = realPath(host, given);
  // The folder that it is in is the only one to be looked into; its name is that of the real file.
  const cut = real.lastIndexOf("/");
  const isFolder = host.status(real)?.kind === "directory";
  using files = new PackageFiles(host, isFolder ? real : real.slice(0, cut) || "/");
  const entry = isFolder
    ? {
      name: real.slice(cut + 1),
      path: "",
      kind: "directory",
      sizeBytes: 0,
      hostFile: real,
    } as const
    : files.find(real.slice(cut + 1));
  if (entry === undefined) throw new PackageError("is missing", { file: given });
  return { name: given, source: readProgram(files, entry), expected: undefined };
}

function realPath(host: HostFiles, path: string): string {
  try {
    return host.realPath(path);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw new PackageError(refusalReason(error, "open it"), { file: path }, { cause: error });
  }
}
