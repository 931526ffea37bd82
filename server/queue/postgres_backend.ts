/** The queue on PostgreSQL. */

import type * as Bull from "bullmq";
import { ExpectedError } from "../../text/errors.ts";
import {
  type BackendOptions,
  type BullWorkerOptions,
  CONNECT_LIMIT_MS,
  connected,
  loadPackage,
  type Processor,
  QUEUE_NAME,
  type QueueBackend,
} from "./backend.ts";
import type { QueuedJob } from "./queued_job.ts";
import { Outage } from "./outage.ts";
import { PostgresChannels } from "./postgres_channels.ts";
import type { PgConfig, PgPackage, PgQueryable } from "./postgres_client.ts";
import { PostgresStore } from "./postgres_store.ts";

const POOL_SIZE = 4;

/** Connects with PostgreSQL. */
export async function connectPostgres(options: BackendOptions): Promise<QueueBackend> {
  const { Queue, Worker, createPostgresBackend } = await loadPackage<typeof Bull>("bullmq");
  const { default: { Client, Pool } } = await loadPackage<PgPackage>("pg");
  const { address, allowVolatile } = options;
  const outage = new Outage(options);
  const config: PgConfig = {
    connectionString: address.url,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  };
  const pool = new Pool({ ...config, max: POOL_SIZE });
  // Such as that the database was stopped; the channels make it known.
  pool.on("error", () => {});
  const schema = `${address.name}_store`;
  const channels = new PostgresChannels({
    client: () => new Client(config),
    ...{ pool, schema },
    onLost: (error) => outage.begins(error),
    onConnected: () => outage.ends(),
  });
  const store = new PostgresStore({ pool, schema, channels });
  // BullMQ has its own tables, in a schema of their own.
  // BullMQ's types say which backend a queue has; ours do not.
  const factory = createPostgresBackend as unknown as Bull.BackendFactory<Bull.RedisQueueBackend>;
  const bullConfig = { ...config, max: POOL_SIZE + 2, schema: address.name, migrate: true };
  const connection = bullConfig as Bull.ConnectionOptions;
  const queue = new Queue<QueuedJob>(QUEUE_NAME, { connection }, factory);
  const fails = (error: unknown) => outage.fails(error, { isConnected: channels.isConnected });
  const close = async () => {
    store.close();
    await Promise.allSettled([queue.close(), channels.close(), pool.end()]);
  };
  try {
    const prepare = async () => {
      await channels.connect();
      if (!allowVolatile) await checkDurable(pool, address.shown);
      await store.prepare();
      await queue.waitUntilReady();
    };
    queue.on("error", () => {});
    await connected(prepare(), { address, lastError: () => outage.error });
  } catch (error) {
    await close();
    throw error;
  }
  queue.removeAllListeners("error");
  queue.on("error", fails);
  return {
    queue,
    store,
    get isConnected() {
      return channels.isConnected;
    },
    worker(processor: Processor, given: BullWorkerOptions) {
      const worker = new Worker<QueuedJob>(
        QUEUE_NAME,
        async (job, token) => await processor(job, token ?? ""),
        { ...given, connection, autorun: false },
        factory,
      );
      worker.on("error", fails);
      return worker;
    },
    close,
  };
}

/** A database that does not wait for its disk forgets jobs when the machine fails. */
async function checkDurable(pool: PgQueryable, shown: string): Promise<void> {
  const { rows } = await pool.query(
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')",
  );
  const wrong = rows.filter(({ setting }) => setting === "off").map(({ name }) => `'${name} on'`);
  if (wrong.length === 0) return;
  throw new ExpectedError(
    `${shown} would lose jobs: set ${wrong.join(" and ")} in its configuration ` +
      "(--allow-volatile-queue uses it all the same)",
  );
}
