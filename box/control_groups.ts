/** Where the control groups of boxes are. Commands without `--cg` do not load this. */

import { takeUsersGroup } from "../cgroup/delegation.ts";
import { ControlGroupFiles } from "../cgroup/files.ts";
import { findControlGroupRoot } from "../cgroup/root.ts";
import { type ControlGroup, ControlGroupError, type ControlGroupRoot } from "../cgroup/types.ts";
import { DELEGATED_GROUP_FILE } from "../config/settings.ts";
import { Plan } from "../ffi/plan.ts";
import { readFile } from "../host/read.ts";
import { isRootsAlone, planPathStatus, readStatus } from "../host/status.ts";
import { decodeOsString } from "../text/os_string.ts";
import type { BoxPlaces } from "./claim/paths.ts";
import type { Sandbox } from "./sandbox.ts";

type Context = Pick<Sandbox, "system" | "settings" | "log"> & { readonly isRootless?: boolean };

const found = new WeakMap<Context, ControlGroupRoot>();

/** Finds the place where control groups of boxes are made, once for each sandbox. */
export function controlGroups(
  sandbox: Context,
  options: { readonly create: boolean },
): ControlGroupRoot {
  const known = found.get(sandbox);
  if (known && !options.create) return known;
  const root = findControlGroupRoot(sandbox.system, {
    directory: configuredGroup(sandbox, options),
    create: options.create,
    log: sandbox.log,
  });
  sandbox.log(1, () => `Control groups are made in ${root.directory}: ${root.reason}`);
  found.set(sandbox, root);
  return root;
}

export function controlGroupOf(
  sandbox: Context,
  { boxId }: BoxPlaces,
  options: { readonly create: boolean },
): ControlGroup {
  const { system, settings: { lockRoot } } = sandbox;
  const plan = new Plan();
  const status = planPathStatus(plan, lockRoot);
  system.run(plan, "look at the directory of the locks");
  const { identity } = readStatus(plan.view(status));
  return controlGroups(sandbox, options).group(groupName(boxId, identity));
}

/**
 * Names the group of a box. Containers, and configurations, may share the control groups but not the locks
 * that say whose a box is: the directory of the locks, which only those share that share the locks, makes
 * the name theirs alone.
 */
export function groupName(boxId: number, lockRootIdentity: string): string {
  return `box-${boxId}-${lockRootIdentity.replaceAll(":", ".")}`;
}

function configuredGroup(
  { system, settings, log, isRootless }: Context,
  { create }: { readonly create: boolean },
): string | undefined {
  const { cgRoot } = settings;
  if (cgRoot.kind === "directory") return cgRoot.directory;
  if (cgRoot.kind === "auto" && isRootless) return takeUsersGroup(system, { create, log });
  const path = cgRoot.kind === "auto" ? DELEGATED_GROUP_FILE : cgRoot.file;
  const file = readFile(system, path);
  // It says where root makes and removes groups.
  if (file && !isRootsAlone(file.status)) {
    throw new ControlGroupError(
      `The file ${path}, which names the control group of boxes, must belong to root and not be ` +
        "writable by others",
    );
  }
  const directory = file && decodeOsString(file.bytes).trim();
  if (cgRoot.kind === "auto") {
    // The service is used while it runs, but nobody has to run it.
    const isKept = directory?.startsWith("/") &&
      new ControlGroupFiles(system, log).exists(directory);
    return isKept ? directory : undefined;
  }
  if (directory?.startsWith("/")) return directory;
  throw new ControlGroupError(
    `Cannot read the directory of control groups from ${cgRoot.file} (configured as cg_root): ` +
      `${file ? "it does not hold an absolute path" : "no such file"}; is the service that ` +
      "writes it running?",
  );
}
