/** Who is at the other end of a connection; see unix(7), SO_PEERCRED and SO_PEERGROUPS. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { type Data, Plan, type StepOptions } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import type { Identity } from "../host/identity.ts";
import { type ClientSurroundings, compareSurroundings, planLook } from "./surroundings.ts";

const GROUPS_MAX = 65536;

/** A peer as the kernel knew it when it connected. */
export interface Peer extends Identity {
  /** Its process id. */
  readonly pid: number;
}

/** Asks the kernel. */
export function peerOf(system: System, socket: number): Peer {
  const { plan, parts: { credentials, groups, length, result } } = PEER.run(system, socket);
  const view = plan.view(credentials);
  const bytes = plan.view(length).getUint32(0, true);
  return {
    pid: view.getInt32(0, true),
    uid: view.getUint32(4, true),
    gid: view.getUint32(8, true),
    groups: plan.result(result) === 0
      ? readGroups(plan.view(groups), bytes)
      : manyGroups(system, socket, bytes),
  };
}

const PEER = new Routine("who is the peer", ["connection"], (plan, socket) => {
  const credentials = plan.alloc(12);
  const groups = plan.alloc(4 * 64);
  const length = plan.struct([4 * 64]);
  const result = plan.slot("groups");
  const ask = (option: number, data: Data, size: Data, options: StepOptions = {}) =>
    plan.step("getsockopt", [socket!, linux.SOL_SOCKET, option, data, size], options);
  ask(linux.SO_PEERCRED, credentials, plan.struct([12]));
  ask(linux.SO_PEERGROUPS, groups, length, { into: result, ignore: ERRNO.ERANGE });
  return { credentials, groups, length, result };
});

/**
 * Opens a descriptor that tells when the peer has died, whoever else holds its end of the connection;
 * and where it is. Undefined if it has died already.
 */
export function openPeer(
  system: System,
  { pid }: Peer,
): { fd: number; surroundings: ClientSurroundings } | undefined {
  let watch = watching.get(system);
  if (!watch) watching.set(system, watch = prepareWatch(system));
  return watch(pid);
}

type PeerFound = { fd: number; surroundings: ClientSurroundings } | undefined;

/** Planned once for each system. */
const watching = new WeakMap<System, (pid: number) => PeerFound>();

function prepareWatch(system: System): (pid: number) => PeerFound {
  const plan = new Plan();
  const [process, fd] = [plan.slot("process"), plan.slot("peer")];
  plan.step("pidfd_open", [process, 0], { into: fd, ignore: "all" });
  const look = planLook(plan);
  const execute = system.prepare(plan, "watch the peer");
  return (pid) => {
    plan.put(process, pid);
    look.put(pid);
    execute();
    const opened = plan.result(fd);
    if (opened < 0) return undefined;
    return { fd: opened, surroundings: compareSurroundings(system, look.read()) };
  };
}

function manyGroups(system: System, socket: number, bytes: number): number[] {
  const plan = new Plan();
  const groups = plan.alloc(Math.min(bytes, 4 * GROUPS_MAX));
  const length = plan.struct([groups.length]);
  plan.step("getsockopt", [socket, linux.SOL_SOCKET, linux.SO_PEERGROUPS, groups, length]);
  system.run(plan, "which groups the peer has");
  return readGroups(plan.view(groups), plan.view(length).getUint32(0, true));
}

function readGroups(view: DataView, bytes: number): number[] {
  return Array.from({ length: bytes / 4 }, (_, i) => view.getUint32(4 * i, true));
}
