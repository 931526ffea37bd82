/** Pipes between boxes. */

import { F_DUPFD_CLOEXEC, FIONREAD, O_CLOEXEC } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";

const WHAT = "make the pipes between two programs";

/** A pipe, see pipe(7); a program gets one of its ends only on purpose. */
export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

export function makePipes(system: System, count: number): Pipe[] {
  const plan = new Plan();
  const ends = Array.from({ length: count }, () => plan.struct([-1, -1]));
  for (const pair of ends) plan.step("pipe2", [pair, O_CLOEXEC], { what: WHAT });
  const failure = system.attempt(plan, "connect two programs");
  const pipes = ends.map((pair) => {
    const view = plan.view(pair);
    return { readFd: view.getInt32(0, true), writeFd: view.getInt32(4, true) };
  });
  if (!failure) return pipes;
  system.close(...pipes.flatMap(({ readFd, writeFd }) => [readFd, writeFd]));
  throw failure;
}

/** Counts the bytes that are in each pipe, see ioctl_pipe(2). */
export function unreadBytes(system: System, fds: readonly number[]): number[] {
  const plan = new Plan();
  const counts = fds.map((fd) => {
    const count = plan.struct([0]);
    plan.step("ioctl", [fd, FIONREAD, count]);
    return count;
  });
  system.run(plan, "see how much is in pipes");
  return counts.map((count) => plan.view(count).getInt32(0, true));
}

/** Duplicates descriptors, see fcntl(2). */
export function duplicate(system: System, fds: readonly number[]): number[] {
  const plan = new Plan();
  const copies = fds.map((fd) => {
    const copy = plan.slot("duplicate");
    plan.step("fcntl", [fd, F_DUPFD_CLOEXEC, 3], { into: copy, what: WHAT });
    return copy;
  });
  const failure = system.attempt(plan, "hold ends of pipes");
  const duplicates = copies.map((copy) => plan.result(copy));
  if (!failure) return duplicates;
  // close() skips those that were not made: they are negative.
  system.close(...duplicates);
  throw failure;
}
