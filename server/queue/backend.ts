/** Connects with a queue: BullMQ on Redis or on PostgreSQL, which are loaded only here. */

import type { Job as BullJob, Queue, Worker, WorkerOptions } from "bullmq";
import { ExpectedError } from "../../text/errors.ts";
import type { QueueStore } from "./queue_store.ts";
import type { QueuedJob } from "./queued_job.ts";
import type { QueueAddress } from "./queue_url.ts";

/** Does a job; `token` is the worker's right to it. */
export type Processor = (job: BullJob<QueuedJob>, token: string) => Promise<void>;

/** How a worker of BullMQ behaves. */
export type BullWorkerOptions = Pick<
  WorkerOptions,
  "concurrency" | "lockDuration" | "stalledInterval" | "maxStalledCount" | "name"
>;

/** The queue of an address. */
export interface QueueBackend {
  readonly queue: Queue<QueuedJob>;
  readonly store: QueueStore;
  /** Whether there is a connection at the moment. */
  readonly isConnected: boolean;
  /** Makes a worker, which does not begin before its `run()`. */
  worker(processor: Processor, options: BullWorkerOptions): Worker<QueuedJob>;
  /** Disconnects. */
  close(): Promise<void>;
}

/** How a queue is connected with. */
export interface BackendOptions {
  readonly address: QueueAddress;
  /** Whether a queue that forgets jobs is good enough. */
  readonly allowVolatile: boolean;
  /** Told that the connection is lost, or there again. */
  readonly log: (message: string) => void;
  /** Called when there is a connection again. */
  readonly onReconnect?: (() => void) | undefined;
}

/** The name of the queue of jobs; the address says what it is below. */
export const QUEUE_NAME = "jobs";

/** How long connecting may take. */
export const CONNECT_LIMIT_MS = 5000;

/**
 * Connects with a queue.
 *
 * @throws {ExpectedError} if it cannot be reached, or would forget jobs. Rejects with it
 */
export async function connectQueue(options: BackendOptions): Promise<QueueBackend> {
  const { address: { kind } } = options;
  if (kind === "redis") return await (await import("./redis_backend.ts")).connectRedis(options);
  return await (await import("./postgres_backend.ts")).connectPostgres(options);
}

/**
 * Loads a package of the registry. The name must come from a variable: else `deno run` and
 * `deno compile` load it also for those who need no queue.
 *
 * @throws {ExpectedError} if it cannot be loaded. Rejects with it
 */
export async function loadPackage<T>(name: "bullmq" | "ioredis" | "pg"): Promise<T> {
  try {
    return await import(name);
  } catch (cause) {
    const [reason] = reasonOf(cause).split("\n");
    throw new ExpectedError(
      `A queue needs the package ${name} of the npm registry, which cannot be loaded: ${reason}`,
      { cause },
    );
  }
}

/**
 * Waits for a connection.
 *
 * @throws {ExpectedError} if there is none in time. Rejects with it
 */
export async function connected<T>(
  work: Promise<T>,
  { address, lastError }: { address: QueueAddress; lastError: () => unknown },
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(lastError() ?? new Error("no answer")), CONNECT_LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw new ExpectedError(
      `The queue ${address.shown} cannot be reached: ${reasonOf(cause)}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What failed, in a few words. */
export function reasonOf(error: unknown): string {
  // What tries several addresses has an error for each, and no message.
  if (error instanceof AggregateError && error.message === "") return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
