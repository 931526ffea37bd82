/**
 * Directories that are held open, so that what lies in them is found there, whatever their names mean by
 * now: somebody who may rename a directory could put another one in its place.
 */

import { F_DUPFD_CLOEXEC } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";

/** By path; of two that had one path the later one counts. */
const held = new Map<string, number[]>();

const ended = new FinalizationRegistry<() => void>((release) => release());

/** Holds an open directory, found under a path without links, for as long as an object is used. */
export function holdDirectory(
  system: System,
  { fd, path, owner }: { fd: number; path: string; owner: object },
): void {
  const plan = new Plan();
  const copy = plan.slot("held directory");
  plan.step("fcntl", [fd, F_DUPFD_CLOEXEC, 3], { into: copy });
  system.run(plan, `hold ${path}`);
  const opened = plan.result(copy);
  held.set(path, [...held.get(path) ?? [], opened]);
  ended.register(owner, () => {
    const left = held.get(path)!.filter((other) => other !== opened);
    if (left.length > 0) held.set(path, left);
    else held.delete(path);
    system.close(opened);
  });
}

/** Finds the held directory that a path leads through, and the rest of the path. */
export function heldAbove(path: string): { fd: number; rest: string } | undefined {
  let found: { fd: number; rest: string } | undefined;
  for (const [directory, fds] of held) {
    if (!path.startsWith(`${directory}/`)) continue;
    const rest = path.slice(directory.length + 1);
    if (found === undefined || rest.length < found.rest.length) found = { fd: fds.at(-1)!, rest };
  }
  return found;
}
