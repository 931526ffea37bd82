/** Where things of a box lie on the host. */

import type { Settings } from "../../config/settings.ts";
import type { Identity } from "../../host/identity.ts";

/** The places and ids of one box. */
export interface BoxPlaces {
  /** Which box. */
  readonly boxId: number;
  /** `BOX_ROOT/ID`: belongs to root, holds `box/` and `tmp/`. */
  readonly directory: string;
  /** The user that programs in the box run as. */
  readonly boxUser: Identity;
  /**
   * Who that user is in the box, in a user namespace of each run; undefined: the same. Where all boxes
   * have one user, it is there what it would be with users of their own.
   */
  readonly innerUser?: Identity;
}

/** The user of all boxes where there is only one: who this process is. */
const ONE_USER: Identity = { uid: 0, gid: 0, groups: [], hasFixedGroups: true };

/** Finds the places and ids of a box. */
export function boxPlaces(settings: Settings, boxId: number): BoxPlaces {
  if (!Number.isInteger(boxId) || boxId < 0 || boxId >= settings.numBoxes) {
    throw new RangeError(`Sandbox ID out of range (allowed: 0-${settings.numBoxes - 1})`);
  }
  const user = { uid: settings.firstUid + boxId, gid: settings.firstGid + boxId, groups: [] };
  const directory = `${settings.boxRoot}/${boxId}`;
  if (!settings.hasOneUser) return { boxId, directory, boxUser: user };
  const innerUser = { ...user, hasFixedGroups: true };
  return { boxId, directory, boxUser: ONE_USER, innerUser };
}
