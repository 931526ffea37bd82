/** Takes boxes: which one, for whom, and whether it is free. */

import type { ControlGroup } from "../../cgroup/types.ts";
import { SandboxError } from "../../host/errors.ts";
import type { BoxDirectory } from "./box_directory.ts";
import { BoxLock } from "./lock.ts";
import type { BoxSize } from "./own_file_system.ts";
import { type BoxPlaces, boxPlaces } from "./paths.ts";
import type { DiskQuota } from "./quota.ts";
import { killStrays } from "./strays.ts";
import { checkInit } from "../option_forms.ts";
import { type Sandbox, sharedSandbox } from "../sandbox.ts";

/** Which box, and how it is taken. */
export interface BoxOptions {
  /** Which box: 0 to `numBoxes - 1`. Default: 0. */
  boxId?: number;
  /** The sandbox; default: the one with the machine's configuration. */
  sandbox?: Sandbox | undefined;
  /** If another process works on the box, wait until it is free instead of failing. */
  wait?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
}

/** How a box that exists is taken. */
export interface OpenOptions extends BoxOptions {
  /** Whether the box must have a control group, or must not; default: either. */
  controlGroup?: boolean;
}

/** How a box is made. */
export interface InitOptions extends BoxOptions {
  /** Make a control group for the box. */
  controlGroup?: boolean;
  /** The disk quota of the box's user. */
  quota?: DiskQuota | undefined;
  /** Put `box/` on a file system of its own, of this size, in memory; default: it has none. */
  size?: BoxSize | undefined;
  /** Make what the next run needs while nothing runs, so that it starts sooner. */
  ready?: boolean;
  /** The CPUs on which programs run unless a run says otherwise; default: those of this process. */
  cpus?: readonly number[] | undefined;
}

/** Why a box is not free: somebody works on it, or has initialised it, or another user owns it. */
export type BoxTaken = "in-use" | "initialised" | "foreign";

/** Finds the control group of a box; the code for groups is loaded here, when it is needed. */
export async function groupOf(
  sandbox: Sandbox,
  places: BoxPlaces,
  create: boolean,
): Promise<ControlGroup> {
  const { controlGroupOf } = await import("../control_groups.ts");
  return controlGroupOf(sandbox, places, { create });
}

/** Locks a box. */
export function takeLock(sandbox: Sandbox, { places, options, create }: {
  places: BoxPlaces;
  options: BoxOptions;
  create: boolean;
}): Promise<BoxLock | undefined> {
  const take = () =>
    BoxLock.take(sandbox.system, {
      lockRoot: sandbox.settings.lockRoot,
      boxId: places.boxId,
      create,
      waiter: options.wait ? sandbox.waiter : undefined,
      abort: options.signal,
    });
  return options.wait && sandbox.runs ? sandbox.runs.countWaiting(take) : take();
}

/** Checks that a box does not belong to another user. */
export function checkOwner(sandbox: Sandbox, lock: BoxLock): void {
  if (!isForeign(sandbox, lock)) return;
  const owner = lock.read()?.ownerUid;
  throw new SandboxError("foreign-box", `This box belongs to a different user (uid ${owner})`);
}

/** Whether a box belongs to another user; root may work on all boxes. */
export function isForeign({ caller }: Sandbox, lock: BoxLock): boolean {
  const owner = lock.read()?.ownerUid;
  return owner !== undefined && owner !== caller.uid && caller.uid !== 0;
}

/** Finds the places of a new box, and checks that the caller may make it. */
export async function prepareInit(
  options: InitOptions,
): Promise<{ sandbox: Sandbox; places: BoxPlaces }> {
  checkInit(options);
  const sandbox = options.sandbox ?? await sharedSandbox();
  const { settings, caller } = sandbox;
  const places = boxPlaces(settings, options.boxId ?? 0);
  if (settings.restrictedInit && caller.uid !== 0) {
    throw new SandboxError("restricted", "New sandboxes can be created only by root");
  }
  if (sandbox.contained) {
    const { refuseUnmapped } = await import("../rootless/surroundings.ts");
    refuseUnmapped(sandbox.contained, places);
  }
  if (sandbox.contained && options.quota) {
    throw new SandboxError(
      "restricted",
      "Option --quota needs root: the kernel lets nobody else set disk quotas",
    );
  }
  sandbox.prepareRoots();
  return { sandbox, places };
}

/** A locked box, with all that it is made of. */
interface LockedBox {
  readonly sandbox: Sandbox;
  readonly places: BoxPlaces;
  readonly lock: BoxLock;
  readonly controlGroup: ControlGroup | undefined;
  readonly directory: BoxDirectory;
}

/** Removes a box and everything in it; the lock stays taken. */
export async function unmakeBox(
  { sandbox, places, lock, controlGroup, directory }: LockedBox,
): Promise<void> {
  const record = lock.read();
  // Another process that finds it half removed has to know.
  if (record?.initialised) lock.write({ ...record, initialised: false });
  // First the processes, then the files they could still change.
  controlGroup?.remove();
  const strays = await killStrays(sandbox, places.boxUser.uid);
  if (strays > 0) {
    sandbox.log(1, () => `Killed ${strays} processes that ran as the box's user outside of it`);
  }
  // Also when root removes it: the owner could have moved directories of others in there.
  const ownerUid = record?.ownerUid ?? sandbox.caller.uid;
  await directory.remove({ quota: record?.quota ?? false, ownerUid });
  lock.clear();
}
