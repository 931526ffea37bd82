/** A job as it is in the queue. */

/** What a job carries in the queue. */
export interface QueuedJob {
  /** The version of all that is written here. */
  readonly format: number;
  /** The id of the job; that in the queue has the number of the attempt in it. */
  readonly id: string;
  readonly attempt: number;
  /** Who waits for the job. */
  readonly sender: string;
  /** Whether the sender wants to know what happens on the way. */
  readonly wantsEvents: boolean;
  /** Whether standard input comes as messages. */
  readonly isSession: boolean;
  /** The hashes of its large files. */
  readonly fileHashes: readonly string[];
  /** The job itself, see `server/queue/packing.ts`. */
  readonly job: string;
}

/** The version of {@linkcode QueuedJob}, of messages and of outcomes. */
export const FORMAT = 1;

/** How often a job is tried before it is a dead letter. */
const TRIES = 3;
const RETRY_DELAY_MS = 500;
/** For how long dead letters are kept, and how many. */
export const DEAD_KEPT_SECONDS = 30 * 24 * 3600;
const DEAD_KEPT_COUNT = 10_000;

/** How BullMQ treats each job. */
export const JOB_OPTIONS = {
  attempts: TRIES,
  backoff: { type: "fixed", delay: RETRY_DELAY_MS },
  removeOnComplete: true,
  removeOnFail: { age: DEAD_KEPT_SECONDS, count: DEAD_KEPT_COUNT },
} as const;

/** The id of a job in the queue. BullMQ allows no colon there, and no number. */
export function queueIdOf(id: string, attempt: number): string {
  return `${encodeURIComponent(id)}.${attempt}`;
}

/** BullMQ's priorities are not negative, and its 0 means none: before all others. */
const PRIORITY_ZERO = 1 << 20;

/** BullMQ's priority for one of ours; it knows 1 to 2²¹ - 1, and what is beyond comes first or last. */
export function queuePriority(priority: number): number {
  const wanted = PRIORITY_ZERO + Math.round(priority);
  return Math.min(
    2 * PRIORITY_ZERO - 1,
    Math.max(1, Number.isNaN(wanted) ? PRIORITY_ZERO : wanted),
  );
}
