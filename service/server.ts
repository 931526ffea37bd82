/** Listening on a unix socket, and accepting who comes, within bounds. */

import * as linux from "../ffi/linux.ts";
import type { Waiter } from "../box/keep/waiter.ts";
import { ABI_VERSION } from "../ffi/abi.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import { Connection } from "./connection.ts";
import { closeAside } from "./packets.ts";
import { openPeer, type Peer, peerOf } from "./peer.ts";
import { readCommandLine } from "./command_line.ts";
import type { CommandLine, Hello } from "./protocol.ts";
import { type ClientSurroundings, ELSEWHERE } from "./surroundings.ts";

const SOCK_CLOEXEC_NONBLOCK = linux.SOCK_CLOEXEC | linux.SOCK_NONBLOCK;
/** A client sends its command line at once, or is none; one that is refused reads why. */
const HELLO_MS = 10_000;
/** How long what a client that has gone ran may hold up the next client of the same user, at most. */
const ENDING_MS = 500;
/** The process id of whom the kernel does not show us. */
const UNSEEN = 0;
const REFUSED_MS = 10_000;

const NO_DESCRIPTORS: ReadonlySet<number> = new Set([ERRNO.EMFILE, ERRNO.ENFILE]);
const FULL_MS = 50;

/** That a client has gone; an AbortSignal would take longer, and every client goes in the end. */
export class Departure {
  readonly #listeners: (() => void)[] = [];
  #hasHappened = false;

  /** Whether it has gone. */
  get hasHappened(): boolean {
    return this.#hasHappened;
  }

  /** Calls back when it goes; at once if it has gone. */
  listen(listener: () => void): void {
    if (this.#hasHappened) listener();
    else this.#listeners.push(listener);
  }

  /** Says that it has gone. */
  happen(): void {
    this.#hasHappened = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}

/** A client that has handed over its command line. */
export interface Client {
  readonly connection: Connection;
  readonly peer: Peer;
  readonly surroundings: ClientSurroundings;
  readonly hello: Hello;
  readonly command: CommandLine;
  /** The socket from which the box takes the client's streams. */
  readonly streamSocket: number;
  /** Hands on the signals that the client is sent. */
  readonly signals: (listener: (signal: number) => void) => void;
  readonly gone: Departure;
}

/** How a server listens, and what it does with clients. */
export interface ServerOptions {
  readonly system: System;
  readonly waiter: Waiter;
  /** The listening socket. */
  readonly socket: number;
  /** How many connections there may be now: in all, and of one user who is not root. */
  readonly bounds: () => { readonly clients: number; readonly clientsPerUser: number };
  /** Serves a client; what it throws is a bug. */
  readonly serve: (client: Client) => Promise<void>;
  /** Tells somebody why they cannot be served. */
  readonly refuse: (client: Client, sentence: string) => Promise<void>;
}

/** Accepts clients and serves them. */
export class Server {
  readonly #options: ServerOptions;
  /** Those who are served, and those who are only told why they are not. */
  readonly #served = new Crowd();
  readonly #refused = new Crowd();
  readonly #connections = new Set<Connection>();
  /** Those whose clients have gone, while what they ran is being ended, and the users of these. */
  readonly #ending = new Map<Connection, number>();
  #isClosing = false;
  #accepted = 0;
  #onEnd = () => {};

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Accepts until the server is closed. */
  async run(): Promise<void> {
    const { waiter, socket } = this.#options;
    while (!this.#isClosing) {
      await waiter.readable([socket], Infinity);
      let accepted = 0;
      while (!this.#isClosing && (accepted = this.#accept()) >= 0);
      // The next one stays in the socket until a descriptor is free.
      if (NO_DESCRIPTORS.has(-accepted)) await waiter.sleep(FULL_MS);
    }
  }

  /** Accepts no more; those who are served are served to their end. */
  stopAccepting(): void {
    this.#isClosing = true;
    this.#options.waiter.forget(this.#options.socket);
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves once nobody is connected. */
  async drained(): Promise<void> {
    while (this.#connections.size > 0) {
      await new Promise<void>((resolve) => this.#onEnd = resolve);
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** How many clients were accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Accepts a client; a negative errno: there is none, or it cannot be accepted. */
  #accept(): number {
    const { system, socket } = this.#options;
    const { plan, parts } = ACCEPT.run(system, socket);
    const accepted = plan.result(parts);
    if (accepted < 0) return accepted;
    this.#accepted++;
    const peer = peerOf(system, accepted);
    const complaint = this.#complaint(peer);
    // Not even sentences are given out without a bound.
    if (complaint !== undefined && this.#tooMany(peer, this.#refused) !== undefined) {
      system.close(accepted);
    } else {
      void this.#attend(accepted, peer, complaint);
    }
    return accepted;
  }

  /** Why a client is not served. */
  #complaint(peer: Peer): string | undefined {
    if (peer.pid === UNSEEN) {
      return "The isolate service is in a PID namespace (a container) in which your process is not: " +
        "start the service outside of it, or call it from inside";
    }
    return this.#tooMany(peer, this.#served);
  }

  #tooMany({ uid }: Peer, crowd: Crowd): string | undefined {
    const { clients, clientsPerUser } = this.#options.bounds();
    if (crowd.size >= clients) {
      return `The isolate service is busy with ${clients} clients: try again later`;
    }
    if (uid === 0 || crowd.of(uid) < clientsPerUser) return undefined;
    return `The isolate service serves at most ${clientsPerUser} clients of one user at once: ` +
      "try again later";
  }

  async #attend(fd: number, peer: Peer, complaint: string | undefined): Promise<void> {
    const { system, waiter } = this.#options;
    const crowd = complaint === undefined ? this.#served : this.#refused;
    crowd.add(peer.uid);
    const gone = new Departure();
    const early: number[] = [];
    let listener = (signal: number): void => {
      early.push(signal);
    };
    let greeted: (client: { hello: Hello; fds: readonly number[] } | undefined) => void = () => {};
    const greeting = new Promise<{ hello: Hello; fds: readonly number[] } | undefined>((resolve) =>
      greeted = resolve
    );
    const connection = new Connection(system, waiter, {
      fd,
      events: {
        onHello: ({ hello }, fds) => greeted({ hello, fds }),
        onSignal: (signal) => listener(signal),
        onEnd: () => {
          this.#ending.set(connection, peer.uid);
          greeted(undefined);
          gone.happen();
        },
      },
    });
    this.#connections.add(connection);
    const listening = connection.listen();
    let timer = connection.isGreeted ? 0 : setTimeout(() => greeted(undefined), HELLO_MS);
    const process = openPeer(system, peer);
    const watched = peer.pid === UNSEEN
      ? closeAfter(HELLO_MS, connection, gone)
      : this.#closeWithPeer(connection, process?.fd, gone);
    try {
      const greeted = await greeting;
      clearTimeout(timer);
      if (!greeted) return;
      const { hello, fds } = greeted;
      if (hello.version !== ABI_VERSION) {
        closeAside(system, fds);
        return connection.refuse();
      }
      const command = readCommandLine(system, hello, fds);
      if (!command) return;
      const signals = (next: (signal: number) => void) => {
        listener = next;
        early.splice(0).forEach(next);
      };
      const streamSocket = fds[1]!;
      const client: Client = {
        connection,
        peer,
        surroundings: process?.surroundings ?? ELSEWHERE,
        hello,
        command,
        streamSocket,
        signals,
        gone,
      };
      try {
        if (complaint === undefined) {
          await this.#earlierEnded(peer);
          return await this.#options.serve(client);
        }
        timer = setTimeout(() => connection.close(), REFUSED_MS);
        await this.#options.refuse(client, complaint);
      } finally {
        system.close(streamSocket);
      }
    } finally {
      clearTimeout(timer);
      connection.close();
      this.#connections.delete(connection);
      this.#ending.delete(connection);
      this.#onEnd();
      crowd.remove(peer.uid);
      await Promise.all([listening, watched]);
    }
  }

  /** Who kills a client and calls at once finds the box free: what that client ran ends first. */
  async #earlierEnded({ uid }: Peer): Promise<void> {
    if (this.#connections.size === 1) return;
    const untilMs = performance.now() + ENDING_MS;
    // The end of a connection that came together with this one is seen by now.
    await new Promise((resolve) => setImmediate(resolve));
    while (performance.now() < untilMs && [...this.#ending.values()].includes(uid)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** A client could have given its end of the connection to somebody else, to us for instance. */
  async #closeWithPeer(
    connection: Connection,
    fd: number | undefined,
    gone: Departure,
  ): Promise<void> {
    const { system, waiter } = this.#options;
    if (fd === undefined) return connection.close();
    gone.listen(() => waiter.forget(fd));
    if (!gone.hasHappened) await waiter.readable([fd], Infinity);
    waiter.forget(fd);
    system.close(fd);
    connection.close();
  }
}

/** Nobody says when such a client dies. */
async function closeAfter(ms: number, connection: Connection, gone: Departure): Promise<void> {
  const timer = setTimeout(() => connection.close(), ms);
  await new Promise<void>((resolve) => gone.listen(resolve));
  clearTimeout(timer);
}

const ACCEPT = new Routine("accept a client", ["socket"], (plan, socket) => {
  const fd = plan.slot("connection");
  plan.step("accept4", [socket!, 0, 0, SOCK_CLOEXEC_NONBLOCK], { into: fd, ignore: "all" });
  return fd;
});

/** Counts clients, in all and by their users. */
class Crowd {
  readonly #byUser = new Map<number, number>();
  size = 0;

  of(uid: number): number {
    return this.#byUser.get(uid) ?? 0;
  }

  add(uid: number): void {
    this.size++;
    this.#byUser.set(uid, this.of(uid) + 1);
  }

  remove(uid: number): void {
    this.size--;
    const left = this.of(uid) - 1;
    if (left > 0) this.#byUser.set(uid, left);
    else this.#byUser.delete(uid);
  }
}
