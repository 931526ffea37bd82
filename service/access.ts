/** Who may use which boxes through the service. */

import type { ServiceSettings } from "../config/settings.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "../host/errors.ts";
import type { Identity } from "../host/identity.ts";
import { findId } from "../host/names.ts";

/** A grant with the number of the user or the group. */
interface ResolvedGrant {
  readonly kind: "user" | "group";
  readonly id: number;
  readonly first: number;
  readonly last: number;
}

/** What the configuration says about clients, with numbers in place of names. */
export interface ClientAccess {
  /** The group of the socket. */
  readonly socketGid: number;
  /** Which boxes the caller may use; undefined: all. */
  rangesOf(caller: Identity): readonly { first: number; last: number }[] | undefined;
  /** Throws one sentence if the caller may not use a box; undefined: not a single one. */
  checkBox(caller: Identity, boxId: number | undefined): void;
}

/** Looks names up, in the files of this machine, and reads what may be used. */
export function readAccess(system: System, settings: ServiceSettings): ClientAccess {
  const { grants, socketGroup } = settings;
  const resolved: ResolvedGrant[] = grants.map(({ kind, name, first, last }) => ({
    kind,
    id: findId(system, kind, name),
    first,
    last,
  }));
  const rangesOf = (caller: Identity) =>
    caller.uid === 0 || resolved.length === 0
      ? undefined
      : resolved.filter(({ kind, id }) =>
        kind === "user" ? id === caller.uid : id === caller.gid || caller.groups.includes(id)
      );
  return {
    rangesOf,
    socketGid: socketGroup === undefined ? 0 : findId(system, "group", socketGroup),
    checkBox(caller, boxId) {
      const theirs = rangesOf(caller);
      if (!theirs) return;
      const isTheirs = theirs.some(({ first, last }) =>
        boxId === undefined || boxId >= first && boxId <= last
      );
      if (isTheirs) return;
      const ranges = theirs.map(({ first, last }) => `${first}-${last}`).join(", ");
      throw new SandboxError(
        "restricted",
        ranges === ""
          ? `User ${caller.uid} may not use boxes: the configuration names neither the user ` +
            "(service_user) nor a group of theirs (service_group)"
          : `User ${caller.uid} may not use box ${boxId}, only ${ranges}`,
      );
    },
  };
}
