/** A job that somebody waits for while it is in a queue. */

import { JobError } from "../engine/executor.ts";
import { unfinished } from "../engine/stage_result.ts";
import type { Job, JobResult } from "../engine/types.ts";
import type { EventFilter } from "./event_filter.ts";
import type { JobOutcome } from "./outcome.ts";
import type { PackedJob } from "./packing.ts";
import { queueIdOf } from "./queued_job.ts";
import type { RemoteSession } from "./remote_session.ts";

/** What a job is sent with. */
export interface PendingOptions {
  readonly job: Job;
  readonly packed: PackedJob;
  readonly filter: EventFilter | undefined;
  readonly session: RemoteSession | undefined;
}

/** A job that was sent; what comes first is what became of it. */
export class PendingJob {
  readonly job: Job;
  readonly packed: PackedJob;
  readonly filter: EventFilter | undefined;
  readonly session: RemoteSession | undefined;
  /** How often it was sent. */
  attempt = 1;
  /** When it was sent, or looked after: `performance.now()`. */
  lookedAtMs = performance.now();
  /** When its large files were sent, or kept for longer. */
  filesKeptAtMs = performance.now();
  /** Why it was cancelled. */
  cancelReason: unknown;
  readonly #settled = Promise.withResolvers<JobResult>();

  constructor({ job, packed, filter, session }: PendingOptions) {
    this.job = job;
    this.packed = packed;
    this.filter = filter;
    this.session = session;
  }

  /** Its id in the queue. */
  get queueId(): string {
    return queueIdOf(this.job.id, this.attempt);
  }

  /** What became of it. */
  get result(): Promise<JobResult> {
    return this.#settled.promise;
  }

  /** Says what became of it. */
  settle(outcome: JobOutcome): void {
    if (outcome.kind === "done") this.#settled.resolve(outcome.result);
    else if (outcome.kind === "refused") this.#settled.reject(new JobError(outcome.reason));
    else this.#settled.reject(this.cancelReason ?? new JobError("the job is cancelled"));
  }

  /** No worker could do it: it is a dead letter now. */
  die(reason: string): void {
    const ending = { kind: "failed", reason: `No worker could do the job: ${reason}` } as const;
    const result = unfinished(ending);
    this.filter?.take({ stage: "run", run: 0, kind: "end", result }, "");
    this.#settled.resolve({ version: "", isCached: false, runs: [result] });
  }

  /** Nobody waits for it any more. */
  reject(reason: unknown): void {
    this.#settled.reject(reason);
  }
}
