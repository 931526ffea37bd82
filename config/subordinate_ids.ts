/** User and group ids that the system has set aside for a user: see subuid(5) and subgid(5). */

import { ID_MAX, NUM_BOXES_MAX, type ParsedConfig } from "./entries.ts";
import { FileError } from "../text/errors.ts";
import type { Settings } from "./settings.ts";

export const SUBUID_FILE = "/etc/subuid";
export const SUBGID_FILE = "/etc/subgid";

/** The texts of the files that list subordinate ids. */
export interface SubordinateIdFiles {
  readonly subuid: string;
  readonly subgid: string;
}

/** Ids for the boxes: as many as the smaller of the two ranges is enough for. */
export type SubordinateIds = Pick<Settings, "firstUid" | "firstGid" | "numBoxes">;

/** Finds the ids of a user: the first range in each of the files. */
export function findSubordinateIds(
  user: string,
  files: SubordinateIdFiles,
): SubordinateIds | { missingIn: string } {
  const uids = findRange(user, { text: files.subuid, file: SUBUID_FILE });
  if (uids === undefined) return { missingIn: SUBUID_FILE };
  const gids = findRange(user, { text: files.subgid, file: SUBGID_FILE });
  if (gids === undefined) return { missingIn: SUBGID_FILE };
  const numBoxes = Math.min(uids.count, gids.count, NUM_BOXES_MAX);
  return { firstUid: uids.first, firstGid: gids.first, numBoxes };
}

/** Gives the boxes the ids of the user that a configuration names with `subid_user`. */
export function withSubordinateIds(config: ParsedConfig, files: SubordinateIdFiles): Settings {
  const { file, settings, subidUser } = config;
  if (subidUser === undefined) return settings;
  const { name, line } = subidUser;
  const ids = findSubordinateIds(name, files);
  if ("missingIn" in ids) {
    throw new FileError(`subid_user: '${name}' has no ids in ${ids.missingIn}`, { file, line });
  }
  return { ...settings, ...ids };
}

function findRange(
  user: string,
  { text, file }: { text: string; file: string },
): { first: number; count: number } | undefined {
  for (const [index, line] of text.split("\n").entries()) {
    const [name, firstText = "", countText = "", ...rest] = line.trim().split(":");
    if (name !== user) continue;
    const place = { file, line: index + 1 };
    const numbers = /^[0-9]+$/;
    if (!numbers.test(firstText) || !numbers.test(countText) || rest.length > 0) {
      throw new FileError("expected USER:FIRST:COUNT", place);
    }
    const first = Number(firstText);
    const count = Number(countText);
    if (first < 1 || count < 1 || first + count - 1 > ID_MAX) {
      throw new FileError(
        `ids for boxes must be from 1 to ${ID_MAX}: current value is ${firstText}:${countText}`,
        place,
      );
    }
    return { first, count };
  }
  return undefined;
}
