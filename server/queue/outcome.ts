/** What became of a job, and what a worker tells on the way, as text. */

import { decode, encode } from "../engine/codec.ts";
import type { Bytes, JobEvent, JobResult } from "../engine/types.ts";

/** What became of a job. */
export type JobOutcome =
  | { readonly kind: "done"; readonly result: JobResult }
  /** The job is wrong; one sentence says why. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It was cancelled before it began. */
  | { readonly kind: "cancelled" };

/** From a worker to the server that waits for a job. */
export type WorkerMessage =
  & { readonly id: string }
  & (
    | {
      readonly kind: "event";
      /** Differs when the job begins again. */
      readonly execution: string;
      readonly event: JobEvent;
    }
    /** A session begins; its input goes to that channel. */
    | { readonly kind: "session"; readonly channel: string }
    | { readonly kind: "outcome"; readonly outcome: JobOutcome }
    /** It is too large for a message: ask for it. */
    | { readonly kind: "stored" }
    /** It could not be done, and nobody tries again. */
    | { readonly kind: "dead"; readonly reason: string }
  );

/** From a server to workers. */
export type ServerMessage =
  & { readonly id: string }
  & (
    | { readonly kind: "cancel" }
    | { readonly kind: "input"; readonly bytes: Bytes }
    | { readonly kind: "end" }
    | { readonly kind: "signal"; readonly signal: number }
  );

/** The channel that all workers listen to. */
export const WORKERS_CHANNEL = "workers";

/** The channel of one server, or one worker. */
export function channelOf(id: string): string {
  return `to-${id}`;
}

/** How long it is known what became of a job, after the last one who asked. */
export const OUTCOME_KEPT_MS = 3_600_000;
/** How long it is known that a job is cancelled; it may wait for so long. */
export const CANCELLED_KEPT_MS = 3_600_000;
/** How long a large file is kept after the last job that was sent with it. */
export const FILE_KEPT_MS = 3_600_000;

/** Beyond that an outcome is stored, but not sent. */
export const MESSAGE_MAX_CHARS = 256 * 1024;

export { decode as readMessage, encode as writeMessage };
