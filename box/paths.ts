/**
 * Where things of a box lie on the host.
 *
 * @module
 */

import type { Settings } from "../config/settings.ts";
import type { Identity } from "./identity.ts";

/** The places and ids of one box. */
export interface BoxPlaces {
  /** Which box. */
  readonly boxId: number;
  /** `BOX_ROOT/ID`: belongs to root, holds `box/` and `tmp/`. */
  readonly directory: string;
  /** The user that programs in the box run as. */
  readonly boxUser: Identity;
}

/**
 * Finds the places and ids of a box.
 *
 * @param settings the configuration
 * @param boxId which box
 * @returns its places
 * @throws {RangeError} if there is no such box
 *
 * @example
 * ```ts
 * import { boxPlaces } from "isolate/box/paths.ts";
 * import { defaultSettings } from "isolate/config/settings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(boxPlaces(defaultSettings(), 7).boxUser.uid, 60007);
 * ```
 */
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
