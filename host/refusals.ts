/**
 * Explains why the kernel refuses what boxes need: which right or switch is missing. Containers take away
 * capabilities, filter system calls, and cover parts of /proc; see capabilities(7), seccomp(2) and
 * user_namespaces(7).
 */

import { ERRNO } from "../ffi/errno.ts";
import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System, SystemError } from "../ffi/system.ts";

/** The capabilities that are asked for, by their numbers. */
const CAPABILITIES = {
  CHOWN: 0,
  FOWNER: 3,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_ADMIN: 12,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
} as const;

type Capability = keyof typeof CAPABILITIES;

/** What each system call takes, where it is refused. */
const NEEDS: Readonly<Record<string, Capability>> = {
  spawn: "SYS_ADMIN",
  unshare: "SYS_ADMIN",
  setns: "SYS_ADMIN",
  open_tree: "SYS_ADMIN",
  move_mount: "SYS_ADMIN",
  mount_setattr: "SYS_ADMIN",
  fsopen: "SYS_ADMIN",
  fsconfig: "SYS_ADMIN",
  fsmount: "SYS_ADMIN",
  mount: "SYS_ADMIN",
  umount2: "SYS_ADMIN",
  pivot_root: "SYS_ADMIN",
  sethostname: "SYS_ADMIN",
  quotactl: "SYS_ADMIN",
  quotactl_fd: "SYS_ADMIN",
  chroot: "SYS_CHROOT",
  setresuid: "SETUID",
  setresgid: "SETGID",
  setgroups: "SETGID",
  fchownat: "CHOWN",
  fchown: "CHOWN",
  fchmod: "FOWNER",
  prctl: "SETPCAP",
  ioctl: "NET_ADMIN",
  prlimit64: "SYS_RESOURCE",
};

const NEW_NAMESPACES = new Set(["spawn", "unshare"]);
const SECCOMP_FILTERS = 2;
/** Directories of /proc that are there for that, and cover nothing. */
const MOUNT_POINTS: ReadonlySet<string> = new Set(["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd"]);
const TEXT_BYTES_MAX = 1 << 16;

/** How containers get a whole `/proc`. */
export const UNMASK =
  "in a container: Docker's --security-opt systempaths=unconfined, Podman's --security-opt unmask=ALL, " +
  "Kubernetes' procMount: Unmasked";

/** What is known of this process's rights. */
export interface Rights {
  /** Its effective capabilities, a bit each. */
  readonly capabilities: bigint;
  /** Whether a seccomp filter decides about its system calls. */
  readonly isFiltered: boolean;
  /** How many user ids there are in its user namespace; undefined: all. */
  readonly userIds: number | undefined;
  /** Whether something is mounted over parts of /proc. */
  readonly isProcMasked: boolean;
  /** The profile of AppArmor that confines it, if one does. */
  readonly profile: string | undefined;
}

/** Explains why a call was refused; undefined if the kernel's own words say it. */
export function explainRefusal(error: SystemError): string | undefined {
  const { system, step, errno } = error;
  if (!system || !step || !Object.hasOwn(NEEDS, step.operation)) return undefined;
  const isRefusal = errno === ERRNO.EPERM || errno === ERRNO.ENOSYS || errno === ERRNO.EACCES;
  const { operation } = step;
  if (errno === ERRNO.ENOSPC && NEW_NAMESPACES.has(operation)) {
    return "the limits in /proc/sys/user on namespaces are reached, or 0";
  }
  if (errno === ERRNO.EAGAIN && NEW_NAMESPACES.has(operation)) {
    return "there are too many processes, by ulimit -u or the pids limit of a container";
  }
  if (errno === ERRNO.EINVAL && /^setres/.test(operation)) {
    return explainIds(readRights(system));
  }
  if (errno === ERRNO.EINVAL && operation === "open_tree") {
    return explainTree(readRights(system));
  }
  return isRefusal ? explainWith(readRights(system), operation) : undefined;
}

/** What an administrator can have said about user namespaces, and the value that refuses them. */
const NAMESPACE_SETTINGS = [
  ["kernel.unprivileged_userns_clone", "0"],
  ["user.max_user_namespaces", "0"],
  ["kernel.apparmor_restrict_unprivileged_userns", "1"],
] as const;

/** Explains why the kernel makes no user namespace; undefined if its own words say it. */
export function whyNoUserNamespaces(
  system: System,
  { step, errno }: { step: string | undefined; errno: number | undefined },
): string | undefined {
  if (step === undefined || !["spawn", "clone3"].includes(step)) return undefined;
  for (const [name, refusing] of NAMESPACE_SETTINGS) {
    const value = readText(system, `/proc/sys/${name.replaceAll(".", "/")}`)?.trim();
    if (value !== refusing) continue;
    return `the setting ${name} is ${value} and refuses them (sysctl -w ${name}=` +
      `${refusing === "1" ? 0 : 10000} of root allows them)`;
  }
  if ((errno === ERRNO.EPERM || errno === ERRNO.ENOSYS) && readRights(system).isFiltered) {
    return "a seccomp filter refuses them (in a container: --security-opt seccomp=FILE, with the profile " +
      "in containers/seccomp.json)";
  }
  return undefined;
}

function explainIds({ userIds }: Rights): string | undefined {
  return userIds === undefined
    ? undefined
    : `its user namespace has ${userIds} user ids only: configure first_uid and num_boxes below that`;
}

function explainTree({ userIds }: Rights): string | undefined {
  return userIds === undefined
    ? undefined
    : "in a user namespace a directory can be bound only with what is mounted below it (without norec)";
}

/** Explains a refusal by what is known of the process. */
export function explainWith(rights: Rights, operation: string): string | undefined {
  const needed = NEEDS[operation];
  if (needed === undefined) return undefined;
  if ((rights.capabilities >> BigInt(CAPABILITIES[needed]) & 1n) === 0n) {
    return `this process lacks CAP_${needed} (run it as root; in a container, with ` +
      `--cap-add=${needed})`;
  }
  if (operation === "prlimit64" && rights.userIds !== undefined) {
    return "in a user namespace nobody may raise limits";
  }
  const isFilesystem = operation.startsWith("fs");
  if (isFilesystem && rights.isProcMasked) {
    return `parts of /proc are masked (${UNMASK})`;
  }
  if (rights.profile !== undefined) {
    return `the AppArmor profile ${rights.profile} confines this process (in a container: ` +
      "--security-opt apparmor=unconfined, or a profile that allows mounts)";
  }
  if (rights.isFiltered) {
    return "a seccomp filter decides about this process (in a container: --security-opt " +
      `seccomp=unconfined, or a profile that allows ${
        operation === "spawn" ? "clone3" : operation
      })`;
  }
  return undefined;
}

/** Looks at the rights of this process. */
export function readRights(system: System): Rights {
  const [status, ids, mounts, profile] = [
    "status",
    "uid_map",
    "mountinfo",
    "attr/current",
  ].map((name) => readText(system, `/proc/self/${name}`));
  return parseRights({ status, ids, mounts, profile });
}

/** Reads the rights from the texts of the kernel; see proc(5). */
export function parseRights({ status = "", ids = "", mounts = "", profile = "" }: {
  status?: string | undefined;
  ids?: string | undefined;
  mounts?: string | undefined;
  profile?: string | undefined;
}): Rights {
  const ranges = ids.trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const count = ranges.reduce((sum, [, , length = 0]) => sum + length, 0);
  const [name = ""] = profile.trim().split(" ");
  return {
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`),
    isFiltered: Number(/^Seccomp:\s*(\d)/m.exec(status)?.[1] ?? 0) === SECCOMP_FILTERS,
    userIds: count > 0 && count < 0xffffffff ? count : undefined,
    isProcMasked: mounts.split("\n").some((line) => {
      const [, , , , directory = ""] = line.split(" ");
      return directory.startsWith("/proc/") && !MOUNT_POINTS.has(directory);
    }),
    profile: name === "" || name === "unconfined" ? undefined : name,
  };
}

function readText(system: System, path: string): string | undefined {
  const plan = new Plan();
  const [fd, length] = [plan.slot("file"), plan.slot("length")];
  const content = plan.alloc(TEXT_BYTES_MAX);
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), linux.O_CLOEXEC, 0], { into: fd });
  plan.step("read", [fd, content, content.length], { into: length });
  plan.step("close", [fd], { always: true, ignore: "all" });
  if (system.attempt(plan, "look at the rights of this process")) return undefined;
  return new TextDecoder().decode(plan.content(content, plan.result(length)));
}
