/** The ids that an ordinary user may map into a user namespace, and who maps them. */

import { findSubordinateIds, SUBGID_FILE, SUBUID_FILE } from "../../config/subordinate_ids.ts";
import { defaultSettings } from "../../config/settings.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Identity } from "../../host/identity.ts";
import { findUserName } from "../../host/names.ts";
import { tryOpen } from "../../host/open.ts";
import { readFile } from "../../host/read.ts";
import { decodeOsString } from "../../text/os_string.ts";
import { planMask, STACK_SIZE } from "../setup/clone.ts";
import type { IdMaps } from "../setup/user_namespace.ts";
import { formatIdMap } from "./id_maps.ts";

const HELPERS = { uids: "newuidmap", gids: "newgidmap" } as const;
const FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"];
const FILE_BYTES_MAX = 1 << 26;
const MESSAGE_BYTES_MAX = 4096;
const LAST_FD = 0xffff_ffff;

/** The maps of a user who has subordinate ids, and the programs that may write them. */
export interface SubordinateMaps {
  readonly maps: IdMaps;
  readonly helpers: { readonly uids: string; readonly gids: string };
}

/**
 * Finds the ids that the system has set aside for a user. In the namespace the user is root, and ids of
 * boxes are what they are for root's boxes.
 *
 * @returns the maps, or what is missing
 */
export function findSubordinateMaps(
  system: System,
  { uid, gid }: Identity,
): SubordinateMaps | string {
  const files = { subuid: read(system, SUBUID_FILE), subgid: read(system, SUBGID_FILE) };
  const name = findUserName(system, uid);
  const candidates = [...name === undefined ? [] : [name], String(uid)];
  const found = candidates.map((user) => findSubordinateIds(user, files));
  const ids = found.find((ids) => !("missingIn" in ids)) ?? found[0]!;
  if ("missingIn" in ids) {
    return `user ${name ?? uid} has no ids in ${ids.missingIn} (usermod --add-subuids and ` +
      "--add-subgids of root add some)";
  }
  const [uids, gids] = [findHelper(system, HELPERS.uids), findHelper(system, HELPERS.gids)];
  if (uids === undefined || gids === undefined) {
    return "newuidmap and newgidmap are not there (Debian's package uidmap has them)";
  }
  const { firstUid, firstGid, numBoxes } = defaultSettings();
  const count = Math.min(ids.numBoxes, numBoxes);
  const map = (own: number, inside: number, outside: number) =>
    formatIdMap([{ inside: 0, outside: own, count: 1 }, { inside, outside, count }]);
  const maps = {
    uids: map(uid, firstUid, ids.firstUid),
    gids: map(gid, firstGid, ids.firstGid),
    groups: "allow",
  } as const;
  return { maps, helpers: { uids, gids } };
}

function read(system: System, path: string): string {
  const file = readFile(system, path, { limitBytes: FILE_BYTES_MAX });
  return file ? decodeOsString(file.bytes) : "";
}

function findHelper(system: System, name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => {
    const fd = tryOpen(system, path, linux.O_PATH);
    if (fd !== undefined) system.close(fd);
    return fd !== undefined;
  });
}

/** Has the programs map the ids in the user namespace of a process. */
export function mapSubordinateIds(
  system: System,
  pid: number,
  { maps, helpers }: SubordinateMaps,
): void {
  // The group first: the program that maps it decides whether groups can be changed.
  for (const kind of ["gids", "uids"] as const) {
    const numbers = maps[kind].split(/\s+/);
    const { status, message } = runHelper(system, helpers[kind], [String(pid), ...numbers]);
    if (status === 0) continue;
    const why = message === "" ? `exit status ${status}` : message;
    throw new SandboxError(
      "missing-rights",
      `Cannot map the subordinate ids (${SUBUID_FILE}, ${SUBGID_FILE}) with ${
        helpers[kind]
      }: ${why}`,
    );
  }
}

const SIGINFO = { size: 128, status: 24 } as const;

/** Runs a program to its end, and reads what it says; it has nothing of ours. */
function runHelper(
  system: System,
  path: string,
  args: readonly string[],
): { status: number; message: string } {
  const plan = new Plan();
  const slot = (name: string) => plan.slot(name);
  const [child, childFd, ours, theirs, length] = [
    slot("child"),
    slot("child"),
    slot("ours"),
    slot("theirs"),
    slot("length"),
  ] as const;
  const [pair, pidfd] = [plan.struct([-1, -1]), plan.struct([-1, 0])];
  const [info, message] = [plan.alloc(SIGINFO.size), plan.alloc(MESSAGE_BYTES_MAX)];
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD;
  const clone = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(clone, 8, pidfd);
  const argv = plan.pointers([path, ...args].map((text) => plan.string(text)));
  const what = `run ${path}`;
  plan.step("pipe2", [pair, linux.O_CLOEXEC | linux.O_NONBLOCK]);
  plan.step("load", [pair.part(0, 4), 4], { into: ours });
  plan.step("load", [pair.part(4, 4), 4], { into: theirs });
  planMask(plan, () => {
    plan.spawn(clone, { into: child, what }, () => {
      plan.step("rt_sigprocmask", [linux.SIG_SETMASK, plan.struct([0n]), 0, 8]);
      for (const fd of [1, 2]) plan.step("dup3", [theirs, fd, 0]);
      plan.step("close_range", [3, LAST_FD, linux.CLOSE_RANGE_CLOEXEC]);
      plan.step("execve", [plan.string(path), argv, plan.pointers([])], { what });
    });
    plan.step("load", [pidfd, 4], { into: childFd, always: true });
    plan.step("waitid", [linux.P_PIDFD, childFd, info, linux.WEXITED | linux.__WALL, 0], {
      always: true,
      ignore: "all",
    });
  });
  plan.step("read", [ours, message, MESSAGE_BYTES_MAX], { into: length, ignore: "all" });
  for (const fd of [ours, theirs, childFd]) {
    plan.step("close", [fd], { always: true, ignore: "all" });
  }
  system.run(plan, what);
  const said = plan.content(message, Math.max(0, plan.result(length)));
  return {
    status: plan.view(info).getInt32(SIGINFO.status, true),
    message: decodeOsString(said).trim().replaceAll("\n", "; "),
  };
}
