/**
 * Moves content of files between descriptors and memory, piece by piece. Small pieces are moved at
 * once; large ones on another thread, lest the keeper of other boxes wait for the disk.
 */

import { joinBytes } from "../../text/bytes.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";

/** What is moved without another thread: a copy in memory of about 20 µs. */
export const SMALL_BYTES = 1 << 16;
const PIECE_BYTES = 1 << 20;

/** Executes a plan with one step that moves something; gives its result. */
async function move(system: System, plan: Plan, { bytes, title }: {
  bytes: number;
  title: string;
}): Promise<number> {
  const step = plan.steps[0]!;
  if (bytes <= SMALL_BYTES) {
    system.run(plan, title);
    return plan.result(step.options.into!);
  }
  system.trace?.(plan, title);
  await system.library.execAside(plan.encode());
  const result = plan.result(step.options.into!);
  if (result < 0) throw new SystemError(step, -result);
  return result;
}

/** Reads a file to its end. */
export async function readAll(
  system: System,
  fd: number,
  options: { sizeBytes: number; limitBytes: number; what: string },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { sizeBytes, limitBytes, what } = options;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for (;;) {
    // One byte more than expected shows that there is an end; than allowed, that there is none yet.
    const expected = Math.max(sizeBytes + 1 - total, 4096);
    const length = Math.min(expected, limitBytes + 1 - total, PIECE_BYTES);
    const plan = new Plan();
    const buffer = plan.alloc(length);
    plan.step("read", [fd, buffer, length], { into: plan.slot("bytes"), what });
    const count = await move(system, plan, { bytes: length, title: what });
    if (count === 0) break;
    total += count;
    if (total > limitBytes) return undefined;
    pieces.push(plan.content(buffer, count));
  }
  if (pieces.length === 1) return pieces[0]!.slice();
  return joinBytes(pieces, total);
}

/** Writes bytes. */
export async function writeBytes(
  system: System,
  fd: number,
  { bytes, what }: { bytes: Uint8Array; what: string },
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const plan = new Plan();
    const piece = plan.bytes(bytes.subarray(at, at + PIECE_BYTES));
    plan.step("write", [fd, piece, piece.length], { into: plan.slot("written"), what });
    at += await move(system, plan, { bytes: piece.length, title: what });
  }
}

/** Copies a file to its end, within the kernel; see sendfile(2). Holes become zeros. */
export async function copyAll(
  system: System,
  from: { fd: number; sizeBytes: number },
  options: { to: number; limitBytes: number; what: string },
): Promise<number | undefined> {
  const { to, limitBytes, what } = options;
  let total = 0;
  for (;;) {
    const length = Math.min(limitBytes + 1 - total, PIECE_BYTES);
    const plan = new Plan();
    plan.step("sendfile", [to, from.fd, 0, length], { into: plan.slot("copied"), what });
    const bytes = Math.min(length, Math.max(0, from.sizeBytes - total));
    const count = await move(system, plan, { bytes, title: what });
    if (count === 0) return total;
    total += count;
    if (total > limitBytes) return undefined;
  }
}
