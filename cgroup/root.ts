/** Finds the place where control groups of boxes are made: which version, which directory. */

import type { System } from "../ffi/system.ts";
import { readText } from "../host/read.ts";
import type { ControlGroupLog } from "./batch.ts";
import { ControlGroupFiles } from "./files.ts";
import { type Hierarchy, isWithin, parseHierarchies } from "./mounts.ts";
import { ControlGroupError, type ControlGroupRoot } from "./types.ts";
import { belowV1, distinctV1, makeGroupV1, rootV1 } from "./v1.ts";
import { enableControllers, rootV2 } from "./v2.ts";

/** The group that holds those of boxes, where the configuration names none. */
const PARENT_NAME = "isolate";

/** Where to look. */
export interface FindRootOptions {
  /** The configured directory; undefined: find or make one. */
  readonly directory?: string | undefined;
  /** Make and enable what is missing. */
  readonly create: boolean;
  readonly log: ControlGroupLog;
}

interface Search extends FindRootOptions {
  readonly files: ControlGroupFiles;
  readonly hierarchies: readonly Hierarchy[];
}

/**
 * Finds the place for control groups: below a configured directory, else in the unified hierarchy
 * if it has the memory controller, else in the hierarchies of v1.
 */
export function findControlGroupRoot(system: System, options: FindRootOptions): ControlGroupRoot {
  const files = new ControlGroupFiles(system, options.log);
  const hierarchies = parseHierarchies(readText(system, "/proc/self/mountinfo"));
  const search = { ...options, files, hierarchies };
  const chosen = options.directory === undefined
    ? hierarchies.find((h) => h.version === 2 && controllersOf(search, h).includes("memory"))
    : hierarchyOf(options.directory, hierarchies);
  if (options.directory !== undefined && !chosen && !holdsOlder(options.directory, hierarchies)) {
    const mounts = hierarchies.map((hierarchy) => hierarchy.directory).join(", ") || "none";
    throw new ControlGroupError(
      `The directory ${options.directory} (configured as cg_root) lies in no cgroup file system ` +
        `(mounted here: ${mounts})`,
    );
  }
  return chosen?.version === 2 ? openV2(search, chosen) : openV1(search);
}

/** Whether it is the directory that holds the v1 hierarchies, as version 1 of the command had it. */
function holdsOlder(directory: string, hierarchies: readonly Hierarchy[]): boolean {
  return hierarchies.some((hierarchy) =>
    hierarchy.version === 1 && directoryOf(hierarchy.directory) === directory
  );
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Finds the hierarchy in which a directory lies; one may be mounted below another. */
function hierarchyOf(directory: string, hierarchies: readonly Hierarchy[]): Hierarchy | undefined {
  return hierarchies
    .filter((hierarchy) => isWithin(directory, hierarchy.directory))
    .toSorted((a, b) => b.directory.length - a.directory.length)[0];
}

function controllersOf({ files }: Search, hierarchy: Hierarchy): string[] {
  const names = files.read(`${hierarchy.directory}/cgroup.controllers`) ?? "";
  return names.split(" ").filter((name) => name !== "");
}

function openV2(search: Search, hierarchy: Hierarchy): ControlGroupRoot {
  const { files, directory: configured, create } = search;
  refuseReadOnly(hierarchy);
  const directory = configured ?? `${hierarchy.directory}/${PARENT_NAME}`;
  if (configured !== undefined) refuseMissing(files, configured);
  if (create) {
    if (configured === undefined) {
      enableControllers(files, hierarchy.directory);
      files.makeDirectory(directory);
    }
    files.refuseForeign(directory);
    enableControllers(files, directory);
  }
  return rootV2(files, {
    directory,
    reason: configured === undefined
      ? `cgroup v2 is mounted at ${hierarchy.directory} and has the memory controller`
      : `it is configured as cg_root and lies in cgroup v2, mounted at ${hierarchy.directory}`,
  });
}

function refuseMissing(files: ControlGroupFiles, directory: string): void {
  if (files.exists(directory)) return;
  throw new ControlGroupError(
    `The control group ${directory} (configured as cg_root) does not exist: is the service that ` +
      "makes it running?",
  );
}

function openV1(search: Search): ControlGroupRoot {
  const { files, hierarchies, create } = search;
  const find = (controller: string) => {
    const found = hierarchies.find((h) => h.version === 1 && h.controllers.includes(controller));
    if (found) refuseReadOnly(found);
    return found?.directory;
  };
  const [memory, cpuacct] = [find("memory"), find("cpuacct")];
  if (memory === undefined || cpuacct === undefined) {
    throw new ControlGroupError(whyNone(search, memory === undefined ? "memory" : "cpuacct"));
  }
  const mounts = { memory, cpuacct, cpuset: find("cpuset"), pids: find("pids") };
  const name = nameBelow(memory, search.directory);
  const directories = belowV1(mounts, name);
  if (create) {
    const names = name.split("/").filter((part) => part !== "");
    names.forEach((_, i) => makeGroupV1(files, belowV1(mounts, names.slice(0, i + 1).join("/"))));
    for (const directory of distinctV1(directories)) files.refuseForeign(directory);
  }
  return rootV1(files, {
    directories,
    reason: search.directory === undefined
      ? `cgroup v1 is mounted with the controllers that are needed (memory at ${memory}), and ` +
        "cgroup v2 has no memory controller here"
      : `it is configured as cg_root and lies in cgroup v1 (memory at ${memory})`,
  });
}

/** Why there is no place at all. */
function whyNone(search: Search, missing: string): string {
  const { hierarchies } = search;
  if (hierarchies.length === 0) {
    return "Control groups cannot be used: no cgroup file system is mounted (expected at /sys/fs/cgroup)";
  }
  const unified = hierarchies.filter(({ version }) => version === 2).map((hierarchy) => {
    const names = controllersOf(search, hierarchy).join(", ") || "no controller";
    return `cgroup v2 at ${hierarchy.directory} has ${names}`;
  });
  const reasons = [
    ...unified.length > 0 ? unified : ["cgroup v2 is not mounted"],
    `no cgroup v1 file system with the ${missing} controller is mounted`,
  ];
  return `Control groups cannot be used without the ${missing} controller: ${reasons.join("; ")}`;
}

/** The path of a configured directory below the mount of the memory controller. */
function nameBelow(memory: string, directory: string | undefined): string {
  if (directory === undefined || directory === directoryOf(memory)) return PARENT_NAME;
  if (isWithin(directory, memory)) return directory.slice(memory.length + 1);
  throw new ControlGroupError(
    `The control group ${directory} (configured as cg_root) does not lie below ${memory}, where the ` +
      "memory controller of cgroup v1 is mounted",
  );
}

function refuseReadOnly({ directory, writable }: Hierarchy): void {
  if (writable) return;
  throw new ControlGroupError(
    `Control groups cannot be used: ${directory} is mounted read-only (in a container, it must be ` +
      "mounted read-write)",
  );
}
