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
}

/** Finds the places and ids of a box. */
export function boxPlaces(settings: Settings, boxId: number): BoxPlaces {
  if (!Number.isInteger(boxId) || boxId < 0 || boxId >= settings.numBoxes) {
    throw new RangeError(`Sandbox ID out of range (allowed: 0-${settings.numBoxes - 1})`);
  }
  return {
    boxId,
    directory: `${settings.boxRoot}/${boxId}`,
    boxUser: { uid: settings.firstUid + boxId, gid: settings.firstGid + boxId, groups: [] },
  };
}
