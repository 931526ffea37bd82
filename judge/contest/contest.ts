/** Reads contests: folders of which `problems.yaml` or the names say which packages they have. */

import { type HostFiles, SandboxError } from "../../mod.ts";
import { visibleText } from "../../text/visible.ts";
import type { YamlNode } from "../../text/yaml_node.ts";
import { PackageError } from "../package/errors.ts";
import { isHidden, nameOf, PackageFiles } from "../package/files.ts";
import { PACKAGE_FILES } from "../package/read.ts";
import type { Contest, ContestPackage } from "./types.ts";

/** The files that list the problems of a contest. */
const LISTS: readonly string[] = ["problems.yaml", "problemset.yaml"];
const ARCHIVE = /\.(zip|kpp)$/i;
const PROBLEMS_MAX = 1000;

/**
 * Reads a contest: a folder with a `problems.yaml` or `problemset.yaml`, which lists the `id` of each
 * problem and perhaps its `label`, or else a folder of packages. A package is a folder or an archive of
 * the problem's id.
 *
 * @param host the host's files
 * @param directory the folder
 * @returns the contest; undefined if the folder is a package itself, or has none
 * @throws {PackageError} if the list is wrong
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { newPackage, readContest } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * newPackage(host, `${directory}/hello`, { kind: "pass-fail" });
 * host.write(`${directory}/problems.yaml`, "- { id: hello, label: A }\n");
 * const contest = await readContest(host, directory);
 * assertEquals(contest?.packages.map(({ label, name }) => [label, name]), [["A", "hello"]]);
 * host.removeTree(directory);
 * ```
 */
export async function readContest(
  host: HostFiles,
  directory: string,
): Promise<Contest | undefined> {
  if (host.status(directory)?.kind !== "directory") return undefined;
  using files = new PackageFiles(host, directory);
  if (PACKAGE_FILES.some((file) => exists(files, file))) return undefined;
  const list = LISTS.find((file) => exists(files, file));
  const packages = list === undefined ? findPackages(host, files) : await readList(files, list);
  if (packages.length === 0) return undefined;
  return { directory: files.directory, name: nameOf(files.directory), packages };
}

/** A name that leads out of the folder is not one of its packages. */
function exists(files: PackageFiles, path: string): boolean {
  try {
    return files.find(path) !== undefined;
  } catch (error) {
    if (error instanceof PackageError) return false;
    throw error;
  }
}

function isPackage(files: PackageFiles, name: string): boolean {
  return PACKAGE_FILES.some((file) => exists(files, `${name}/${file}`));
}

function findPackages(host: HostFiles, files: PackageFiles): ContestPackage[] {
  const isUsable = (name: string) =>
    !isHidden(name) && visibleText(name) === name &&
    (ARCHIVE.test(name) ? exists(files, name) : isPackage(files, name));
  let names: string[];
  try {
    names = host.list(files.directory).map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw files.error("", `cannot list it: ${error.message}`, { cause: error });
  }
  const found = names.filter(isUsable);
  // An archive beside the folder that it was made of is the same package.
  const others = found.filter((name) =>
    !ARCHIVE.test(name) || !found.includes(name.replace(ARCHIVE, ""))
  );
  if (others.every((name) => ARCHIVE.test(name))) return [];
  return others.sort().map((name) => ({ name, path: `${files.directory}/${name}` }));
}

async function readList(files: PackageFiles, file: string): Promise<ContestPackage[]> {
  const node = await files.readYaml(file, { unknownKeys: "warn" });
  const list = node.isMapping ? node.entries().get("problems") : node;
  if (!list) throw node.error("has no list of problems: - { id: hello, label: A }");
  const packages = list.list().map((problem) => readProblem(files, problem));
  if (packages.length === 0) throw list.error("lists no problems");
  if (packages.length > PROBLEMS_MAX) throw list.error(`lists more than ${PROBLEMS_MAX} problems`);
  for (const [i, { name }] of packages.entries()) {
    if (packages.findIndex((other) => other.name === name) === i) continue;
    throw list.list()[i]!.error(`is listed twice: ${name}`);
  }
  return packages;
}

function readProblem(files: PackageFiles, node: YamlNode): ContestPackage {
  const values = node.isMapping ? node.entries() : undefined;
  const id = values ? values.get("short-name") ?? values.get("id") : node;
  if (!id) throw node.error("must have an id, the name of the package's folder");
  const name = id.text();
  if (!/^[^/\0]+$/.test(name) || name === "." || name === "..") {
    throw id.mustBe("the name of a folder beside this file");
  }
  const label = values?.get("label")?.text();
  const found = [name, `${name}.zip`, `${name}.kpp`].find((one) => exists(files, one));
  const path = found ?? name;
  return {
    name: path,
    ...label !== undefined && { label },
    path: `${files.directory}/${path}`,
  };
}
