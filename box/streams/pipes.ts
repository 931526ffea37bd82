/** Pipes between boxes and the keeper; see pipe(7). */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import type { Identity } from "../../host/identity.ts";

/** The largest pipe that the kernel gives without being configured. */
const PIPE_BYTES = 1 << 20;

/** A pipe; a program gets one of its ends only on purpose. */
export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** Makes pipes. */
export function makePipes(system: System, count: number, what = "make a pipe"): Pipe[] {
  const plan = new Plan();
  const ends = Array.from({ length: count }, () => plan.struct([-1, -1]));
  for (const pair of ends) plan.step("pipe2", [pair, linux.O_CLOEXEC], { what });
  const failure = system.attempt(plan, what);
  const pipes = ends.map((pair) => {
    const view = plan.view(pair);
    return { readFd: view.getInt32(0, true), writeFd: view.getInt32(4, true) };
  });
  if (!failure) return pipes;
  system.close(...pipes.flatMap(({ readFd, writeFd }) => [readFd, writeFd]));
  throw failure;
}

/** A pipe between the box and the keeper. */
export interface BoxPipe {
  /** The program's end, which waits when the pipe is full or empty, as programs expect. */
  readonly boxFd: number;
  /** The keeper's end, which never waits. */
  readonly ownFd: number;
}

/** Makes a pipe between the box and the keeper. */
export function openPipe(
  system: System,
  { own, boxUser }: { own: "reads" | "writes"; boxUser: Identity | undefined },
): BoxPipe {
  const { readFd, writeFd } = makePipes(system, 1)[0]!;
  const [boxFd, ownFd] = own === "reads" ? [writeFd, readFd] : [readFd, writeFd];
  const plan = new Plan();
  plan.step("fcntl", [ownFd, linux.F_SETFL, linux.O_NONBLOCK]);
  // A large pipe saves turns of the keeper, but is not needed.
  plan.step("fcntl", [ownFd, linux.F_SETPIPE_SZ, PIPE_BYTES], { ignore: "all" });
  // The program may open its end again, by /dev/stdout.
  if (!boxUser) plan.step("fchmod", [boxFd, 0o666]);
  else {
    const { uid, gid } = boxUser;
    plan.step("fchownat", [boxFd, plan.string(""), uid, gid, linux.AT_EMPTY_PATH]);
  }
  const failure = system.attempt(plan, "set the pipe up");
  if (!failure) return { boxFd, ownFd };
  system.close(boxFd, ownFd);
  throw failure;
}

/** Counts the bytes that are in each pipe; see ioctl_pipe(2). */
export function unreadBytes(system: System, fds: readonly number[]): number[] {
  const plan = new Plan();
  const counts = fds.map((fd) => {
    const count = plan.struct([0]);
    plan.step("ioctl", [fd, linux.FIONREAD, count]);
    return count;
  });
  system.run(plan, "see how much is in pipes");
  return counts.map((count) => plan.view(count).getInt32(0, true));
}

/** Duplicates descriptors, which their owner may close or reuse while programs run. */
export function duplicate(
  system: System,
  fds: readonly number[],
  { reason = "", what }: { reason?: string; what: string },
): number[] {
  const plan = new Plan();
  const copies = plan.because(reason, () =>
    fds.map((fd) => {
      const copy = plan.slot("duplicate");
      plan.step("fcntl", [fd, linux.F_DUPFD_CLOEXEC, 3], { into: copy, what });
      return copy;
    }));
  const failure = system.attempt(plan, "duplicate descriptors");
  const duplicates = copies.map((copy) => plan.result(copy));
  if (!failure) return duplicates;
  // close() skips those that were not made: they are negative.
  system.close(...duplicates);
  throw failure;
}
