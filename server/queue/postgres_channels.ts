/** Messages through PostgreSQL: one connection that sends and listens, and is made again if it breaks. */

import { persist } from "./connection_error.ts";
import type { PgClient, PgQueryable } from "./postgres_client.ts";

/** PostgreSQL takes less than 8000 bytes; each character here has at most three. */
const INLINE_MAX_CHARS = 2600;
/** What begins a message that is in the table, and one that is not. */
const STORED = "@";
const INLINE = "=";
/** How long a large message waits for whoever listens. */
const STORED_KEPT_SECONDS = 60;
const RETRY_MS = 500;

/** How to get a connection, and what is told of it. */
export interface ChannelOptions {
  /** Makes a client, which is not connected. */
  readonly client: () => PgClient;
  /** Where large messages are stored. */
  readonly pool: PgQueryable;
  /** The schema of the table of large messages, and what channels begin with. */
  readonly schema: string;
  readonly onLost: (error: unknown) => void;
  readonly onConnected: () => void;
}

/** Channels of a database. */
export class PostgresChannels {
  readonly #options: ChannelOptions;
  readonly #subscribers = new Map<string, (message: string) => void>();
  #client: PgClient | undefined;
  #isClosed = false;
  /** Messages go, and arrive, one after the other. */
  #sending: Promise<unknown> = Promise.resolve();
  #hearing: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Connects for the first time. */
  async connect(): Promise<void> {
    const client = this.#options.client();
    const lost = (error?: unknown) => this.#lost(client, error);
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", ({ channel, payload = "" }) => this.#hear(channel, payload));
    try {
      await client.connect();
      // A message is lost with the database; that is no harm, and waiting for the disk would be.
      await client.query("SET synchronous_commit = off");
      for (const channel of this.#subscribers.keys()) await listen(client, channel);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    this.#client = client;
    this.#options.onConnected();
  }

  /** Sends a message. */
  async publish(channel: string, message: string): Promise<void> {
    const sent = this.#sending.then(() => persist(() => this.#publish(channel, message)));
    this.#sending = sent.catch(() => {});
    await sent;
  }

  /** Listens to a channel. */
  async subscribe(channel: string, onMessage: (message: string) => void): Promise<void> {
    const name = this.#name(channel);
    this.#subscribers.set(name, onMessage);
    if (this.#client) await listen(this.#client, name);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#client?.end();
  }

  async #publish(channel: string, message: string): Promise<void> {
    if (!this.#client) {
      if (this.#isClosed) return;
      throw Object.assign(new Error("There is no connection"), { code: "ECONNRESET" });
    }
    await this.#client.query("SELECT pg_notify($1, $2)", [
      this.#name(channel),
      message.length <= INLINE_MAX_CHARS ? INLINE + message : STORED + await this.#store(message),
    ]);
  }

  async #store(message: string): Promise<string> {
    const { pool, schema } = this.#options;
    const { rows: [row] } = await pool.query(
      `INSERT INTO ${schema}.message (body, expires_at)
       VALUES ($1, now() + make_interval(secs => $2)) RETURNING id::text`,
      [message, STORED_KEPT_SECONDS],
    );
    return String(row?.["id"]);
  }

  #hear(channel: string, payload: string): void {
    const subscriber = this.#subscribers.get(channel);
    if (!subscriber) return;
    this.#hearing = this.#hearing.then(async () => {
      const message = payload.startsWith(STORED)
        ? await this.#stored(payload.slice(STORED.length))
        : payload.slice(INLINE.length);
      if (message !== undefined) subscriber(message);
    }).catch((error) => this.#options.onLost(error));
  }

  async #stored(id: string): Promise<string | undefined> {
    const { pool, schema } = this.#options;
    const { rows: [row] } = await persist(
      () => pool.query(`SELECT body FROM ${schema}.message WHERE id = $1`, [id]),
      { isOver: () => this.#isClosed },
    );
    return row && String(row["body"]);
  }

  #lost(client: PgClient, error: unknown): void {
    if (this.#client !== client || this.#isClosed) return;
    this.#client = undefined;
    this.#options.onLost(error ?? new Error("Connection terminated"));
    this.#retry();
  }

  #retry(): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.connect();
      } catch (error) {
        this.#options.onLost(error);
        if (!this.#isClosed) this.#retry();
      }
    }, RETRY_MS);
  }

  #name(channel: string): string {
    return `${this.#options.schema}:${channel}`;
  }
}

async function listen(client: PgClient, channel: string): Promise<void> {
  await client.query(`LISTEN "${channel}"`);
}
