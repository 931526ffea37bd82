/**
 * From the pipe that a program writes to, to where its output is kept. A pump moves what there is and
 * never waits; the keeper knows when to call it again.
 */

import { ERRNO } from "../../ffi/errno.ts";
import { O_WRONLY, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { tryOpen } from "../../host/open.ts";
import type { Waiter } from "../keep/waiter.ts";
import type { Capture, Overflow } from "./capture.ts";

/** The most that one turn moves, so that other boxes get theirs. */
const TURN_BYTES = 1 << 20;
const TURN_MOVES = 1024;
/** After less than this a pump pauses, for more to come at once. */
const FEW_BYTES = 1 << 16;
const PAUSE_MS = 1;
const READ_FIRST_BYTES = 1 << 14;
const READ_LARGE_BYTES = 1 << 18;

/** What a pump works with. */
export interface PumpOptions {
  /** The kernel. */
  readonly system: System;
  /** The waiter, which has to forget what is closed. */
  readonly waiter: Waiter;
  /** The keeper's end of the pipe; the pump closes it. */
  readonly pipeFd: number;
  /** What is done with too much. */
  readonly overflow: Overflow;
  /** The stream, for messages. */
  readonly name: string;
}

/** What came of one turn. */
export type Turn =
  /** Nothing is left to move for now. */
  | "idle"
  /** More may be there already. */
  | "busy"
  /** The destination takes no more for now. */
  | "blocked"
  /** More was written than allowed, and the program is to be stopped; the pump moves nothing more. */
  | "overflow"
  /** Nobody can write any more, or nobody wants it. */
  | "closed";

/** Moves the output of a program. */
export abstract class OutputPump {
  protected readonly system: System;
  protected readonly name: string;
  protected readonly pipeFd: number;
  readonly #waiter: Waiter;
  readonly #overflow: Overflow;
  #state: "open" | "overflow" | "closed" = "open";
  #isDiscarding = false;
  #nullFd = -1;
  #isBlocked = false;
  #nextTurnMs = 0;

  /** Makes a pump. */
  protected constructor(options: PumpOptions) {
    this.system = options.system;
    this.name = options.name;
    this.pipeFd = options.pipeFd;
    this.#waiter = options.waiter;
    this.#overflow = options.overflow;
  }

  /** Whether something may come yet. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Before this time there is no need for another turn, in milliseconds of CLOCK_MONOTONIC. */
  get nextTurnMs(): number {
    return this.#nextTurnMs;
  }

  /** The descriptor that has to be readable for another turn, if any. */
  get readableFd(): number | undefined {
    return this.isOpen && !this.#isBlocked ? this.pipeFd : undefined;
  }

  /** The descriptor that has to be writable for another turn, if any. */
  get writableFd(): number | undefined {
    return this.isOpen && this.#isBlocked ? this.targetFd : undefined;
  }

  /** Where output goes to, if that is a descriptor. */
  protected get targetFd(): number | undefined {
    return undefined;
  }

  /** Whether small pieces may be left in the pipe for a moment. */
  protected get mayPause(): boolean {
    return true;
  }

  /** Moves something. */
  protected abstract move(bytes: number): number | "idle" | "blocked" | "closed" | "overflow";

  /** Moves what there is, at most as much as one turn may. */
  turn(nowMs: number): Turn {
    if (this.#state !== "open") return this.#state;
    this.#isBlocked = false;
    let moved = 0;
    for (let moves = 0; moved < TURN_BYTES && moves < TURN_MOVES; moves++) {
      const result = this.#isDiscarding
        ? this.#discard(TURN_BYTES - moved)
        : this.move(TURN_BYTES - moved);
      if (typeof result === "number") {
        moved += result;
      } else if (result === "overflow") {
        if (this.#overflow === "stop") return this.#state = "overflow";
        this.#isDiscarding = true;
      } else {
        if (result === "closed") this.close();
        this.#isBlocked = result === "blocked";
        const isLittle = moved > 0 && moved < FEW_BYTES;
        if (isLittle && this.mayPause) this.#nextTurnMs = nowMs + PAUSE_MS;
        return result;
      }
    }
    return "busy";
  }

  /** Closes everything; output that is still in the pipe is lost. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const fds = [this.pipeFd, this.#nullFd, this.targetFd ?? -1];
    this.#waiter.forget(...fds);
    this.system.close(...fds);
  }

  /** Throws away, without looking at it. */
  #discard(bytes: number): number | "idle" | "closed" {
    if (this.#nullFd < 0) this.#nullFd = tryOpen(this.system, "/dev/null", O_WRONLY) ?? -1;
    const moved = spliced(this.system, {
      from: this.pipeFd,
      to: this.#nullFd,
      bytes,
      ignore: ERRNO.EAGAIN,
    });
    if (moved < 0) return "idle";
    return moved === 0 ? "closed" : moved;
  }
}

/**
 * Moves bytes out of a pipe without copying them to here, and without waiting where that can be had;
 * see splice(2).
 */
export function spliced(system: System, { from, to, bytes, ignore }: {
  from: number;
  to: number;
  bytes: number;
  ignore: number | "all";
}): number {
  const plan = new Plan();
  const moved = plan.slot("moved");
  const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
  plan.step("splice", [from, 0, to, 0, bytes, flags], { into: moved, ignore });
  system.run(plan, "move output");
  return plan.result(moved);
}

/** Reads from a pipe that never waits. */
export class PipeReader {
  readonly #system: System;
  readonly #fd: number;
  #bytes = 0;
  #read: (() => Uint8Array<ArrayBuffer> | undefined) | undefined;

  constructor(system: System, fd: number) {
    this.#system = system;
    this.#fd = fd;
  }

  /** Reads once; gives nothing if nothing is there, and no bytes at the end. */
  read(bytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#read || bytes !== this.#bytes) this.#read = this.#prepare(bytes);
    return this.#read();
  }

  #prepare(bytes: number): () => Uint8Array<ArrayBuffer> | undefined {
    this.#bytes = bytes;
    const plan = new Plan();
    const buffer = plan.alloc(bytes);
    const length = plan.slot("length");
    plan.step("read", [this.#fd, buffer, bytes], { into: length, ignore: ERRNO.EAGAIN });
    const execute = this.#system.prepare(plan, "read output");
    return () => {
      const failure = execute();
      if (failure) throw failure;
      const read = plan.result(length);
      return read < 0 ? undefined : plan.content(buffer, read);
    };
  }
}

/** Keeps output in memory. */
export class CapturePump extends OutputPump {
  readonly #capture: Capture;
  readonly #reader: PipeReader;
  #bytes = READ_FIRST_BYTES;

  constructor(options: PumpOptions, capture: Capture) {
    super(options);
    this.#capture = capture;
    this.#reader = new PipeReader(options.system, options.pipeFd);
  }

  protected override move(): number | "idle" | "closed" | "overflow" {
    const piece = this.#reader.read(this.#bytes);
    if (!piece) return "idle";
    if (piece.length === 0) return "closed";
    if (piece.length === this.#bytes) this.#bytes = READ_LARGE_BYTES;
    return this.#capture.add(piece) ? piece.length : "overflow";
  }
}
