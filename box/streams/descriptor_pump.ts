/** From the pipe that a program writes to, to a descriptor. */

import { ERRNO } from "../../ffi/errno.ts";
import { POLLIN, POLLOUT } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import { PipeReader } from "./pipe_reader.ts";
import { OutputPump, type PumpOptions, spliced } from "./pump.ts";
import type { Destination } from "./stream_fds.ts";

const READ_BYTES = 1 << 18;
/** Where a write may wait: what a socket or terminal that is ready at all has room for. */
const CAREFUL_BYTES = 4096;

/** Writes output to a descriptor, where it can be done without copying it to here. */
export class DescriptorPump extends OutputPump {
  readonly #destination: Destination;
  readonly #reader: PipeReader;
  #leftBytes: number;
  #canSplice = true;
  /** Read, but not written yet. */
  #pending = new Uint8Array(0);

  /** Makes a pump. */
  constructor(
    options: PumpOptions,
    { destination, limitBytes }: { destination: Destination; limitBytes: number },
  ) {
    super(options);
    this.#destination = destination;
    this.#leftBytes = limitBytes;
    this.#reader = new PipeReader(options.system, options.pipeFd);
  }

  /** Where output goes to. */
  protected override get targetFd(): number {
    return this.#destination.fd;
  }

  /** Whether small pieces may be left in the pipe for a moment. */
  protected override get mayPause(): boolean {
    return !this.#destination.isLive;
  }

  /** Moves something. */
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

  /** As without us in between: whose reader has gone gets SIGPIPE. Anything else is our failure. */
  #failed(errno: number): "closed" {
    if (errno === ERRNO.EPIPE || errno === ERRNO.ECONNRESET) return "closed";
    const plan = new Plan();
    plan.because(this.name, () => {
      plan.step("splice", [], { what: `write to ${this.#destination.name}` });
    });
    throw new SystemError(plan.steps[0], errno);
  }

  /** Whoever has nothing to write need not wait until it can. */
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
