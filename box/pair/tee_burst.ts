/**
 * One plan that passes on many small messages between two pairs of pipes.
 *
 * In a conversation each message waits for the one before. The keeper's turn (a thread wakes, then
 * the loop of the runtime, then a plan is executed) would take longer than the message itself. So one
 * plan, on another thread, waits for message after message until both are silent for a moment.
 */

import { PLAN } from "../../ffi/abi.ts";
import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { PairSide } from "./transcript.ts";

/** The time of one plan is bounded: its thread belongs to a pool that the whole process shares. */
const TIME_MAX_NS = 3_000_000n;
/** Writes of at most PIPE_BUF bytes (4096) are done whole or not at all, pipe(7). */
const MESSAGE_MAX_BYTES = 1024;

const NO_FD = -1;
/** `struct pollfd`: the descriptor, the events asked for (16 bits), those that came (16 bits). */
const POLL_SIZE = 8;

/** The keeper's ends of the pipes of one direction. */
export interface TeeEnds {
  readonly from: PairSide;
  readonly readFd: number;
  readonly writeFd: number;
}

/** What becomes of a direction. */
export type TeeEvent =
  /** The last message could not be passed on: the listener's pipe is full. */
  | { kind: "pending"; direction: number; bytes: Uint8Array<ArrayBuffer> }
  /** The speaker has closed its end. */
  | { kind: "ended"; direction: number }
  /** The listener has closed its end. */
  | { kind: "broken"; direction: number };

export interface Passed {
  anything: boolean;
  /** Whether more might have been passed on with a longer plan. */
  isFull: boolean;
  /** At most one for each direction. */
  events: TeeEvent[];
}

/** The steps that pass on one message of a direction. */
interface Passage {
  readonly direction: number;
  /** Position of its first step among the steps of the plan. */
  readonly firstStep: number;
  /** The length of the message; 0 at the end, negative if there is none. */
  readonly length: Slot;
  readonly buffer: Data;
  readonly written: Slot;
}

interface Line {
  readonly ends: TeeEnds;
  readonly readFd: Slot;
  readonly writeFd: Slot;
  readonly poll: Data;
}

/** A plan that is executed again and again. */
export class TeeBurst {
  readonly #system: System;
  readonly #plan = new Plan();
  readonly #lines: readonly Line[];
  readonly #passages: Passage[] = [];
  readonly #timer: number;
  readonly #image: Uint8Array<ArrayBuffer>;

  /** Builds the plan, and makes the descriptors non-blocking. */
  constructor(
    system: System,
    { directions, rounds }: { directions: readonly TeeEnds[]; rounds: number },
  ) {
    this.#system = system;
    const plan = this.#plan;
    this.#timer = makeTimer(system);
    const polls = plan.alloc((directions.length + 1) * POLL_SIZE);
    const timerPoll = polls.part(directions.length * POLL_SIZE, POLL_SIZE);
    this.#lines = directions.map((ends, i) => ({
      ends,
      readFd: plan.slot(`from ${ends.from}`),
      writeFd: plan.slot(`of ${ends.from}`),
      poll: polls.part(i * POLL_SIZE, POLL_SIZE),
    }));
    const time = plan.struct([0n, 0n, 0n, TIME_MAX_NS]);
    plan.step("timerfd_settime", [this.#timer, 0, time, 0]);
    const expirations = plan.alloc(8);
    for (let round = 0; round < rounds; round++) {
      const expired = plan.slot("expired");
      // A timeout of its own would set and cancel a timer for each message.
      plan.step("ppoll", [polls, directions.length + 1, 0, 0, 8]);
      plan.step("read", [this.#timer, expirations, 8], { into: expired, ignore: "all" });
      planEnd(plan, [expired, 8]);
      for (const direction of directions.keys()) this.#planPassage(direction);
    }
    system.trace?.(plan, "pass on what the two programs say");
    this.#image = plan.encode();
    setPoll(plan.view(timerPoll), { fd: this.#timer, events: linux.POLLIN });
    const setup = new Plan();
    for (const [i, { readFd, writeFd }] of directions.entries()) {
      this.listen(i, true);
      plan.put(this.#lines[i]!.writeFd, writeFd);
      for (const fd of [readFd, writeFd]) {
        setup.step("fcntl", [fd, linux.F_SETFL, linux.O_NONBLOCK]);
      }
    }
    system.run(setup, "never wait for one of two programs");
  }

  #planPassage(direction: number): void {
    const plan = this.#plan;
    const { readFd, writeFd } = this.#lines[direction]!;
    const firstStep = plan.steps.length;
    const [length, written] = [plan.slot("length"), plan.slot("written")];
    const buffer = plan.alloc(MESSAGE_MAX_BYTES);
    plan.step("read", [readFd, buffer, buffer.length], { into: length, ignore: "all" });
    planEnd(plan, [length, 0]);
    // If nothing was read the length is negative, and the kernel refuses that without looking at a
    // byte: cheaper than asking first which of the two has spoken.
    plan.step("write", [writeFd, buffer, length], {
      into: written,
      ignore: "all",
      what: "pass on what one of two programs says",
    });
    planEnd(plan, [written, -ERRNO.EAGAIN]);
    planEnd(plan, [written, -ERRNO.EPIPE]);
    this.#passages.push({ direction, firstStep, length, buffer, written });
  }

  /** Begins or stops to take messages of a direction; at first they are taken. */
  listen(direction: number, wanted: boolean): void {
    const { ends, readFd, poll } = this.#lines[direction]!;
    this.#plan.put(readFd, wanted ? ends.readFd : NO_FD);
    const view = this.#plan.view(poll);
    if (wanted) setPoll(view, { fd: ends.readFd, events: linux.POLLIN });
    else setPoll(view, { fd: ends.writeFd, events: linux.POLLOUT });
  }

  /** Forgets a direction whose descriptors are to be closed. */
  drop(direction: number): void {
    const { readFd, writeFd, poll } = this.#lines[direction]!;
    for (const fd of [readFd, writeFd]) this.#plan.put(fd, NO_FD);
    setPoll(this.#plan.view(poll), { fd: NO_FD, events: 0 });
  }

  /** Passes on messages until both are silent for a moment, or there is something to decide. */
  async pass(said: (from: PairSide, bytes: Uint8Array) => void): Promise<Passed> {
    const status = await this.#system.library.execAside(this.#image);
    const header = new DataView(this.#image.buffer, this.#image.byteOffset);
    const errno = header.getInt32(PLAN.failedErrno, true);
    if (status < 0 && errno === 0) throw new SystemError(undefined, ERRNO.EINVAL);
    const failedStep = errno === 0 ? Infinity : header.getUint32(PLAN.failedStep, true);
    const passed: Passed = { anything: false, isFull: errno === 0, events: [] };
    for (const passage of this.#passages) {
      if (failedStep < passage.firstStep) break;
      const lengthBytes = this.#plan.result(passage.length);
      if (lengthBytes < 0) continue;
      passed.anything = true;
      const bytes = this.#plan.content(passage.buffer, lengthBytes);
      if (lengthBytes > 0) said(this.#lines[passage.direction]!.ends.from, bytes);
      const event = this.#eventOf(passage, bytes);
      if (event) passed.events.push(event);
    }
    return passed;
  }

  /** Closes its timer; no execution may be in flight. */
  close(): void {
    this.#system.close(this.#timer);
  }

  #eventOf(
    { direction, firstStep, written }: Passage,
    bytes: Uint8Array<ArrayBuffer>,
  ): TeeEvent | undefined {
    if (bytes.length === 0) return { kind: "ended", direction };
    const result = this.#plan.result(written);
    if (result === bytes.length) return undefined;
    if (result === -ERRNO.EAGAIN) return { kind: "pending", direction, bytes: bytes.slice() };
    if (result === -ERRNO.EPIPE) return { kind: "broken", direction };
    throw new SystemError(this.#plan.steps[firstStep + WRITE_STEP], -result);
  }
}

/** The step of a passage that writes. */
const WRITE_STEP = 2;

/** Adds a step that always fails, and so ends the plan, if the slot holds this value. */
function planEnd(plan: Plan, when: readonly [Slot, number]): void {
  plan.step("close", [NO_FD], { when });
}

function setPoll(view: DataView, { fd, events }: { fd: number; events: number }): void {
  view.setInt32(0, fd, true);
  view.setInt32(4, events, true);
}

function makeTimer(system: System): number {
  const plan = new Plan();
  const timer = plan.slot("timer");
  const flags = linux.O_CLOEXEC | linux.O_NONBLOCK;
  plan.step("timerfd_create", [linux.CLOCK_MONOTONIC, flags], { into: timer });
  system.run(plan, "a timer for the conversation");
  return plan.result(timer);
}
