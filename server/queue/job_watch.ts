/**
 * Looks after the jobs that somebody waits for. Messages can be lost, and a queue that is killed can
 * forget what it was told last: then a job is sent again.
 */

import type { QueueBackend } from "./backend.ts";
import { FILE_KEPT_MS, type JobOutcome, readMessage } from "./outcome.ts";
import type { PendingJob } from "./pending_job.ts";

const INTERVAL_MS = 2000;
/** How many jobs are looked after at once. */
const BATCH = 500;

/** What is looked after. */
export interface WatchOptions {
  readonly backend: QueueBackend;
  readonly pending: ReadonlyMap<string, PendingJob>;
  readonly sendAgain: (pending: PendingJob) => Promise<void>;
  readonly complain: (error: unknown) => void;
}

/** Looks after pending jobs, now and then. */
export class JobWatch {
  readonly #options: WatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Begins to look. */
  begin(): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#round(), INTERVAL_MS);
  }

  /** Looks at all jobs soon, whenever they were sent. */
  hurry(): void {
    for (const pending of this.#options.pending.values()) pending.lookedAtMs = -Infinity;
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks what became of jobs. */
  async lookAt(jobs: readonly PendingJob[]): Promise<void> {
    const { backend: { store, queue }, sendAgain, complain } = this.#options;
    const settle = async (open: readonly PendingJob[]) => {
      const outcomes = await store.outcomes(open.map(({ job }) => job.id));
      return open.filter((pending, index) => {
        const outcome = outcomes[index];
        if (outcome !== undefined) pending.settle(readMessage<JobOutcome>(outcome));
        return outcome === undefined;
      });
    };
    const now = performance.now();
    try {
      const open = await settle(jobs);
      const states = await Promise.all(open.map(({ queueId }) => queue.getJobState(queueId)));
      for (const [index, pending] of open.entries()) {
        pending.lookedAtMs = now;
        if (states[index] === "failed") {
          const dead = await queue.getJob(pending.queueId);
          pending.die(dead?.failedReason ?? "the reason is lost");
        }
        await this.#keepFiles(pending, now);
      }
      // One that is not there has ended meanwhile, or is lost.
      for (const pending of await settle(open.filter((_, index) => states[index] === "unknown"))) {
        if (pending.cancelReason !== undefined) pending.reject(pending.cancelReason);
        if (!this.#options.pending.has(pending.job.id)) continue;
        pending.attempt++;
        await sendAgain(pending);
      }
    } catch (error) {
      complain(error);
    }
  }

  async #round(): Promise<void> {
    const before = performance.now() - INTERVAL_MS;
    const due = [...this.#options.pending.values()]
      .filter(({ lookedAtMs }) => lookedAtMs < before)
      .sort((one, other) => one.lookedAtMs - other.lookedAtMs);
    if (due.length > 0 && this.#options.backend.isConnected) {
      await this.lookAt(due.slice(0, BATCH));
    }
    this.begin();
  }

  /** While a job waits, its large files may not go away. */
  async #keepFiles(pending: PendingJob, now: number): Promise<void> {
    const { packed: { files } } = pending;
    if (files.size === 0 || now - pending.filesKeptAtMs < FILE_KEPT_MS / 3) return;
    const { store } = this.#options.backend;
    for (const hash of await store.missingFiles([...files.keys()], FILE_KEPT_MS)) {
      await store.putFile(hash, files.get(hash)!, FILE_KEPT_MS);
    }
    pending.filesKeptAtMs = now;
  }
}
