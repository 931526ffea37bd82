/**
 * From the pipe that a program writes to, to where its output is kept. A pump moves what there is and
 * never waits; the keeper knows when it is worth while to call it again.
 */

import { ERRNO } from "../../ffi/errno.ts";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_WRONLY,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import type { Overflow } from "./capture.ts";
import type { Waiter } from "../keep/waiter.ts";

/** So much at once, so that other boxes get their turn. */
const TURN_BYTES = 1 << 20;
const TURN_MOVES = 1024;
/** Who gets less than this in one turn waits a moment, for more to come at once. */
const FEW_BYTES = 1 << 16;
const PAUSE_MS = 1;

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
  /** There was nothing (more) to be moved. */
  | "idle"
  /** There may be more at once. */
  | "busy"
  /** Where it goes to takes no more for now. */
  | "blocked"
  /** More was written than allowed, and the program is to be stopped; the pump does no more. */
  | "overflow"
  /** It is over: nobody can write any more, or nobody wants it. */
  | "closed";

/** Moves the output of a program. */
export abstract class OutputPump {
  /** The kernel. */
  protected readonly system: System;
  /** The stream, for messages. */
  protected readonly name: string;
  /** The keeper's end of the pipe. */
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
    if (this.#nullFd < 0) this.#nullFd = openNull(this.system);
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

function openNull(system: System): number {
  const plan = new Plan();
  const fd = plan.slot("/dev/null");
  const path = plan.string("/dev/null");
  plan.step("openat", [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], { into: fd });
  system.run(plan, "open /dev/null");
  return plan.result(fd);
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
