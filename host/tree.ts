/** Removes directory trees; see `tree_walk.ts`. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { atOnce, type Steps } from "../text/slices.ts";
import type { Entry } from "./list.ts";
import { about, FEW, openDirectory, walk } from "./tree_walk.ts";

const REMOVE_TRIES = 3;

/** Removes a directory and everything below it. */
export function removeTree(system: System, parentFd: number, name: string): void {
  atOnce(removeTreeSteps(system, parentFd, name));
}

/** The same, with pauses in which others can have a turn. */
export function* removeTreeSteps(system: System, parentFd: number, name: string): Steps<void> {
  const bytes = new TextEncoder().encode(name + "\0");
  for (let tries = 1;; tries++) {
    const root = openDirectory(system, parentFd, bytes);
    const refused: SystemError[] = [];
    if (root) {
      try {
        yield* emptyTreeSteps(system, root.fd, refused);
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

/**
 * Removes everything below an open directory, from where it is read on, with such pauses. The first file
 * that stays is put into `refused`, with the reason.
 */
export function* emptyTreeSteps(
  system: System,
  fd: number,
  refused: SystemError[] = [],
): Steps<void> {
  yield* walk(system, fd, {
    enter: (directory, entries) => removeEntries(system, directory, { entries, refused }),
    leave: (directory, child, entryCount) =>
      removeDirectory(system, directory, { name: child, isSmall: entryCount <= FEW }),
  });
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
  refused: SystemError[];
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
