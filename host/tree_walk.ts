/**
 * Walks a directory tree in which everything is hostile: names, kinds of files, depth, number. The walk
 * goes by descriptors, one level at a time, follows no link, leaves no mount, and keeps few descriptors
 * however deep it gets.
 */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot, type StepOptions } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";
import type { Steps } from "../text/slices.ts";
import { visibleText } from "../text/visible.ts";
import { SandboxError } from "./errors.ts";
import { DirectoryPieces, type Entry } from "./list.ts";
import { planOpen, STRICT } from "./open.ts";
import type { DirectoryBelow, OwnedDirectory } from "./ownership.ts";
import { planStatus, readStatus } from "./status.ts";

/** Levels that stay open; a directory further up is found again from the one below. */
const OPEN_LEVELS_MAX = 64;
const BATCH = 128;
/** So few files, or a directory that has had so few, take no time worth mentioning. */
export const FEW = 16;

interface Level {
  /** Open descriptor, or -1. */
  fd: number;
  readonly identity: string;
  readonly owned: OwnedDirectory | undefined;
  readonly name: Uint8Array;
  /** What is in it; undefined: nobody has looked yet. */
  content?: LevelContent;
}

interface LevelContent {
  /** Directories that have not been visited yet; there may be a million. */
  readonly pending: Uint8Array[];
  /** How much there was. */
  readonly entryCount: number;
}

/** A directory that is about to be visited; `above` is undefined where that is the first one. */
export interface Candidate extends DirectoryBelow {
  readonly name: Uint8Array;
  /** Where it is below the first one, for people. */
  readonly path: () => string;
}

/** What is done at each directory. */
export interface Visitor {
  /** Handles a directory that is not to be visited; false: it is. */
  passBy?(parentFd: number, candidate: Candidate): Steps<boolean>;
  /** Handles a directory below the first one before its entries. */
  open?(fd: number, identity: string): Steps<void>;
  /** Handles some of a directory's entries, and gives the names of the directories to visit. */
  enter(fd: number, entries: readonly Entry[]): Steps<Uint8Array[]>;
  /** Handles a directory in the one above it, after everything in it was visited. */
  leave?(parentFd: number, name: Uint8Array, entryCount: number): Steps<unknown>;
}

/** Walks the tree below an open directory, which stays open. */
export function* walk(system: System, rootFd: number, visitor: Visitor): Steps<void> {
  const root: Level = { fd: rootFd, identity: "", owned: undefined, name: new Uint8Array() };
  const levels: Level[] = [root];
  try {
    for (;;) {
      const level = levels.at(-1)!;
      const { pending, entryCount } = level.content ??= yield* look(system, level, visitor);
      const name = pending.pop();
      if (name !== undefined) {
        const child = openDirectory(system, level.fd, name);
        if (!child) continue;
        const { fd, identity, ...owned } = child;
        levels.push({ fd, identity, owned, name });
        const [above, depth] = [level.owned, levels.length - 1];
        const candidate = { ...owned, name, above, depth, path: () => pathOf(levels) };
        if (visitor.passBy && (yield* visitor.passBy(level.fd, candidate))) {
          levels.pop();
          system.close(fd);
          continue;
        }
        closeFarLevel(system, levels);
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
      if (visitor.leave) yield* visitor.leave(parent.fd, level.name, entryCount);
      else yield;
    }
  } finally {
    system.close(...levels.slice(1).map((level) => level.fd));
  }
}

function* look(system: System, { fd, identity }: Level, visitor: Visitor): Steps<LevelContent> {
  if (visitor.open && identity !== "") yield* visitor.open(fd, identity);
  const pending: Uint8Array[] = [];
  let entryCount = 0;
  const pieces = new DirectoryPieces(system, fd);
  for (let piece; (piece = yield* pieces.next());) {
    entryCount += piece.length;
    for (let at = 0; at < piece.length; at += BATCH) {
      pending.push(...yield* visitor.enter(fd, piece.slice(at, at + BATCH)));
    }
  }
  return { pending, entryCount };
}

function closeFarLevel(system: System, levels: Level[]): void {
  const far = levels[levels.length - OPEN_LEVELS_MAX];
  if (far === undefined || far === levels[0] || far.fd < 0) return;
  system.close(far.fd);
  far.fd = -1;
}

function pathOf(levels: readonly Level[]): string {
  return levels.slice(1).map(({ name }) => shownName(name)).join("/");
}

function shownName(name: Uint8Array): string {
  return visibleText(decodeOsString(name.slice(0, name.indexOf(0))));
}

/** Plans to open something without leaving a trace; who may not do that (CAP_FOWNER) leaves one. */
export function planQuietly(
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
): OwnedDirectory & { fd: number; identity: string } | undefined {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const how = { flags: linux.O_DIRECTORY | linux.O_NOFOLLOW, resolve: STRICT, into: fd };
  planQuietly(fd, (noAtime, options) => {
    planOpen(plan, parent, name, { ...how, ...options, flags: how.flags | noAtime });
  });
  const status = planStatus(plan, fd);
  if (system.attempt(plan, "open a directory")) return undefined;
  const { identity, uid, mode } = readStatus(plan.view(status));
  return { fd: plan.result(fd), identity, uid, mode };
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

/** Says of which file of a box a failure is; attributes that only root can set are a likely reason. */
export function about(
  { step, errno }: SystemError,
  name: Uint8Array,
  what: (file: string) => string,
): SystemError {
  const file = `${shownName(name)} in the box`;
  const hint = errno === ERRNO.EPERM
    ? " (is it immutable or append-only? see lsattr and chattr)"
    : "";
  return new SystemError(step && { ...step, options: { what: what(file) + hint } }, errno);
}
