/**
 * Takes over groups: from a service manager, or one that the administrator names. See systemd's
 * documentation "Control Group APIs and Delegation".
 */

import type { System } from "../ffi/system.ts";
import { statusOf } from "../host/open.ts";
import { readText } from "../host/read.ts";
import type { ControlGroupLog } from "./batch.ts";
import { ControlGroupFiles } from "./files.ts";
import { type Hierarchy, isWithin, parseHierarchies } from "./mounts.ts";
import { ControlGroupError } from "./types.ts";
import { enableControllers } from "./v2.ts";

/** The group of the service's own process: a group with groups in it can hold no processes. */
const OWN_NAME = "daemon";

function unified(system: System): Hierarchy | undefined {
  return parseHierarchies(readText(system, "/proc/self/mountinfo"))
    .find(({ version }) => version === 2);
}

/**
 * Takes over the group in which a service manager has started this process, if it was delegated: moves
 * the process into a group of its own below, so that boxes can have theirs beside it.
 */
export function takeDelegatedGroup(
  system: System,
  { log }: { log: ControlGroupLog },
): string | undefined {
  const files = new ControlGroupFiles(system, log);
  const hierarchy = unified(system);
  const controllers = hierarchy && files.read(`${hierarchy.directory}/cgroup.controllers`);
  if (!hierarchy || !controllers?.split(" ").includes("memory")) return undefined;
  const [, path = "/"] = /^0::(.*)$/m.exec(readText(system, "/proc/self/cgroup")) ?? [];
  if (path === "/") return undefined;
  const own = `${hierarchy.directory}${path}`;
  // The service manager may have made the group for the process (DelegateSubgroup).
  if (own.endsWith(`/${OWN_NAME}`)) {
    const group = own.slice(0, -OWN_NAME.length - 1);
    enableControllers(files, group);
    return group;
  }
  const processes = (files.read(`${own}/cgroup.procs`) ?? "").split("\n").filter(Boolean);
  if (processes.length > 1) {
    throw new ControlGroupError(
      `The control group ${own} is not ours alone: there are ${processes.length} processes in it ` +
        "(start it as a service, see systemd/isolate.service, or use cg-setup)",
    );
  }
  files.makeDirectory(`${own}/${OWN_NAME}`);
  files.write(`${own}/${OWN_NAME}/cgroup.procs`, "0");
  log(1, () => `Moved into ${own}/${OWN_NAME}`);
  enableControllers(files, own);
  return own;
}

/**
 * Finds the group of this process for boxes of an ordinary user, who has no other: a service manager has
 * made it the user's. If asked to, moves the processes in it into one below, as a group with groups in it
 * can hold none.
 */
export function takeUsersGroup(
  system: System,
  { create, log }: { create: boolean; log: ControlGroupLog },
): string {
  const hierarchy = unified(system);
  const files = new ControlGroupFiles(system, log);
  const [, path = "/"] = /^0::(.*)$/m.exec(readText(system, "/proc/self/cgroup")) ?? [];
  if (!hierarchy) throw notDelegated("cgroup v2 is not mounted");
  const found = path === "/" ? hierarchy.directory : `${hierarchy.directory}${path}`;
  const own = found.endsWith(`/${OWN_NAME}`) ? found.slice(0, -OWN_NAME.length - 1) : found;
  const status = statusOf(system, `${own}/cgroup.subtree_control`);
  if (status?.uid !== 0) throw notDelegated(`that of this process, ${own}, belongs to others`);
  const controllers = files.read(`${own}/cgroup.controllers`)?.split(" ") ?? [];
  if (!controllers.includes("memory")) {
    throw notDelegated(`that of this process, ${own}, has no memory controller`);
  }
  const processes = (files.read(`${own}/cgroup.procs`) ?? "").split("\n").filter(Boolean);
  if (!create || processes.length === 0) return own;
  files.makeDirectory(`${own}/${OWN_NAME}`);
  for (const pid of processes) files.tryWrite(`${own}/${OWN_NAME}/cgroup.procs`, pid);
  log(1, () => `Moved the ${processes.length} processes of ${own} into ${own}/${OWN_NAME}`);
  return own;
}

function notDelegated(why: string): ControlGroupError {
  return new ControlGroupError(
    "Control groups cannot be used without root, or a group of cgroup v2 that is delegated to this user: " +
      `${why} (start the command with: systemd-run --user --scope -p Delegate=yes)`,
  );
}

/**
 * Makes a group that the configuration names, and those above it, ready to hold groups of boxes.
 * With cgroup v1 there is nothing to do in advance.
 */
export function makeNamedGroup(
  system: System,
  { directory, log }: { directory: string; log: ControlGroupLog },
): void {
  const mount = unified(system)?.directory;
  if (mount === undefined || !isWithin(directory, mount)) return;
  const files = new ControlGroupFiles(system, log);
  let group = mount;
  for (const name of directory.slice(mount.length + 1).split("/").filter(Boolean)) {
    enableControllers(files, group);
    group = `${group}/${name}`;
    files.makeDirectory(group);
  }
}
