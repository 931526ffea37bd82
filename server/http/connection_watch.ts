/**
 * Closes connections on which nothing is asked for: clients that connect and say nothing, or never end
 * their request's head. The runtime waits for them without end.
 */

/** A connection of a client, as the kernel knows it. */
export interface OpenConnection {
  /** The address and the port of the client. */
  readonly remote: string;
  /** Ends it at once; must be called in the same turn in which it was listed. */
  readonly end: () => void;
}

/** Lists the connections of the server now. */
export type ListConnections = () => readonly OpenConnection[];

/** How long connections may be quiet. */
export interface ConnectionWatchOptions {
  readonly list: ListConnections;
  /** How long, in milliseconds. */
  readonly quietMs: number;
  /** How long while there are more than `manyConnections`. */
  readonly quietOfManyMs: number;
  readonly manyConnections: number;
  readonly onEnd: (count: number) => void;
}

interface Quiet {
  sinceMs: number;
}

/** To look costs milliseconds: the kernel walks through all connections of the machine. */
const LOOKS_IN_QUIET = 5;
const LOOK_MIN_MS = 1000;
const LOOK_MAX_MS = 3000;
/** Time enough for an answer to arrive. */
const SOON_MS = 2000;

/** Watches all connections of a server. */
export class ConnectionWatch implements Disposable {
  readonly #options: ConnectionWatchOptions;
  /** How many requests are on their way on each connection. */
  readonly #busy = new Map<string, number>();
  #quiet = new Map<string, Quiet>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** Begins to watch. */
  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    const everyMs = Math.min(Math.max(options.quietMs / LOOKS_IN_QUIET, LOOK_MIN_MS), LOOK_MAX_MS);
    this.#timer = setInterval(() => this.look(performance.now()), everyMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Says that a request is on its way on a connection, until the returned function is called. */
  hold(remote: string): () => void {
    this.#busy.set(remote, (this.#busy.get(remote) ?? 0) + 1);
    this.#quiet.delete(remote);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const count = this.#busy.get(remote)! - 1;
      if (count > 0) this.#busy.set(remote, count);
      else this.#busy.delete(remote);
    };
  }

  /** Ends a connection soon unless something is asked for: its client has not sent what it began. */
  hasten(remote: string): void {
    this.#quiet.set(remote, { sinceMs: performance.now() - this.#options.quietMs + SOON_MS });
  }

  /** Looks at all connections, and ends those that have been quiet for too long. */
  look(nowMs: number): void {
    const connections = this.#options.list();
    const { quietMs, quietOfManyMs, manyConnections } = this.#options;
    const limitMs = connections.length > manyConnections ? quietOfManyMs : quietMs;
    const quiet = new Map<string, Quiet>();
    let ended = 0;
    for (const { remote, end } of connections) {
      if (this.#busy.has(remote)) continue;
      const known = this.#quiet.get(remote) ?? { sinceMs: nowMs };
      if (nowMs - known.sinceMs >= limitMs) {
        end();
        ended++;
      } else quiet.set(remote, known);
    }
    this.#quiet = quiet;
    if (ended > 0) this.#options.onEnd(ended);
  }

  /** Ends watching. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
