/** The queue on Redis. */

import type * as Bull from "bullmq";
import type * as IoRedis from "ioredis";
import { ExpectedError } from "../../text/errors.ts";
import {
  type BackendOptions,
  type BullWorkerOptions,
  connected,
  loadPackage,
  type Processor,
  QUEUE_NAME,
  type QueueBackend,
} from "./backend.ts";
import type { QueuedJob } from "./queued_job.ts";
import { Outage } from "./outage.ts";
import { RedisStore } from "./redis_store.ts";

const RETRY_MAX_MS = 1000;

/** Connects with Redis. */
export async function connectRedis(options: BackendOptions): Promise<QueueBackend> {
  const { Queue, Worker } = await loadPackage<typeof Bull>("bullmq");
  const { Redis } = await loadPackage<typeof IoRedis>("ioredis");
  const { address, allowVolatile } = options;
  const outage = new Outage(options);
  const open = () => {
    const client = new Redis(address.url, {
      // Commands wait until there is a connection again, and are sent again.
      maxRetriesPerRequest: null,
      retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 10), RETRY_MAX_MS),
    });
    client.on("error", (error) => outage.begins(error));
    return client;
  };
  const commands = open();
  const listener = open();
  const disconnect = () => [commands, listener].forEach((client) => client.disconnect());
  try {
    const info = await connected(commands.info(), { address, lastError: () => outage.error });
    if (!allowVolatile) checkDurable(info, address.shown);
  } catch (error) {
    disconnect();
    throw error;
  }
  const isReady = () => [commands, listener].every(({ status }) => status === "ready");
  const ready = () => isReady() && outage.ends();
  for (const client of [commands, listener]) client.on("ready", ready);
  outage.ends();
  const prefix = address.name;
  const queue = new Queue<QueuedJob>(QUEUE_NAME, { connection: commands, prefix });
  const fails = (error: unknown) => outage.fails(error, { isConnected: isReady() });
  queue.on("error", fails);
  await queue.waitUntilReady();
  return {
    queue,
    store: new RedisStore({ commands, listener, prefix }),
    get isConnected() {
      return isReady();
    },
    worker(processor: Processor, given: BullWorkerOptions) {
      const worker = new Worker<QueuedJob>(
        QUEUE_NAME,
        async (job, token) => await processor(job, token ?? ""),
        { ...given, prefix, connection: commands, autorun: false },
      );
      worker.on("error", fails);
      return worker;
    },
    async close() {
      await queue.close();
      disconnect();
    },
  };
}

/** Redis forgets jobs if it writes no log of what it does, or evicts keys when memory is short. */
function checkDurable(info: string, shown: string): void {
  const facts = new Map(
    info.split("\r\n").map((line) => {
      const [key = "", value = ""] = line.split(":");
      return [key, value];
    }),
  );
  const wrong: string[] = [];
  if (facts.get("aof_enabled") !== "1") wrong.push("'appendonly yes'");
  if (facts.get("maxmemory_policy") !== "noeviction") wrong.push("'maxmemory-policy noeviction'");
  if (wrong.length === 0) return;
  throw new ExpectedError(
    `${shown} would lose jobs: set ${wrong.join(" and ")} in its configuration ` +
      "(--allow-volatile-queue uses it all the same)",
  );
}
