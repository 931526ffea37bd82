/** From the pipe that a program writes to, to a descriptor. */

import { ERRNO } from "../../ffi/errno.ts";
import { F_GETFL, O_NONBLOCK, POLLIN, POLLOUT } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import { OutputPump, PipeReader, type PumpOptions, spliced } from "./pump.ts";

const READ_BYTES = 1 << 18;
/** Where a write may wait: the room that any ready socket or terminal has. */
const CAREFUL_BYTES = 4096;

/** Where output is written to. */
export interface Destination {
  /** What it is, for messages. */
  readonly name: string;
  /** A descriptor of its own, closed on execve. */
  readonly fd: number;
  /** A write can wait although a little room is there. */
  readonly mayWait: boolean;
  /** It is a pipe, a socket or a device, behind which somebody may be waiting for what comes. */
  readonly isLive: boolean;
}

/** Finds out how a descriptor can be written to. */
export function destinationOf(system: System, fd: number, name: string): Destination {
  const plan = new Plan();
  const status = planStatus(plan, fd);
  const flags = plan.slot("flags");
  plan.step("fcntl", [fd, F_GETFL, 0], { into: flags });
  system.run(plan, "look at what is written to");
  const { kind } = readStatus(plan.view(status));
  const isLive = kind !== "file";
  // Between pipes splice(2) can be told not to wait; elsewhere it does what the descriptor says.
  const mayWait = isLive && kind !== "fifo" && (plan.result(flags) & O_NONBLOCK) === 0;
  return { name, fd, isLive, mayWait };
}

/** Writes output to a descriptor, without copying it to here where the kernel can do that. */
export class DescriptorPump extends OutputPump {
  readonly #destination: Destination;
  readonly #reader: PipeReader;
  #leftBytes: number;
  #canSplice = true;
  /** Read, but not written yet. */
  #pending = new Uint8Array(0);

  constructor(
    options: PumpOptions,
    { destination, limitBytes }: { destination: Destination; limitBytes: number },
  ) {
    super(options);
    this.#destination = destination;
    this.#leftBytes = limitBytes;
    this.#reader = new PipeReader(options.system, options.pipeFd);
  }

  protected override get targetFd(): number {
    return this.#destination.fd;
  }

  protected override get mayPause(): boolean {
    return !this.#destination.isLive;
  }

  protected override move(bytes: number): number | "idle" | "blocked" | "closed" | "overflow" {
    if (this.#pending.length > 0) return this.#writePending();
    if (this.#leftBytes === 0) {
      const more = this.#reader.read(1);
      return more ? more.length > 0 ? "overflow" : "closed" : "idle";
    }
    const { mayWait } = this.#destination;
    const obstacle = mayWait ? this.#obstacle() : undefined;
    if (obstacle) return obstacle;
    const most = Math.min(mayWait ? CAREFUL_BYTES : bytes, this.#leftBytes);
    return this.#canSplice ? this.#splice(most) : this.#copy(most);
  }

  #splice(bytes: number): number | "idle" | "blocked" | "closed" {
    const moved = spliced(this.system, {
      from: this.pipeFd,
      to: this.#destination.fd,
      bytes,
      ignore: "all",
    });
    if (moved > 0) {
      this.#leftBytes -= moved;
      return moved;
    }
    if (moved === 0) return "closed";
    if (moved === -ERRNO.EINVAL && this.#canSplice) {
      // Files that are appended to, and some devices.
      this.#canSplice = false;
      return 0;
    }
    if (moved === -ERRNO.EAGAIN) {
      if (!isReady(this.system, { fd: this.pipeFd, events: POLLIN })) return "idle";
      // Or the reader has just made room: then once more.
      return this.#obstacle() ?? 0;
    }
    return this.#failed(-moved);
  }

  #copy(bytes: number): number | "idle" | "closed" {
    const piece = this.#reader.read(Math.min(bytes, READ_BYTES));
    if (!piece) return "idle";
    if (piece.length === 0) return "closed";
    this.#leftBytes -= piece.length;
    this.#pending = piece.slice();
    return 0;
  }

  #writePending(): number | "blocked" | "closed" {
    const { fd, mayWait } = this.#destination;
    if (mayWait && !isReady(this.system, { fd, events: POLLOUT })) return "blocked";
    const plan = new Plan();
    const written = plan.slot("written");
    const piece = plan.bytes(mayWait ? this.#pending.subarray(0, CAREFUL_BYTES) : this.#pending);
    plan.step("write", [fd, piece, piece.length], { into: written, ignore: "all" });
    this.system.run(plan, "write output");
    const count = plan.result(written);
    if (count === -ERRNO.EAGAIN) return "blocked";
    if (count < 0) return this.#failed(-count);
    this.#pending = this.#pending.subarray(count);
    return count;
  }

  /** Where the reader has gone the program gets SIGPIPE, as without us. Anything else is our failure. */
  #failed(errno: number): "closed" {
    if (errno === ERRNO.EPIPE || errno === ERRNO.ECONNRESET) return "closed";
    const plan = new Plan();
    plan.because(this.name, () => {
      plan.step("splice", [], { what: `write to ${this.#destination.name}` });
    });
    throw new SystemError(plan.steps[0], errno);
  }

  /** A pump that has nothing to write need not wait for room. */
  #obstacle(): "blocked" | "idle" | undefined {
    if (isReady(this.system, { fd: this.#destination.fd, events: POLLOUT })) return undefined;
    return isReady(this.system, { fd: this.pipeFd, events: POLLIN }) ? "blocked" : "idle";
  }
}

function isReady(system: System, { fd, events }: { fd: number; events: number }): boolean {
  const plan = new Plan();
  const ready = plan.slot("ready");
  const now = plan.struct([0n, 0n]);
  plan.step("ppoll", [plan.struct([fd, events]), 1, now, 0, 8], { into: ready });
  system.run(plan, "poll");
  return plan.result(ready) > 0;
}
