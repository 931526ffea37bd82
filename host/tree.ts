/** Removes directory trees; see `tree_walk.ts`. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { atOnce, type Steps } from "../text/slices.ts";
import { SandboxError } from "./errors.ts";
import type { Entry } from "./list.ts";
import { isEmptied, type OwnedDirectory, type Ownership } from "./ownership.ts";
import { about, type Candidate, FEW, openDirectory, walk } from "./tree_walk.ts";

const REMOVE_TRIES = 3;

/** Removes a directory and everything below it. */
export function removeTree(system: System, parentFd: number, name: string): void {
  atOnce(removeTreeSteps(system, parentFd, { name }));
}

/** The same, with pauses in which others can have a turn; directories of others may stay. */
export function* removeTreeSteps(
  system: System,
  parentFd: number,
  { name, ownership }: { name: string; ownership?: Ownership },
): Steps<void> {
  const bytes = new TextEncoder().encode(name + "\0");
  for (let tries = 1;; tries++) {
    const root = openDirectory(system, parentFd, bytes);
    const refused: Error[] = [];
    if (root) {
      try {
        yield* emptyTreeSteps(system, root.fd, { refused, ownership, itself: root });
      } finally {
        system.close(root.fd);
      }
    }
    const failure = yield* removeDirectory(system, parentFd, { name: bytes, isSmall: !root });
    if (!failure) return;
    // Somebody made a file meanwhile, or the system does not list everything while entries go.
    if (failure.errno !== ERRNO.ENOTEMPTY || tries === REMOVE_TRIES) throw refused[0] ?? failure;
  }
}

/** What {@linkcode emptyTreeSteps} leaves. */
export interface EmptyOptions {
  /** Whose directories are emptied; default: everybody's. */
  readonly ownership?: Ownership | undefined;
  /** Whose the directory itself is. */
  readonly itself?: OwnedDirectory;
  /** Gets the reason why something stays; only the first one. */
  readonly refused?: Error[];
}

/** Removes everything below an open directory, from where it is read on, with such pauses. */
export function* emptyTreeSteps(
  system: System,
  fd: number,
  { ownership, itself, refused = [] }: EmptyOptions = {},
): Steps<void> {
  yield* walk(system, fd, {
    ...ownership && {
      passBy: (directory, candidate) =>
        passBy(system, directory, { candidate, ownership, itself, refused }),
    },
    enter: (directory, entries) => removeEntries(system, directory, { entries, refused }),
    leave: (directory, child, entryCount) =>
      removeDirectory(system, directory, { name: child, isSmall: entryCount <= FEW }),
  });
}

/** Leaves a directory that somebody else has put something into; an empty one is removed. */
function* passBy(system: System, parentFd: number, { candidate, ownership, itself, refused }: {
  candidate: Candidate;
  ownership: Ownership;
  itself: OwnedDirectory | undefined;
  refused: Error[];
}): Steps<boolean> {
  const { uid, mode, above = itself, depth, name, path } = candidate;
  if (isEmptied(ownership, { uid, mode, above, depth })) return false;
  const failure = yield* removeDirectory(system, parentFd, { name, isSmall: true });
  if (failure && refused.length === 0) {
    refused.push(
      new SandboxError(
        "hostile-path",
        `Cannot empty ${ownership.path}/${path()}: it belongs to user ${uid}, but the box to user ` +
          `${ownership.owner}; move it elsewhere, or remove it as root`,
      ),
    );
  }
  return true;
}

function removeDirectory(
  system: System,
  parentFd: number,
  { name, isSmall }: { name: Uint8Array; isSmall: boolean },
): Steps<SystemError | undefined> {
  const plan = new Plan();
  plan.step("unlinkat", [parentFd, plan.bytes(name), linux.AT_REMOVEDIR], {
    ignore: ERRNO.ENOENT,
    what: "remove a directory of the box",
  });
  return system.attemptInTurn(plan, "remove a directory", { isSmall });
}

function* removeEntries(system: System, directory: number, { entries, refused }: {
  entries: readonly Entry[];
  refused: Error[];
}): Steps<Uint8Array[]> {
  const directories: Uint8Array[] = [];
  const plan = new Plan();
  const unsure: { name: Uint8Array; slot: Slot }[] = [];
  for (const { name, isDirectory } of entries) {
    if (isDirectory) {
      directories.push(name);
      continue;
    }
    const slot = plan.slot("");
    plan.step("unlinkat", [directory, plan.bytes(name), 0], { into: slot, ignore: "all" });
    unsure.push({ name, slot });
  }
  const isSmall = unsure.length <= FEW;
  if (unsure.length > 0) yield* system.runInTurn(plan, "remove files of the box", { isSmall });
  for (const { name, slot } of unsure) {
    const result = plan.result(slot);
    if (result === -ERRNO.EISDIR) directories.push(name);
    else if (result < 0 && result !== -ERRNO.ENOENT && refused.length === 0) {
      const step = plan.steps.find(({ options }) => options.into === slot);
      refused.push(about(new SystemError(step, -result), name, (file) => `remove ${file}`));
    }
  }
  return directories;
}
