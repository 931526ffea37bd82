/** What is different for a process that is root of a user namespace only: ids, places, configuration. */

import { CONFIG_FILES } from "../../config/load.ts";
import { defaultSettings, type Settings } from "../../config/settings.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Identity } from "../../host/identity.ts";
import { environmentOf, readLink, readText } from "../../host/read.ts";
import { readRights } from "../../host/refusals.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import { type IdRange, idsForBoxes, parseIdMap } from "./id_maps.ts";

/** What is weaker where an ordinary user has no subordinate ids. */
export const WITHOUT_USERS =
  "all boxes have one user, who is the caller outside, as there are no subordinate ids: in a box no " +
  "owner can be changed, and nothing but mounts and process ids keeps boxes of one caller apart";

/** What is weaker where `/proc` is covered in part, as containers have it. */
export const WITHOUT_PROC =
  "parts of /proc are covered here, so that nobody in a user namespace may mount another one: boxes have " +
  "an empty /proc";

/** What the kernel allows in a user namespace. */
export interface Containment {
  /** Whether a new `/proc` can be mounted: not where parts of the one that is there are covered. */
  readonly canMountProc: boolean;
  /** Whether what is mounted stays when this process ends: not in a namespace that it has made itself. */
  readonly keepsMounts: boolean;
  /** The ids that there are. */
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** Finds out what it allows. */
export function containment(system: System): Containment {
  const own = readLink(system, "/proc/self/ns/mnt");
  return {
    canMountProc: !readRights(system).isProcMasked,
    // Where another one is the first process's, or nobody here may look, this one is our own.
    keepsMounts: own !== undefined && readLink(system, "/proc/1/ns/mnt") === own,
    ...idsOf(system),
  };
}

function idsOf(system: System): Pick<Containment, "uids" | "gids"> {
  const read = (name: string) => parseIdMap(readText(system, `/proc/self/${name}`));
  return { uids: read("uid_map"), gids: read("gid_map") };
}

/** Refuses the user of a box who does not exist here. */
export function refuseUnmapped(
  { uids, gids }: Containment,
  { boxId, boxUser: { uid, gid } }: Pick<BoxPlaces, "boxId" | "boxUser">,
): void {
  const kinds = [["user", uid, uids, "first_uid"], ["group", gid, gids, "first_gid"]] as const;
  for (const [kind, id, ranges, key] of kinds) {
    if (ranges.some(({ inside, count }) => inside <= id && id < inside + count)) continue;
    const there = ranges.map(({ inside, count }) => `${inside} to ${inside + count - 1}`).join(
      ", ",
    );
    throw new SandboxError(
      "bad-option",
      `Box ${boxId} cannot have the ${kind} ${id} (${key} in the configuration): in this user ` +
        `namespace there are ${there}`,
    );
  }
}

/** Lists what is weaker than for root, a sentence each. */
export function weaknesses(
  { hasOneUser }: Pick<Settings, "hasOneUser">,
  { canMountProc }: Pick<Containment, "canMountProc">,
): string[] {
  return [...hasOneUser ? [WITHOUT_USERS] : [], ...canMountProc ? [] : [WITHOUT_PROC]];
}

/** What it is then, where its configuration lies, and what holds where that says nothing. */
export interface RootlessSurroundings {
  readonly own: Identity;
  readonly files: readonly string[];
  readonly defaults: Settings;
}

/** Finds that out. */
export function rootlessSurroundings(system: System, identity: Identity): RootlessSurroundings {
  const { uids, gids } = idsOf(system);
  const environment = environmentOf(system);
  const canChangeGroups = readText(system, "/proc/self/setgroups").trim() === "allow";
  return {
    // The groups that the caller had outside have no names here: nobody can be put into them.
    own: { ...identity, groups: [], ...canChangeGroups ? {} : { hasFixedGroups: true } },
    files: configFiles(environment),
    defaults: rootlessSettings({ environment, uids, gids, canChangeGroups }),
  };
}

/** What the settings of an ordinary user depend on. */
export interface RootlessFacts {
  readonly environment: ReadonlyMap<string, string>;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  readonly canChangeGroups: boolean;
}

/** The settings of an ordinary user without a configuration. */
export function rootlessSettings(
  { environment, uids, gids, canChangeGroups }: RootlessFacts,
): Settings {
  const usual = defaultSettings();
  const state = stateDirectory(environment);
  const places = { ...usual, boxRoot: `${state}/boxes`, lockRoot: `${state}/locks` };
  const users = idsForBoxes(uids, usual.firstUid);
  const groups = idsForBoxes(gids, usual.firstGid);
  if (!users || !groups || !canChangeGroups) return { ...places, hasOneUser: true };
  const numBoxes = Math.min(users.count, groups.count, usual.numBoxes);
  return { ...places, firstUid: users.first, firstGid: groups.first, numBoxes };
}

/**
 * Boxes and their locks lie in one place, which is the same for all of a user's commands, whoever starts
 * them: two places of locks would let two commands into one box.
 */
function stateDirectory(environment: ReadonlyMap<string, string>): string {
  const directory = pathIn(environment, "XDG_STATE_HOME", "HOME", ".local/state") ??
    pathIn(environment, "XDG_RUNTIME_DIR");
  if (directory !== undefined) return `${directory}/isolate`;
  throw new SandboxError(
    "bad-option",
    "Cannot tell where the boxes of an ordinary user lie: set HOME or XDG_STATE_HOME to an absolute " +
      "path",
  );
}

/** The machine's own configuration names the places and ids of root. */
function configFiles(environment: ReadonlyMap<string, string>): string[] {
  const directory = pathIn(environment, "XDG_CONFIG_HOME", "HOME", ".config");
  if (directory === undefined) return [];
  return CONFIG_FILES.filter((file) => file.startsWith("/etc/"))
    .map((file) => `${directory}/${file.slice("/etc/".length)}`)
    .filter((file) => file.endsWith(".yaml"));
}

/** What a variable names, or a directory below what another one names; relative paths do not count. */
function pathIn(
  environment: ReadonlyMap<string, string>,
  name: string,
  above?: string,
  below?: string,
): string | undefined {
  const own = environment.get(name);
  if (own?.startsWith("/")) return own.replace(/\/+$/, "");
  const base = above === undefined ? undefined : environment.get(above);
  return base?.startsWith("/") ? `${base.replace(/\/+$/, "")}/${below}` : undefined;
}
