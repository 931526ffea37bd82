/**
 * Passes on what two programs say to each other, and records it.
 *
 * The bytes are copied, not moved from pipe to pipe: a program could change pages that it has moved
 * into a pipe (vmsplice(2)) after they were recorded.
 */

import { ERRNO } from "../../ffi/errno.ts";
import { POLLERR } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { TeeBurst, type TeeEnds, type TeeEvent } from "./tee_burst.ts";
import type { Transcript } from "./transcript.ts";
import type { Waiter } from "../keep/waiter.ts";

const READ_SIZE = 65536;
/** In `struct pollfd`. */
const POLL_ANSWER_AT = 6;
/** Messages of each side that are passed on at once: at first, and once there have been many. */
const ROUNDS = { few: 4, many: 64 } as const;
/** How many bursts must be full before larger ones are planned. */
const FULL_BURSTS = 8;

export interface TeeOptions {
  readonly system: System;
  readonly waiter: Waiter;
  readonly transcript: Transcript;
  /** The keeper's ends of the pipes, which are closed here, whatever happens. */
  readonly directions: readonly TeeEnds[];
}

/** A direction, until its speaker or its listener has closed its end. */
interface Direction extends TeeEnds {
  open: boolean;
  /** What was taken from the speaker while the listener's pipe was full. */
  pending: Uint8Array<ArrayBuffer> | undefined;
}

export class Tee {
  readonly #options: TeeOptions;
  readonly #directions: readonly Direction[];

  constructor(options: TeeOptions) {
    this.#options = options;
    this.#directions = options.directions.map((ends) => ({
      ...ends,
      open: true,
      pending: undefined,
    }));
  }

  /**
   * Passes on what the programs say until one of them has closed its end in each direction; that
   * happens at the latest when both are dead.
   */
  async run(): Promise<void> {
    try {
      let burst = this.#prepare(ROUNDS.few);
      try {
        for (let fullBursts = 0; this.#directions.some(({ open }) => open);) {
          const isFull = await this.#turn(burst);
          if (!isFull || ++fullBursts !== FULL_BURSTS) continue;
          // They talk a lot: a plan for many messages pays off.
          burst.close();
          burst = this.#prepare(ROUNDS.many);
        }
      } finally {
        burst.close();
      }
    } finally {
      for (const direction of this.#directions) this.#close(direction);
    }
  }

  #prepare(rounds: number): TeeBurst {
    const burst = new TeeBurst(this.#options.system, { directions: this.#directions, rounds });
    this.#directions.forEach(({ open, pending }, i) => {
      if (!open) burst.drop(i);
      else if (pending) burst.listen(i, false);
    });
    return burst;
  }

  /** Passes on what is said, or waits if nothing can be passed; returns whether there was more. */
  async #turn(burst: TeeBurst): Promise<boolean> {
    const { transcript } = this.#options;
    const { anything, isFull, events } = await burst.pass((from, bytes) =>
      transcript.add(from, bytes)
    );
    for (const event of events) this.#decide(event, burst);
    if (!anything || this.#directions.some(({ pending }) => pending)) {
      await this.#wait();
      this.#findBroken(burst);
      this.#flush(burst);
    }
    return isFull;
  }

  #decide(event: TeeEvent, burst: TeeBurst): void {
    const direction = this.#directions[event.direction]!;
    if (event.kind === "pending") {
      direction.pending = event.bytes;
      burst.listen(event.direction, false);
      return;
    }
    burst.drop(event.direction);
    if (event.kind === "broken") this.#recordRest(direction);
    this.#close(direction);
  }

  /** Finds listeners that left before anything was said to them. */
  #findBroken(burst: TeeBurst): void {
    const plan = new Plan();
    const ends = this.#directions.map(({ open, writeFd }) => plan.struct([open ? writeFd : -1, 0]));
    plan.step("ppoll", [ends[0]!, ends.length, plan.struct([0n, 0n]), 0, 8], {
      ignore: ERRNO.EINTR,
    });
    this.#options.system.run(plan, "who has left");
    ends.forEach((end, direction) => {
      const answer = plan.view(end).getInt16(POLL_ANSWER_AT, true);
      if ((answer & POLLERR) !== 0) this.#decide({ kind: "broken", direction }, burst);
    });
  }

  /** Passes on pending messages if there is room by now. */
  #flush(burst: TeeBurst): void {
    this.#directions.forEach((direction, i) => {
      const { pending, open } = direction;
      if (!open || !pending) return;
      const plan = new Plan();
      const written = plan.slot("written");
      const bytes = plan.bytes(pending);
      plan.step("write", [direction.writeFd, bytes, bytes.length], {
        into: written,
        ignore: "all",
      });
      this.#options.system.run(plan, "pass on pending messages");
      const result = plan.result(written);
      if (result === -ERRNO.EAGAIN) return;
      direction.pending = undefined;
      if (result < 0) this.#decide({ kind: "broken", direction: i }, burst);
      else burst.listen(i, true);
    });
  }

  /** Waits until a program says something, has room again, or has left. */
  async #wait(): Promise<void> {
    const open = this.#directions.filter((direction) => direction.open);
    if (open.length === 0) return;
    const full = open.filter(({ pending }) => pending !== undefined);
    const others = open.filter(({ pending }) => pending === undefined);
    // The end that is written to never has anything to read; it becomes ready when the listener has
    // left.
    const readable = others.flatMap(({ readFd, writeFd }) => [readFd, writeFd]);
    await this.#options.waiter.ready(
      { readable, writable: full.map(({ writeFd }) => writeFd) },
      Infinity,
    );
  }

  /** Records what was said to a program that no longer listened. */
  #recordRest({ from, readFd }: Direction): void {
    const { system, transcript } = this.#options;
    const plan = new Plan();
    const buffer = plan.alloc(READ_SIZE);
    const length = plan.slot("length");
    plan.step("read", [readFd, buffer, buffer.length], { into: length, ignore: "all" });
    const execute = system.prepare(plan, "read what is left");
    while (!transcript.truncated) {
      execute();
      if (plan.result(length) <= 0) return;
      transcript.add(from, plan.content(buffer, plan.result(length)));
    }
  }

  /** Closes both ends: the speaker gets SIGPIPE, the listener the end of its input. */
  #close(direction: Direction): void {
    if (!direction.open) return;
    direction.open = false;
    const { system, waiter } = this.#options;
    waiter.forget(direction.readFd, direction.writeFd);
    system.close(direction.readFd, direction.writeFd);
  }
}
