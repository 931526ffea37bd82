/**
 * Gives directory trees to another user, and removes them. Everything in them is hostile: names, kinds
 * of files, depth, number. The walk goes by descriptors, one level at a time, follows no link, leaves no
 * mount, and keeps few descriptors however deep it gets.
 */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot, type StepOptions } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import { atOnce } from "../text/slices.ts";
import { SandboxError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { type Entry, readDirectory } from "./list.ts";
import { planHow, planOpen, STRICT } from "./open.ts";
import { type FileStatus, planStatus, readStatus } from "./status.ts";

/** Levels that stay open; a directory further up is found again from the one below. */
const OPEN_LEVELS_MAX = 64;
const BATCH = 128;
const REMOVE_TRIES = 3;

interface Level {
  /** Open descriptor, or -1. */
  fd: number;
  readonly identity: string;
  readonly name: Uint8Array;
  /** Directories in it that have not been visited yet; there may be a million. */
  pending: Uint8Array[];
}

interface Visitor {
  /** Handles a directory's entries, and gives the names of the directories to visit. */
  enter(fd: number): Generator<void, Uint8Array[]>;
  /** Handles a directory in the one above it, after everything in it was visited. */
  leave?(parentFd: number, name: Uint8Array): void;
}

/** Walks the tree below an open directory, which stays open. */
function* walk(system: System, rootFd: number, visitor: Visitor): Generator<void, void> {
  const root: Level = {
    fd: rootFd,
    identity: "",
    name: new Uint8Array(),
    pending: yield* visitor.enter(rootFd),
  };
  const levels: Level[] = [root];
  try {
    for (;;) {
      const level = levels.at(-1)!;
      const name = level.pending.pop();
      if (name !== undefined) {
        const child = openDirectory(system, level.fd, name);
        if (!child) continue;
        levels.push({ ...child, name, pending: [] });
        closeFarLevel(system, levels);
        levels.at(-1)!.pending = yield* visitor.enter(child.fd);
        continue;
      }
      if (levels.length === 1) return;
      const parent = levels.at(-2)!;
      if (parent.fd < 0) parent.fd = openParent(system, level.fd, parent.identity) ?? -1;
      if (parent.fd < 0) {
        throw new SandboxError(
          "hostile-path",
          "A directory of the box was moved while the sandbox worked on it; try again",
        );
      }
      levels.pop();
      system.close(level.fd);
      visitor.leave?.(parent.fd, level.name);
    }
  } finally {
    system.close(...levels.slice(1).map((level) => level.fd));
  }
}

function closeFarLevel(system: System, levels: Level[]): void {
  const far = levels[levels.length - OPEN_LEVELS_MAX];
  if (far === undefined || far === levels[0] || far.fd < 0) return;
  system.close(far.fd);
  far.fd = -1;
}

/** Plans to open something without leaving a trace; who may not do that (CAP_FOWNER) leaves one. */
function planQuietly(
  into: Slot,
  open: (noAtime: number, options: Pick<StepOptions, "ignore" | "when">) => void,
): void {
  open(linux.O_NOATIME, { ignore: ERRNO.EPERM });
  open(0, { when: [into, -ERRNO.EPERM] });
}

/** Opens a directory below another: the one of that name, on the same mount, or nothing. */
export function openDirectory(
  system: System,
  parent: number,
  name: Uint8Array,
): { fd: number; identity: string } | undefined {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const how = { flags: linux.O_DIRECTORY | linux.O_NOFOLLOW, resolve: STRICT, into: fd };
  planQuietly(fd, (noAtime, options) => {
    planOpen(plan, parent, name, { ...how, ...options, flags: how.flags | noAtime });
  });
  const status = planStatus(plan, fd);
  if (system.attempt(plan, "open a directory")) return undefined;
  return { fd: plan.result(fd), identity: readStatus(plan.view(status)).identity };
}

/** Opens the directory above another, if it still is the one it was. */
export function openParent(system: System, child: number, identity: string): number | undefined {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const flags = linux.O_DIRECTORY | linux.O_NOFOLLOW | linux.O_CLOEXEC;
  planQuietly(fd, (noAtime, options) => {
    plan.step("openat", [child, plan.string(".."), flags | noAtime, 0], { ...options, into: fd });
  });
  const status = planStatus(plan, fd);
  if (system.attempt(plan, "open the directory above")) return undefined;
  if (readStatus(plan.view(status)).identity === identity) return plan.result(fd);
  system.close(plan.result(fd));
  return undefined;
}

/** To whom a tree is given, and what is removed from it. */
export interface GiveOptions {
  readonly to: Identity;
  /** Whose files are given; if root is among them, also those of others that lie nowhere else. */
  readonly from: readonly number[];
  /** Keep symbolic links, FIFOs, sockets and devices instead of removing them. */
  readonly keepSpecialFiles: boolean;
  /** The mode that the directory itself gets; default: the one it has. */
  readonly mode?: number;
  /** Take its access lists away: it had none. */
  readonly withoutAccessLists?: boolean;
  /** Give the directory itself last, so that until then it shows that not all is given. */
  readonly itselfLast?: boolean;
}

const ACCESS_LISTS = ["system.posix_acl_access", "system.posix_acl_default"];
/** More names than these fit are taken for access lists. */
const NAMES_BYTES = 1024;

/** How a directory was before it was given. */
export interface GivenFrom {
  readonly mode: number;
  /** Whether it had access lists; see acl(5). */
  readonly accessLists: boolean;
}

/**
 * Gives a directory and everything below it to a user; returns how it was itself.
 *
 * What neither of the two parties owns is left alone: a caller could have linked a file of the host into
 * the box, or moved it there with a folder, to get it as a present. Where the caller is root only files
 * with more than one hard link are.
 */
export function giveTree(system: System, fd: number, options: GiveOptions): GivenFrom {
  return atOnce(giveTreeSteps(system, fd, options));
}

/** The same, with pauses in which others can have a turn. */
export function* giveTreeSteps(
  system: System,
  fd: number,
  options: GiveOptions,
): Generator<void, GivenFrom> {
  const { itselfLast = false } = options;
  const { uid, gid } = options.to;
  const begin = options.mode === undefined ? GIVE_BEGIN : GIVE_BEGIN_WITH_MODE;
  const given = itselfLast ? begin.later : begin.now;
  const without = options.withoutAccessLists ? 1 : 0;
  const { plan, parts } = given.run(system, fd, uid, gid, options.mode ?? 0, without);
  const listing = plan.result(parts.listing);
  const { mode } = readStatus(plan.view(parts.status));
  const accessLists = hasAccessLists(plan.result(parts.length), plan.content(parts.names));
  try {
    const enter = (directory: number) => giveEntries(system, directory, options);
    yield* walk(system, listing, { enter });
  } finally {
    (itselfLast ? GIVE_END.now : GIVE_END.later).run(system, listing, fd, uid, gid);
  }
  return { mode, accessLists };
}

function hasAccessLists(length: number, names: Uint8Array): boolean {
  if (length <= 0) return length === -ERRNO.ERANGE;
  const found = new TextDecoder().decode(names.subarray(0, length)).split("\0");
  return ACCESS_LISTS.some((name) => found.includes(name));
}

const planGive = (plan: Plan, fd: number | Slot, [uid, gid]: [number | Slot, number | Slot]) =>
  plan.step("fchownat", [fd, plan.string(""), uid, gid, linux.AT_EMPTY_PATH], {
    what: "give box/ to another user",
  });

const giveBegin = (options: { withMode: boolean; gives: boolean }) =>
  new Routine(
    "give the box's directory",
    ["box/", "uid", "gid", "mode", "without access lists"],
    (plan, fd, uid, gid, mode, without) => {
      const status = planStatus(plan, fd);
      const [names, length] = [plan.alloc(NAMES_BYTES), plan.slot("length of the names")];
      plan.step("flistxattr", [fd, names, NAMES_BYTES], { into: length, ignore: "all" });
      for (const name of ACCESS_LISTS) {
        // In a trace it is known.
        if (without === 0) continue;
        const when = typeof without === "number" ? {} : { when: [without, 1] as const };
        plan.step("fremovexattr", [fd, plan.string(name)], { ...when, ignore: "all" });
      }
      // The program may have opened it to everybody, with all that the caller finds and leaves there.
      if (options.withMode) {
        plan.step("fchmod", [fd, mode], { what: "change the mode of box/" });
      }
      if (options.gives) planGive(plan, fd, [uid, gid]);
      // A description of its own, which is read from the beginning.
      const listing = plan.slot("listing");
      const flags = linux.O_DIRECTORY | linux.O_CLOEXEC;
      planQuietly(listing, (noAtime, options) => {
        const how = { ...options, into: listing, what: "list box/" };
        plan.step("openat", [fd, plan.string("."), flags | noAtime, 0], how);
      });
      return { status, listing, names, length };
    },
  );

const giveEnd = ({ gives }: { gives: boolean }) =>
  new Routine(
    "end giving the box's files",
    ["listing", "box/", "uid", "gid"],
    (plan, listing, fd, uid, gid) => {
      plan.step("close", [listing], { ignore: "all" });
      if (gives) planGive(plan, fd, [uid, gid]);
    },
  );

/** The directory itself is given now, or at another time. */
const [GIVE_BEGIN, GIVE_BEGIN_WITH_MODE] = [false, true].map((withMode) => ({
  now: giveBegin({ withMode, gives: true }),
  later: giveBegin({ withMode, gives: false }),
})) as [GiveBegin, GiveBegin];
const GIVE_END = { now: giveEnd({ gives: true }), later: giveEnd({ gives: false }) };

type GiveBegin = Record<"now" | "later", ReturnType<typeof giveBegin>>;

function* giveEntries(
  system: System,
  directory: number,
  options: GiveOptions,
): Generator<void, Uint8Array[]> {
  const directories: Uint8Array[] = [];
  for (const entries of readDirectory(system, directory)) {
    for (let at = 0; at < entries.length; at += BATCH) {
      const batch = entries.slice(at, at + BATCH);
      directories.push(...giveBatch(system, directory, { entries: batch, options }));
      yield;
    }
  }
  return directories;
}

function giveBatch(system: System, directory: number, { entries, options }: {
  entries: readonly Entry[];
  options: GiveOptions;
}): Uint8Array[] {
  // What is looked at and what is given must be the same file, so both go by one descriptor.
  const plan = new Plan();
  const how = planHow(plan, { flags: linux.O_PATH | linux.O_NOFOLLOW, resolve: STRICT });
  const opened = entries.map(({ name }) => {
    const slot = plan.slot("");
    // Fails for what has vanished, and for what is a mount of its own.
    const args = [directory, plan.bytes(name), how, 24];
    plan.step("openat2", args, { into: slot, ignore: "all" });
    return { name, slot, status: planStatus(plan, slot, { ignore: "all" }) };
  });
  system.run(plan, "look at files of the box");
  const work = new Plan();
  const nothing = work.string("");
  const { uid, gid } = options.to;
  const directories: Uint8Array[] = [];
  const fds: number[] = [];
  for (const { name, slot, status } of opened) {
    const fd = plan.result(slot);
    if (fd < 0) continue;
    fds.push(fd);
    const file = readStatus(plan.view(status));
    const isTheirs = belongsTo(options.from, file);
    const isSpecial = file.kind !== "file" && file.kind !== "directory";
    if (file.kind === "directory" && isTheirs) directories.push(name);
    if (isSpecial && !options.keepSpecialFiles) {
      work.step("unlinkat", [directory, work.bytes(name), 0], { ignore: ERRNO.ENOENT });
    } else if (isTheirs && (file.uid !== uid || file.gid !== gid)) {
      work.step("fchownat", [fd, nothing, uid, gid, linux.AT_EMPTY_PATH], {
        what: `give a file of the box to user ${uid}`,
      });
    }
  }
  for (const fd of fds) work.step("close", [fd], { always: true });
  system.run(work, "give files of the box");
  return directories;
}

/** Whether something in a box belongs to its users. */
export function belongsTo(owners: readonly number[], file: FileStatus): boolean {
  if (owners.includes(file.uid)) return true;
  return owners.includes(0) && (file.kind === "directory" || file.links === 1);
}

/** Removes a directory and everything below it. */
export function removeTree(system: System, parentFd: number, name: string): void {
  atOnce(removeTreeSteps(system, parentFd, name));
}

/** The same, with pauses in which others can have a turn. */
export function* removeTreeSteps(
  system: System,
  parentFd: number,
  name: string,
): Generator<void, void> {
  const bytes = new TextEncoder().encode(name + "\0");
  for (let tries = 1;; tries++) {
    const root = openDirectory(system, parentFd, bytes);
    if (root) {
      try {
        yield* emptyTreeSteps(system, root.fd);
      } finally {
        system.close(root.fd);
      }
    }
    const failure = removeDirectory(system, parentFd, bytes);
    if (!failure) return;
    // Somebody made a file meanwhile, or the system does not list everything while entries go.
    if (failure.errno !== ERRNO.ENOTEMPTY || tries === REMOVE_TRIES) throw failure;
  }
}

/** Removes everything below an open directory, from where it is read on, with such pauses. */
export function* emptyTreeSteps(system: System, fd: number): Generator<void, void> {
  yield* walk(system, fd, {
    enter: (directory) => removeEntries(system, directory),
    leave: (directory, child) => removeDirectory(system, directory, child),
  });
}

function removeDirectory(system: System, parentFd: number, name: Uint8Array) {
  const plan = new Plan();
  plan.step("unlinkat", [parentFd, plan.bytes(name), linux.AT_REMOVEDIR], {
    ignore: ERRNO.ENOENT,
    what: "remove a directory of the box",
  });
  return system.attempt(plan, "remove a directory");
}

function* removeEntries(system: System, directory: number): Generator<void, Uint8Array[]> {
  const directories: Uint8Array[] = [];
  for (const entries of readDirectory(system, directory)) {
    const plan = new Plan();
    const unsure: { name: Uint8Array; slot: ReturnType<Plan["slot"]> }[] = [];
    for (const { name, isDirectory } of entries) {
      if (isDirectory) {
        directories.push(name);
        continue;
      }
      const slot = plan.slot("");
      plan.step("unlinkat", [directory, plan.bytes(name), 0], { into: slot, ignore: "all" });
      unsure.push({ name, slot });
    }
    if (plan.steps.length > 0) system.run(plan, "remove files of the box");
    for (const { name, slot } of unsure) {
      if (plan.result(slot) === -ERRNO.EISDIR) directories.push(name);
    }
    yield;
  }
  return directories;
}
