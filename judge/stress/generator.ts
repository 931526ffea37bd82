/** Finds the generator of a package. */

import type { HostFiles } from "../../mod.ts";
import { PackageError } from "../package/errors.ts";
import { PackageFiles } from "../package/files.ts";
import { readProgram } from "../package/programs.ts";
import { readSubmission } from "../package/submissions.ts";
import type { Generator } from "./types.ts";

const FOLDER = "generators";

/**
 * Reads a generator: a program and its arguments, separated by blanks. The program is one of the
 * package's `generators/`, or else a file or folder of the host. Without `{seed}` in the arguments the
 * seed is the last one.
 *
 * @param host the host's files
 * @param directory the package
 * @param command such as `gen.py 10 {seed}`
 * @returns the generator
 * @throws {PackageError} if there is no such program
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { readGenerator } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.makeDirectory(`${directory}/generators`);
 * host.write(`${directory}/generators/gen.py`, "import sys\nprint(sys.argv[2])\n");
 * const { source, args } = readGenerator(host, directory, "gen.py 10");
 * assertEquals([source.name, args], ["gen.py", ["10", "{seed}"]]);
 * host.removeTree(directory);
 * ```
 */
export function readGenerator(host: HostFiles, directory: string, command: string): Generator {
  const [name = "", ...words] = command.trim().split(/\s+/);
  const args = words.some((word) => word.includes("{seed}")) ? words : [...words, "{seed}"];
  using files = new PackageFiles(host, directory);
  const plain = name.replace(/^\.?\/(?=generators\/)/, "").replace(/^generators\//, "");
  const isInside = !/^\.{0,2}\//.test(plain) && plain !== "";
  const entry = isInside ? files.find(`${FOLDER}/${plain}`) : undefined;
  if (entry) return { source: readProgram(files, entry), args };
  if (name !== "" && host.status(name)) return { source: readSubmission(host, name).source, args };
  const all = (files.list(FOLDER) ?? []).map(({ name }) => name);
  const hint = all.length === 0
    ? `the package has no ${FOLDER}/, and there is no such file`
    : `${FOLDER}/ has ${all.join(", ")}`;
  throw new PackageError(`no generator is called ${JSON.stringify(name)}; ${hint}`, {
    file: files.given,
  });
}
