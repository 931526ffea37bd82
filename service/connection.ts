/**
 * A connection to a client: plans go out, what their execution gave comes back. Everything that comes
 * in is hostile, and nothing here waits for the client but the promise of the plan that it owes.
 */

import type { Waiter } from "../box/keep/waiter.ts";
import type { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { closeAside, receive, send } from "./packets.ts";
import { type Packet, parsePacket, REFUSAL } from "./protocol.ts";

/** A client sends few descriptors at once: the two of its first packet, or one batch that was asked for. */
const DESCRIPTORS_MAX = 128;
/** Between two looks at other connections. */
const PACKETS_AT_ONCE = 8;

/** The client went away, or sent what no client sends. */
export class ConnectionLost extends Error {
  /** Always `"ConnectionLost"`. */
  override readonly name = "ConnectionLost";
}

/** What a connection does with what it did not ask for. */
export interface ConnectionEvents {
  /** Takes the first packet with its descriptors, which it then owns. */
  readonly onHello: (packet: Packet & { kind: "hello" }, fds: readonly number[]) => void;
  readonly onSignal: (signal: number) => void;
  /** Comes once, whoever ended the connection. */
  readonly onEnd: () => void;
}

/** A connection to a client. */
export class Connection {
  readonly #system: System;
  readonly #waiter: Waiter;
  readonly #fd: number;
  readonly #events: ConnectionEvents;
  #isOpen = true;
  #isGreeted = false;
  #answer: { settle: (image: Uint8Array<ArrayBuffer> | undefined) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #received: number[] = [];

  /** Takes over an accepted socket. */
  constructor(
    system: System,
    waiter: Waiter,
    { fd, events }: { fd: number; events: ConnectionEvents },
  ) {
    this.#system = system;
    this.#waiter = waiter;
    this.#fd = fd;
    this.#events = events;
  }

  /** Whether the first packet has come. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  /** Takes packets until the connection ends. */
  async listen(): Promise<void> {
    // Most clients have sent the first packet before they are accepted.
    this.#takeWhatCame();
    while (this.#isOpen) {
      await this.#waiter.readable([this.#fd], Infinity);
      this.#takeWhatCame();
    }
  }

  #takeWhatCame(): void {
    const wasNew = !this.#isGreeted;
    for (let count = 0; this.#isOpen && count < PACKETS_AT_ONCE; count++) {
      const received = receive(this.#system, this.#fd);
      if (received === "nothing") break;
      this.#take(received);
      // After its first packet most clients wait for an answer.
      if (count === 0 && wasNew && this.#isGreeted) break;
    }
  }

  #take(received: { bytes: Uint8Array<ArrayBuffer>; fds: number[] } | "end"): void {
    const packet = received === "end" ? undefined : parsePacket(received.bytes);
    const fds = received === "end" ? [] : received.fds;
    if (packet?.kind === "hello" && !this.#isGreeted) {
      this.#isGreeted = true;
      return this.#events.onHello(packet, fds);
    }
    if (packet?.kind === "descriptors" && this.#received.length + fds.length <= DESCRIPTORS_MAX) {
      this.#received.push(...fds);
      return;
    }
    closeAside(this.#system, fds);
    if (packet?.kind === "signal") return this.#events.onSignal(packet.signal);
    if (packet?.kind === "result" && this.#answer) return this.#answer.settle(packet.image);
    this.close();
  }

  /**
   * Has the client execute a plan, after those before it; gives what failed. Without `isLast` the
   * client answers; the descriptors that it sent along are taken by {@linkcode takeDescriptors}.
   */
  attempt(plan: Plan, options: { isLast?: boolean } = {}): Promise<SystemError | undefined> {
    const next = this.#last.then(() => this.#exchange(plan, options));
    this.#last = next.catch(() => {});
    return next;
  }

  /** The same; throws what failed. */
  async run(plan: Plan): Promise<void> {
    const failure = await this.attempt(plan);
    if (failure) throw failure;
  }

  async #exchange(plan: Plan, { isLast = false }): Promise<SystemError | undefined> {
    const image = plan.encode();
    this.#send(image);
    if (isLast) return undefined;
    const executed = await new Promise<Uint8Array<ArrayBuffer> | undefined>((settle) => {
      this.#answer = { settle };
    });
    this.#answer = undefined;
    if (!executed || !plan.adopt(executed)) {
      this.close();
      throw new ConnectionLost("The client has gone");
    }
    return plan.failure().errno === 0 ? undefined : SystemError.of(plan);
  }

  #send(bytes: Uint8Array): void {
    if (!this.#isOpen) throw new ConnectionLost("The client has gone");
    if (send(this.#system, this.#fd, bytes)) {
      this.close();
      throw new ConnectionLost("The client has gone, or reads nothing");
    }
  }

  /** Tells a client of another version so. */
  refuse(): void {
    send(this.#system, this.#fd, new Uint8Array(Int32Array.from(REFUSAL).buffer));
    this.close();
  }

  /** The descriptors that have come since, which the caller then owns. */
  takeDescriptors(): number[] {
    return this.#received.splice(0);
  }

  /** Ends the connection; the client says that the service has ended, unless it was told to exit. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#waiter.forget(this.#fd);
    this.#system.close(this.#fd);
    closeAside(this.#system, this.#received.splice(0));
    this.#answer?.settle(undefined);
    this.#events.onEnd();
  }
}
