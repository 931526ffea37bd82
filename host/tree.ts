/** Removes directory trees; see `tree_walk.ts`. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { atOnce } from "../text/slices.ts";
import { readDirectory } from "./list.ts";
import { about, openDirectory, walk } from "./tree_walk.ts";

const REMOVE_TRIES = 3;

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
    const refused: SystemError[] = [];
    if (root) {
      try {
        yield* emptyTreeSteps(system, root.fd, refused);
      } finally {
        system.close(root.fd);
      }
    }
    const failure = removeDirectory(system, parentFd, bytes);
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
): Generator<void, void> {
  yield* walk(system, fd, {
    enter: (directory) => removeEntries(system, directory, refused),
    leave: (directory, child) => void removeDirectory(system, directory, child),
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

function* removeEntries(
  system: System,
  directory: number,
  refused: SystemError[],
): Generator<void, Uint8Array[]> {
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
      const result = plan.result(slot);
      if (result === -ERRNO.EISDIR) directories.push(name);
      else if (result < 0 && result !== -ERRNO.ENOENT && refused.length === 0) {
        const step = plan.steps.find(({ options }) => options.into === slot);
        refused.push(about(new SystemError(step, -result), name, (file) => `remove ${file}`));
      }
    }
    yield;
  }
  return directories;
}
