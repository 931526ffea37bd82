/** Jobs that no worker could do, and other things that administrators look at. */

import type { Job as BullJob } from "bullmq";
import { ExpectedError } from "../../text/errors.ts";
import type { QueueBackend } from "./backend.ts";
import { readMessage } from "./outcome.ts";
import { JOB_OPTIONS, type QueuedJob, queueIdOf } from "./queued_job.ts";
import type { WorkerInfo } from "./worker_info.ts";

/** A job that no worker could do. */
export interface DeadLetter {
  /** The id of the job. */
  readonly id: string;
  readonly language: string;
  /** Why the last worker failed. */
  readonly reason: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAtMs: number;
  /** When it was given up. */
  readonly deadSinceMs: number;
  /** Which attempt it was. */
  readonly attempt: number;
}

/** The dead letters of a queue. */
export class DeadLetters {
  readonly #backend: QueueBackend;

  constructor(backend: QueueBackend) {
    this.#backend = backend;
  }

  /** Lists them, the newest first. */
  async list(): Promise<readonly DeadLetter[]> {
    return (await this.#jobs()).map(({ data, name, failedReason, timestamp, finishedOn }) => ({
      id: data.id,
      language: name,
      reason: failedReason,
      sentAtMs: timestamp,
      deadSinceMs: finishedOn ?? timestamp,
      attempt: data.attempt,
    }));
  }

  /**
   * Puts jobs into the queue again. Their clients have their answer already; what becomes of them is
   * kept for those who ask again.
   *
   * @throws {ExpectedError} if one is no dead letter; then none is retried. Rejects with it
   */
  async retry(ids: readonly string[] | "all"): Promise<number> {
    const jobs = await this.#find(ids);
    for (const job of jobs) {
      const attempt = job.data.attempt + 1;
      const { id } = job.data;
      // First the new one: a job that is there twice is done once.
      await this.#backend.queue.add(job.name, { ...job.data, attempt }, {
        ...JOB_OPTIONS,
        jobId: queueIdOf(id, attempt),
        priority: job.priority,
      });
      await job.remove();
    }
    return jobs.length;
  }

  /**
   * Forgets jobs.
   *
   * @throws {ExpectedError} if one is no dead letter; then none is forgotten. Rejects with it
   */
  async remove(ids: readonly string[] | "all"): Promise<number> {
    const jobs = await this.#find(ids);
    for (const job of jobs) await job.remove();
    return jobs.length;
  }

  async #find(ids: readonly string[] | "all"): Promise<readonly BullJob<QueuedJob>[]> {
    const jobs = await this.#jobs();
    if (ids === "all") return jobs;
    for (const id of ids) {
      if (!jobs.some(({ data }) => data.id === id)) {
        throw new ExpectedError(
          `There is no dead letter ${id}: \`isolate queue list\` shows those there are`,
        );
      }
    }
    return jobs.filter(({ data }) => ids.includes(data.id));
  }

  async #jobs(): Promise<readonly BullJob<QueuedJob>[]> {
    const jobs = await this.#backend.queue.getFailed(0, -1);
    // One that goes away meanwhile is undefined, whatever the types say.
    return jobs.filter((job) => job !== undefined) as BullJob<QueuedJob>[];
  }
}

/** Lists the workers of a queue by their names. */
export async function listWorkers({ store }: QueueBackend): Promise<readonly WorkerInfo[]> {
  return (await store.workers()).map((info) => readMessage<WorkerInfo>(info))
    .sort((one, other) => one.name < other.name ? -1 : 1);
}
