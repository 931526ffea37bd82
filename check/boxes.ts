/** The places of boxes, and what earlier ones have left behind. */

import { groupName } from "../box/control_groups.ts";
import { parseBoxRecord } from "../box/claim/lock.ts";
import { hasDiskQuotas } from "../box/claim/quota.ts";
import { ControlGroupError } from "../cgroup/types.ts";
import { O_DIRECTORY, ST_NOEXEC, ST_RDONLY } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { Machine } from "./machine.ts";
import { caution, command, fail, type Finding, pass, type Repair, skip } from "./types.ts";

const STATFS_SIZE = 120;
const STATFS_FLAGS_AT = 80;

/** Reads the mount flags where a path is, or would be made. */
function mountFlags(machine: Machine, path: string): bigint {
  const fd = openNearest(machine, path);
  if (fd === undefined) return 0n;
  const plan = new Plan();
  const status = plan.alloc(STATFS_SIZE);
  plan.step("fstatfs", [fd, status]);
  plan.step("close", [fd], { always: true });
  machine.system.run(plan, `how is ${path} mounted`);
  return plan.view(status).getBigUint64(STATFS_FLAGS_AT, true);
}

/** Opens a directory, or the nearest one above it that exists. */
function openNearest(machine: Machine, path: string, flags?: number): number | undefined {
  for (let place = path; place !== ""; place = place.slice(0, place.lastIndexOf("/"))) {
    const fd = machine.open(place, flags);
    if (fd !== undefined) return fd;
  }
  return machine.open("/", flags);
}

/** Checks that `--quota` works. */
export function examineQuota(machine: Machine): Finding {
  const { boxRoot } = machine.settings;
  const fd = openNearest(machine, boxRoot, O_DIRECTORY);
  if (fd === undefined) return skip(`cannot open ${boxRoot}`);
  try {
    if (hasDiskQuotas(machine.system, fd)) return pass(`--quota works in ${boxRoot}`);
  } finally {
    machine.system.close(fd);
  }
  return caution(
    `--quota does not work in ${boxRoot}: its file system has no user quotas (--box-size works)`,
    command(`# enable user quotas where ${boxRoot} is mounted, or make boxes with --box-size`),
  );
}

/** Checks that programs can be executed where they must be. */
export function examineMounts(machine: Machine): Finding {
  const { boxRoot } = machine.settings;
  const flags = mountFlags(machine, boxRoot);
  if ((flags & BigInt(ST_RDONLY)) !== 0n) {
    return fail(`${boxRoot} is mounted read-only: boxes cannot be made`);
  }
  if ((flags & BigInt(ST_NOEXEC)) !== 0n) {
    return fail(
      `${boxRoot} is mounted noexec: programs in boxes cannot be executed`,
      command(
        `# mount the file system of ${boxRoot} without noexec, or configure another box_root`,
      ),
    );
  }
  const temporary = machine.environment.get("TMPDIR") || "/tmp";
  const isNoExec = (mountFlags(machine, temporary) & BigInt(ST_NOEXEC)) !== 0n;
  const memory = machine.read("/proc/sys/vm/memfd_noexec") ?? "0";
  if (memory === "2") {
    return caution(
      "the kernel refuses to execute from memory (memfd_noexec): a compiled isolate does not start",
      { kind: "write", path: "/proc/sys/vm/memfd_noexec", value: "0" },
    );
  }
  return pass(
    isNoExec
      ? `box_root allows execution (${temporary} does not, and need not)`
      : "box_root allows execution",
  );
}

/** What an earlier box left behind. */
interface Leftover {
  readonly what: string;
  readonly boxId: number;
  readonly inGroup: boolean;
}

/**
 * Checks for boxes whose keeper died before it finished. It locks nothing: a command that begins right
 * now must not find its box in use.
 */
export function examineLeftovers(machine: Machine): Finding {
  const { boxRoot } = machine.settings;
  const boxes = machine.list(boxRoot).filter((name) => /^\d+$/.test(name)).map(Number);
  const groups = findGroups(machine);
  const locks = lockedFiles(machine);
  const leftovers = [...new Set([...boxes, ...groups.keys()])].sort((a, b) => a - b)
    .flatMap((boxId) => {
      const hasFiles = boxes.includes(boxId);
      return leftoverOf(machine, { boxId, hasFiles, group: groups.get(boxId), locks }) ?? [];
    });
  if (leftovers.length === 0) return pass(`${boxes.length} boxes, nothing left behind`);
  return caution(
    `left behind: ${leftovers.map(({ what }) => what).join("; ")}`,
    ...leftovers.map(cleanup),
  );
}

function cleanup({ boxId, inGroup }: Leftover): Repair {
  return command(`isolate --box-id=${boxId}${inGroup ? " --cg" : ""} --cleanup`);
}

function leftoverOf(machine: Machine, { boxId, hasFiles, group, locks }: {
  boxId: number;
  hasFiles: boolean;
  group: { isEmpty: boolean } | undefined;
  locks: ReadonlySet<string>;
}): Leftover | undefined {
  const path = `${machine.settings.lockRoot}/${boxId}`;
  const identity = identityOf(machine, path);
  // Somebody works on it.
  if (identity !== undefined && locks.has(identity)) return undefined;
  const bytes = machine.readBytes(path);
  const record = bytes && parseBoxRecord(bytes);
  const inGroup = group !== undefined;
  const say = (what: string) => ({ what, boxId, inGroup });
  if (group && !group.isEmpty) return say(`processes in the control group of box ${boxId}`);
  if (group && !record?.controlGroup) return say(`the control group of box ${boxId}`);
  if (hasFiles && !record) return say(`box ${boxId}, which has no owner`);
  if (hasFiles && !record?.initialised) {
    return say(`box ${boxId}, whose initialisation never finished`);
  }
  return undefined;
}

/** Finds the groups of boxes, and whether there are processes in them. */
function findGroups(machine: Machine): Map<number, { isEmpty: boolean }> {
  const groups = new Map<number, { isEmpty: boolean }>();
  let directory;
  try {
    directory = machine.controlGroups().directory;
  } catch (error) {
    if (error instanceof ControlGroupError) return groups;
    throw error;
  }
  const locks = machine.status(machine.settings.lockRoot)?.identity;
  if (locks === undefined) return groups;
  for (const name of machine.list(directory)) {
    const [, boxId] = /^box-(\d+)-/.exec(name) ?? [];
    // Groups of another name are those of others, who have locks of their own.
    if (boxId === undefined || name !== groupName(Number(boxId), locks)) continue;
    const processes = machine.read(`${directory}/${name}/cgroup.procs`) ?? "";
    groups.set(Number(boxId), { isEmpty: processes === "" });
  }
  return groups;
}

/** Lists the files locked by flock(2), as /proc/locks names them: major:minor:inode. */
function lockedFiles(machine: Machine): Set<string> {
  const lines = (machine.read("/proc/locks") ?? "").split("\n");
  return new Set(lines.flatMap((line) => {
    const [, device, inode] = /FLOCK\s.*\s([0-9a-f]+:[0-9a-f]+):(\d+)\s/.exec(line) ?? [];
    return device === undefined ? [] : [`${device}:${inode}`];
  }));
}

function identityOf(machine: Machine, path: string): string | undefined {
  const identity = machine.status(path)?.identity;
  if (identity === undefined) return undefined;
  const [major = "", minor = "", inode] = identity.split(":");
  const hex = (number: string) => Number(number).toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${inode}`;
}
