/**
 * The mounts of a box: from directory rules to steps of plans.
 *
 * The work is split in two. The keeper opens the source of every bind rule with the caller's
 * rights and clones the mounts there (detached: they are in nobody's tree yet). The box's init, in a
 * mount namespace of its own, puts them together under a new root, enters it with pivot_root(2) and
 * drops the old one. All of it works on descriptors; see open_tree(2), mount_setattr(2),
 * move_mount(2) and fsopen(2).
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Plan, Slot, StepOptions } from "../../ffi/plan.ts";
import type { DirectoryRule } from "./directory_rules.ts";
import { planDeviceLinks } from "./contained_rules.ts";
import { type PlacedRule, ruleName } from "./sources.ts";
import { SandboxError } from "../../host/errors.ts";
import { MOUNTED, planOpen } from "../../host/open.ts";

function attributes(rule: DirectoryRule): number {
  const readOnly = rule.kind !== "temporary" && !rule.readWrite;
  return linux.MOUNT_ATTR_NOSUID | (readOnly ? linux.MOUNT_ATTR_RDONLY : 0) |
    (rule.devices ? 0 : linux.MOUNT_ATTR_NODEV) | (rule.noExec ? linux.MOUNT_ATTR_NOEXEC : 0);
}

/** Adds a step that makes a mount private and restricts it, and every mount below it. */
export function planRestrictions(
  plan: Plan,
  { fd, path, attr }: { fd: Slot | number; path: string; attr: number },
  options: StepOptions = {},
) {
  const values = plan.struct([BigInt(attr), 0n, BigInt(linux.MS_PRIVATE), 0n]);
  const flags = path === "" ? linux.AT_EMPTY_PATH | linux.AT_RECURSIVE : linux.AT_RECURSIVE;
  plan.step("mount_setattr", [fd, plan.string(path), flags, values, 32], {
    what: "restrict the mount and those below it",
    ...options,
  });
}

/** Adds the keeper's steps, which clone the mounts of all rules that have a source. */
export function planClones(
  plan: Plan,
  rules: readonly PlacedRule[],
  sources: readonly (number | Slot | undefined)[] = rules.map(({ source }) => source?.fd),
): (Slot | undefined)[] {
  return rules.map(({ rule, source }, i) => {
    const fd = sources[i];
    if (!source || fd === undefined) return undefined;
    return plan.because(ruleName(rule), () => {
      const tree = plan.slot(`mount of ${rule.inside}`);
      if (source.isClone) {
        plan.step("fcntl", [source.fd, linux.F_DUPFD_CLOEXEC, 3], { into: tree });
        planRestrictions(plan, { fd: tree, path: "", attr: attributes(rule) });
        return tree;
      }
      const recursive = rule.kind === "bind" && rule.recursive ? linux.AT_RECURSIVE : 0;
      const flags = linux.OPEN_TREE_CLONE | linux.O_CLOEXEC | linux.AT_EMPTY_PATH | recursive;
      plan.step("open_tree", [fd, plan.string(""), flags], {
        into: tree,
        what: `take the mount at ${source.path}`,
      });
      planRestrictions(plan, { fd: tree, path: "", attr: attributes(rule) });
      return tree;
    });
  });
}

/**
 * Adds init's steps, which build the box's root and enter it.
 *
 * @param options `deferred`: which rules a stage leaves to its boxes, if it is one
 */
export function planRoot(
  plan: Plan,
  rules: readonly PlacedRule[],
  { mounts, deferred }: {
    mounts: readonly (number | Slot | undefined)[];
    deferred?: readonly boolean[];
  },
): void {
  const { base, root } = plan.because("the root of the box", () => {
    const base = planPrivateMounts(plan, () =>
      planFilesystem(plan, "tmpfs", {
        strings: [["mode", "0755"], ["size", "4k"]],
        attr: linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV | linux.MOUNT_ATTR_NOEXEC,
      }));
    const root = planFilesystem(plan, "tmpfs", {
      strings: [["mode", "0755"], ["size", "1m"]],
      attr: linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV,
    });
    plan.step("mkdirat", [base, plan.string("root"), 0o755]);
    planMountPoints(plan, root, rules);
    planDeviceLinks(plan, root, rules);
    // On top of the old root: there it can be entered, and needs no directory of its own.
    planAttach(plan, base, { fd: linux.AT_FDCWD, path: "/" });
    planAttach(plan, root, { fd: base, path: "root" });
    return { base, root };
  });
  rules.forEach(({ rule }, i) => {
    if (deferred?.[i]) return;
    plan.because(ruleName(rule), () => {
      planMount(plan, root, { inside: rule.inside, mount: mounts[i] ?? planNewMount(plan, rule) });
    });
  });
  plan.because("the root of the box", () => planEnter(plan, base, root));
}

/** Adds the steps of an init that a stage has cloned: what that has left to it, in the root where it is. */
export function planDeferred(
  plan: Plan,
  rules: readonly PlacedRule[],
  { mounts, deferred }: {
    mounts: readonly (number | undefined)[];
    deferred: readonly boolean[];
  },
): void {
  rules.forEach(({ rule }, i) => {
    if (!deferred[i]) return;
    plan.because(ruleName(rule), () => {
      const mount = mounts[i] ?? planNewMount(plan, rule);
      planMount(plan, linux.AT_FDCWD, { inside: rule.inside, mount });
    });
  });
}

/**
 * Adds steps that make all mounts of a new namespace private, so that no later one reaches the host,
 * and gives the new file system that is to be its root.
 */
export function planPrivateMounts(plan: Plan, planNewRoot: () => Slot): Slot {
  const all = { fd: linux.AT_FDCWD, path: "/", attr: 0 };
  const isPrivate = plan.slot("all mounts are private");
  planRestrictions(plan, all, { into: isPrivate, ignore: ERRNO.EINVAL });
  const root = planNewRoot();
  const isChroot = [isPrivate, -ERRNO.EINVAL] as const;
  planLeaveChroot(plan, root, isChroot);
  planRestrictions(plan, all, { when: isChroot });
  return root;
}

/** More levels than a chroot lies deep; at the topmost one the rest stays there. */
const TO_THE_TOP = "../".repeat(256);

/**
 * Leaves a chroot for the root of all mounts. Where / is no mount, the kernel makes nothing private
 * there and pivot_root cannot leave it. All that the box has of the chroot is open already. The way
 * out: ".." ends only at the process's root, which is put aside first, to an empty file system.
 */
function planLeaveChroot(plan: Plan, empty: Slot, when: readonly [Slot, number]): void {
  const chroot = plan.slot("the caller's root");
  const options = { when, what: "leave the caller's chroot" };
  const flags = linux.O_PATH | linux.O_CLOEXEC;
  plan.step("openat", [linux.AT_FDCWD, plan.string("/"), flags, 0], { ...options, into: chroot });
  plan.step("fchdir", [empty], options);
  plan.step("chroot", [plan.string(".")], options);
  plan.step("fchdir", [chroot], options);
  plan.step("close", [chroot], options);
  plan.step("chdir", [plan.string(TO_THE_TOP)], options);
  plan.step("chroot", [plan.string(".")], options);
}

/**
 * Enters the root of the box, which lies one level below the root of the mount namespace. So the
 * kernel takes every process of the box for one in a chroot, and lets none of them make a user
 * namespace (user_namespaces(7): EPERM in a chroot environment), the entrance to most of the
 * kernel's attack surface. A process that got out would be in an empty directory.
 */
function planEnter(plan: Plan, base: Slot, root: Slot): void {
  const readOnly = plan.struct([BigInt(linux.MOUNT_ATTR_RDONLY), 0n, 0n, 0n]);
  for (const mount of [base, root]) {
    plan.step("mount_setattr", [mount, plan.string(""), linux.AT_EMPTY_PATH, readOnly, 32]);
  }
  plan.step("fchdir", [base]);
  // The new root and the place of the old one may be the same: the old one lands on top of the new
  // one, and is unmounted there. See pivot_root(2), "pivot_root(".", ".")".
  plan.step("pivot_root", [plan.string("."), plan.string(".")], {
    what: "enter the root of the box (pivot_root does not work from an initramfs)",
  });
  plan.step("umount2", [plan.string("."), linux.MNT_DETACH], { what: "drop the old root" });
  plan.step("fchdir", [root]);
  plan.step("chroot", [plan.string(".")]);
}

/** Empty files take memory too, though the size of a tmpfs does not count them. */
const KIB_PER_INODE = 4;
const INODES_MIN = 1024;

/** Says how much fits into a new tmpfs; see tmpfs(5). */
export function sizeStrings(
  { sizeKib, inodes }: { sizeKib: number; inodes?: number | undefined },
): [string, string][] {
  const inodesMax = inodes ?? Math.max(INODES_MIN, Math.ceil(sizeKib / KIB_PER_INODE));
  return [["size", `${sizeKib}k`], ["nr_inodes", `${inodesMax}`]];
}

/** Adds steps that make a new file system; see fsopen(2). */
export function planFilesystem(
  plan: Plan,
  type: string,
  options: { strings: readonly (readonly [string, string])[]; attr: number },
): Slot {
  const context = plan.slot(`${type} context`);
  const mount = plan.slot(`${type} mount`);
  const what = `mount a new ${type}`;
  plan.step("fsopen", [plan.string(type), linux.FSOPEN_CLOEXEC], { into: context, what });
  for (const [key, value] of options.strings) {
    const args = [context, linux.FSCONFIG_SET_STRING, plan.string(key), plan.string(value), 0];
    plan.step("fsconfig", args, { what: `${what} with ${key}=${value}` });
  }
  plan.step("fsconfig", [context, linux.FSCONFIG_CMD_CREATE, 0, 0, 0], { what });
  plan.step("fsmount", [context, linux.FSMOUNT_CLOEXEC, options.attr], { into: mount, what });
  plan.step("close", [context]);
  return mount;
}

export function planAttach(
  plan: Plan,
  mount: Slot | number,
  at: { fd: Slot | number; path: string },
): void {
  const toFd = at.path === "" ? linux.MOVE_MOUNT_T_EMPTY_PATH : 0;
  const flags = linux.MOVE_MOUNT_F_EMPTY_PATH | toFd;
  plan.step("move_mount", [mount, plan.string(""), at.fd, plan.string(at.path), flags], {
    what: "attach the mount",
  });
}

/** Makes all mount points in the root before anything is mounted. */
function planMountPoints(plan: Plan, root: Slot, rules: readonly PlacedRule[]): void {
  const made = new Set<string>();
  for (const { rule, source } of rules) {
    const parts = rule.inside.split("/");
    parts.forEach((_, i) => {
      const path = parts.slice(0, i + 1).join("/");
      if (made.has(path)) return;
      made.add(path);
      const isFile = i === parts.length - 1 && source?.isDirectory === false;
      const name = plan.string(path);
      const options = { what: `make the mount point /${path}` };
      if (isFile) plan.step("mknodat", [root, name, linux.S_IFREG | 0o444, 0], options);
      else plan.step("mkdirat", [root, name, 0o755], options);
    });
  }
}

function planMount(
  plan: Plan,
  root: Slot | number,
  { inside, mount }: { inside: string; mount: number | Slot },
): void {
  const point = plan.slot(`mount point ${inside}`);
  planOpen(plan, root, inside, {
    flags: linux.O_PATH,
    resolve: MOUNTED,
    into: point,
    what: `find the mount point /${inside} (inside a directory bound by another rule it must ` +
      "exist already, and not be a symbolic link)",
  });
  planAttach(plan, mount, { fd: point, path: "" });
  plan.step("close", [point]);
  plan.step("close", [mount]);
}

function planNewMount(plan: Plan, rule: DirectoryRule): Slot {
  if (rule.kind !== "filesystem") {
    throw new SandboxError("internal", `${ruleName(rule)} has no source`);
  }
  const strings: [string, string][] = [];
  // Other users' processes are none of the program's business; in its own namespace only init is.
  if (rule.filesystem === "proc" && rule.inside === "proc") strings.push(["hidepid", "2"]);
  if (rule.sizeKib !== undefined) strings.push(...sizeStrings({ sizeKib: rule.sizeKib }));
  if (rule.filesystem === "devpts") strings.push(["ptmxmode", "0666"], ["mode", "0620"]);
  return planFilesystem(plan, rule.filesystem, { strings, attr: attributes(rule) });
}
