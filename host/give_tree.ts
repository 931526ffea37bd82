/** Gives directory trees to another user; see `tree_walk.ts`. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import type { Steps } from "../text/slices.ts";
import type { Identity } from "./identity.ts";
import type { Entry } from "./list.ts";
import { planHow, STRICT } from "./open.ts";
import { type FileStatus, planStatus, readStatus } from "./status.ts";
import { about, FEW, planQuietly, walk } from "./tree_walk.ts";

/** To whom a tree is given, and what is removed from it. */
export interface GiveOptions {
  readonly to: Identity;
  /** Whose files are given; if root is among them, also those of others that lie nowhere else. */
  readonly from: readonly number[];
  /** Keep symbolic links, FIFOs, sockets and devices instead of removing them. */
  readonly keepSpecialFiles: boolean;
  /** The mode that the directory itself gets; default: the one it has. */
  readonly mode?: number;
  /** Take the access lists of all directories away that had none before; default: they stay. */
  readonly accessListsBefore?: AccessLists;
  /** Give the directory itself last, so that until then it shows that not all is given. */
  readonly itselfLast?: boolean;
}

const ACCESS_LISTS = ["system.posix_acl_access", "system.posix_acl_default"];
/** More names than these fit are taken for access lists. */
const NAMES_BYTES = 1024;

/** How a directory was before it was given. */
export interface GivenFrom {
  readonly mode: number;
  readonly accessLists: AccessLists;
}

/** Which directories had access lists; see acl(5). What is made in one with a default list inherits it. */
export interface AccessLists {
  readonly onItself: boolean;
  /** The identities of those below it. */
  readonly below: ReadonlySet<string>;
}

/**
 * Gives a directory and everything below it to a user; returns how it was itself.
 *
 * What neither of the two parties owns is left alone: a caller could have linked a file of the host into
 * the box, or moved it there with a folder, to get it as a present. Where the caller is root only files
 * with more than one hard link are. It pauses, so that others can have a turn.
 */
export function* giveTreeSteps(
  system: System,
  fd: number,
  options: GiveOptions,
): Steps<GivenFrom> {
  const { itselfLast = false } = options;
  const { uid, gid } = options.to;
  const begin = options.mode === undefined ? GIVE_BEGIN : GIVE_BEGIN_WITH_MODE;
  const given = itselfLast ? begin.later : begin.now;
  const without = options.accessListsBefore && !options.accessListsBefore.onItself ? 1 : 0;
  const { plan, parts } = given.run(system, fd, uid, gid, options.mode ?? 0, without);
  const listing = plan.result(parts.listing);
  const { mode } = readStatus(plan.view(parts.status));
  const onItself = hasAccessLists(plan.result(parts.length), plan.content(parts.names));
  const below = new Set<string>();
  try {
    yield* walk(system, listing, {
      open: (directory, identity) =>
        noteAccessLists(system, directory, { identity, below, options }),
      enter: (directory, entries) => giveEntries(system, directory, { entries, options }),
    });
  } finally {
    (itselfLast ? GIVE_END.now : GIVE_END.later).run(system, listing, fd, uid, gid);
  }
  return { mode, accessLists: { onItself, below } };
}

/** Notes a directory that has access lists, or takes those away that it did not have before. */
function* noteAccessLists(system: System, directory: number, { identity, below, options }: {
  identity: string;
  below: Set<string>;
  options: GiveOptions;
}): Steps<void> {
  const plan = new Plan();
  const [names, length] = [plan.alloc(NAMES_BYTES), plan.slot("length of the names")];
  plan.step("flistxattr", [directory, names, NAMES_BYTES], { into: length, ignore: "all" });
  yield* system.runInTurn(plan, "look for access lists", { isSmall: true });
  if (!hasAccessLists(plan.result(length), plan.content(names))) return;
  const { accessListsBefore } = options;
  if (!accessListsBefore || accessListsBefore.below.has(identity)) {
    below.add(identity);
    return;
  }
  const removing = new Plan();
  for (const name of ACCESS_LISTS) {
    removing.step("fremovexattr", [directory, removing.string(name)], { ignore: "all" });
  }
  yield* system.runInTurn(removing, "take access lists away", { isSmall: true });
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

function* giveEntries(system: System, directory: number, { entries, options }: {
  entries: readonly Entry[];
  options: GiveOptions;
}): Steps<Uint8Array[]> {
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
  const isSmall = entries.length <= FEW;
  yield* system.runInTurn(plan, "look at files of the box", { isSmall });
  const work = new Plan();
  const nothing = work.string("");
  const { uid, gid } = options.to;
  const directories: Uint8Array[] = [];
  const fds: number[] = [];
  const named = new Map<number, Uint8Array>();
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
      named.set(work.steps.length, name);
      work.step("fchownat", [fd, nothing, uid, gid, linux.AT_EMPTY_PATH]);
    }
  }
  for (const fd of fds) work.step("close", [fd], { always: true });
  const failure = yield* system.attemptInTurn(work, "give files of the box", { isSmall });
  const name = failure?.step && named.get(work.steps.indexOf(failure.step));
  if (failure && name) throw about(failure, name, (file) => `give ${file} to user ${uid}`);
  if (failure) throw failure;
  return directories;
}

/** Whether something in a box belongs to its users. */
export function belongsTo(owners: readonly number[], file: FileStatus): boolean {
  if (owners.includes(file.uid)) return true;
  return owners.includes(0) && (file.kind === "directory" || file.links === 1);
}
