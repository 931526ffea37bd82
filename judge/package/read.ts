/** Reads problem packages. */

import type { HostFiles } from "../../mod.ts";
import type { Problem } from "../types.ts";
import { PackageFiles } from "./files.ts";
import { PROBLEM_FILE, readKattis } from "./kattis.ts";
import { readTask, TASK_FILE } from "./task.ts";

/** The files of which one makes a folder a package. */
export const PACKAGE_FILES: readonly string[] = [PROBLEM_FILE, TASK_FILE];

/**
 * Reads a problem package: in the problem package format if it has a `problem.yaml`, in our own plain
 * format if it has a `task.yaml`.
 *
 * @param host the host's files
 * @param directory the package's folder
 * @param options `fileMib`: the largest file that it may use, in MiB (default 1024); `root`: a folder
 *   above it to which its symbolic links may lead (default: they must stay inside); `name`: what
 *   messages call it (default: the folder)
 * @returns the problem
 * @throws {PackageError} if it is not a package, or not a correct one
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { readPackage } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.makeDirectory(`${directory}/tests`);
 * host.write(`${directory}/tests/1.in`, "20 22\n");
 * host.write(`${directory}/tests/1.ans`, "42\n");
 * host.write(`${directory}/task.yaml`, "title: Sum\nlimits: {time: 1s}\n");
 * const problem = await readPackage(host, directory);
 * assertEquals([problem.title, problem.limits.timeLimitMs], ["Sum", 1000]);
 * host.removeTree(directory);
 * ```
 */
export async function readPackage(
  host: HostFiles,
  directory: string,
  options: { fileMib?: number | undefined; root?: string | undefined; name?: string } = {},
): Promise<Problem> {
  using files = new PackageFiles(host, directory, options);
  const read = files.find(PROBLEM_FILE) ? readKattis : files.find(TASK_FILE) ? readTask : undefined;
  if (read) {
    const problem = await read(files);
    files.holdFor(problem);
    return problem;
  }
  const names = (files.list("") ?? []).map(({ name, kind }) =>
    kind === "directory" ? `${name}/` : name
  );
  if (names.length > 8) names.splice(8, Infinity, "…");
  const found = names.length === 0 ? "is empty" : `has only ${names.join(", ")}`;
  throw files.error(
    "",
    `not a problem package: it needs a ${PROBLEM_FILE} or a ${TASK_FILE}, but ${found}`,
  );
}
