/** Results, large files and messages in PostgreSQL. Rows are deleted some time after their end. */

import type { Bytes } from "../engine/types.ts";
import { persist } from "./connection_error.ts";
import type { PgAnswer, PgQueryable } from "./postgres_client.ts";
import type { PostgresChannels } from "./postgres_channels.ts";
import type { KnownOfJob, OutcomeToPut, QueueStore } from "./queue_store.ts";

const CLEAN_MS = 30_000;
const TABLES = ["outcome", "cancelled", "file", "worker", "message"];

/** A pool of connections, and a schema, whose name needs no quotes. */
export interface PostgresStoreOptions {
  readonly pool: PgQueryable;
  readonly schema: string;
  readonly channels: PostgresChannels;
}

/** The store of a queue on PostgreSQL. */
export class PostgresStore implements QueueStore {
  readonly #pool: PgQueryable;
  readonly #schema: string;
  readonly #channels: PostgresChannels;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor({ pool, schema, channels }: PostgresStoreOptions) {
    this.#pool = pool;
    this.#schema = schema;
    this.#channels = channels;
  }

  /** Makes the tables, if they are not there. */
  async prepare(): Promise<void> {
    // Two who make a table at once disturb each other: the lock ends with the transaction.
    const columns = "id text PRIMARY KEY, body text, expires_at timestamptz NOT NULL";
    const s = this.#schema;
    await this.#pool.query(`
      BEGIN;
      SELECT pg_advisory_xact_lock(hashtext('${s}'));
      CREATE SCHEMA IF NOT EXISTS ${s};
      CREATE TABLE IF NOT EXISTS ${s}.outcome (${columns});
      CREATE TABLE IF NOT EXISTS ${s}.cancelled (${columns});
      CREATE TABLE IF NOT EXISTS ${s}.worker (${columns});
      CREATE TABLE IF NOT EXISTS ${s}.file
        (id text PRIMARY KEY, body bytea NOT NULL, expires_at timestamptz NOT NULL);
      CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.message
        (id bigserial PRIMARY KEY, body text NOT NULL, expires_at timestamptz NOT NULL);
      COMMIT`);
    await this.#clean();
  }

  /** Deletes no more rows. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async outcomes(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    if (ids.length === 0) return [];
    const { rows } = await this.#query(
      `SELECT id, body FROM ${this.#schema}.outcome WHERE id = ANY($1) AND expires_at > now()`,
      [ids],
    );
    const found = new Map(rows.map(({ id, body }) => [id, String(body)]));
    return ids.map((id) => found.get(id));
  }

  async putOutcome(
    id: string,
    { text, keptMs, channel, message }: OutcomeToPut,
  ): Promise<boolean> {
    const { rowCount } = await this.#put("outcome", { id, body: text, keptMs });
    if (rowCount === 1) await this.publish(channel, message);
    return rowCount === 1;
  }

  async known(id: string): Promise<KnownOfJob> {
    const { rows: [row] } = await this.#query(
      `SELECT (SELECT body FROM ${this.#schema}.outcome WHERE id = $1 AND expires_at > now()),
         EXISTS (SELECT FROM ${this.#schema}.cancelled WHERE id = $1) AS is_cancelled`,
      [id],
    );
    const outcome = row?.["body"];
    return {
      outcome: typeof outcome === "string" ? outcome : undefined,
      isCancelled: row?.["is_cancelled"] === true,
    };
  }

  async putCancelled(id: string, keptMs: number): Promise<void> {
    await this.#put("cancelled", { id, body: null, keptMs });
  }

  async missingFiles(hashes: readonly string[], keptMs: number): Promise<readonly string[]> {
    const { rows } = await this.#query(
      `UPDATE ${this.#schema}.file SET expires_at = greatest(expires_at, ${until("$2")})
       WHERE id = ANY($1) RETURNING id`,
      [hashes, keptMs],
    );
    const found = new Set(rows.map(({ id }) => id));
    return hashes.filter((hash) => !found.has(hash));
  }

  async putFile(hash: string, content: Bytes, keptMs: number): Promise<void> {
    const { buffer, byteOffset, byteLength } = content;
    const body = (await import("node:buffer")).Buffer.from(buffer, byteOffset, byteLength);
    await this.#put("file", { id: hash, body, keptMs });
  }

  async file(hash: string): Promise<Bytes | undefined> {
    const { rows: [row] } = await this.#query(
      `SELECT body FROM ${this.#schema}.file WHERE id = $1`,
      [hash],
    );
    return row && Uint8Array.from(row["body"] as Uint8Array);
  }

  async putWorker(id: string, info: string, keptMs: number): Promise<void> {
    await this.#query(
      `INSERT INTO ${this.#schema}.worker VALUES ($1, $2, ${until("$3")})
       ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at`,
      [id, info, keptMs],
    );
  }

  async removeWorker(id: string): Promise<void> {
    await this.#query(`DELETE FROM ${this.#schema}.worker WHERE id = $1`, [id]);
  }

  async workers(): Promise<readonly string[]> {
    const { rows } = await this.#query(
      `SELECT body FROM ${this.#schema}.worker WHERE expires_at > now()`,
    );
    return rows.map(({ body }) => String(body));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#channels.publish(channel, message);
  }

  async subscribe(channel: string, onMessage: (message: string) => void): Promise<void> {
    await this.#channels.subscribe(channel, onMessage);
  }

  /** Inserts a row, unless it is there. */
  async #put(
    table: "outcome" | "cancelled" | "file",
    { id, body, keptMs }: { id: string; body: unknown; keptMs: number },
  ): Promise<PgAnswer> {
    return await this.#query(
      `INSERT INTO ${this.#schema}.${table} VALUES ($1, $2, ${until("$3")}) ON CONFLICT DO NOTHING`,
      [id, body, keptMs],
    );
  }

  /** As the client of Redis does it: without a connection it waits. */
  async #query(text: string, values: readonly unknown[] = []): Promise<PgAnswer> {
    return await persist(() => this.#pool.query(text, values), { isOver: () => this.#isClosed });
  }

  async #clean(): Promise<void> {
    try {
      for (const table of TABLES) {
        await this.#pool.query(`DELETE FROM ${this.#schema}.${table} WHERE expires_at < now()`);
      }
    } catch {
      // The next time will do.
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#clean(), CLEAN_MS);
  }
}

function until(parameter: string): string {
  return `now() + make_interval(secs => ${parameter}::double precision / 1000)`;
}
