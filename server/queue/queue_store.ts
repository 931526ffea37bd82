/** What the server and its workers share besides the jobs: results, large files, messages. */

import type { Bytes } from "../engine/types.ts";

/** What is known of a job when a worker begins with it. */
export interface KnownOfJob {
  /** What became of it: another worker was faster. */
  readonly outcome: string | undefined;
  /** Whether nobody wants it any more. */
  readonly isCancelled: boolean;
}

/** What became of a job. */
export interface OutcomeToPut {
  readonly text: string;
  readonly keptMs: number;
  /** Who is told, and how. */
  readonly channel: string;
  readonly message: string;
}

/** Data of a queue with a time after which it goes away by itself. */
export interface QueueStore {
  /** Reads what became of jobs; undefined where that is not known. */
  outcomes(ids: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Says what became of a job, and sends a message; does neither, and tells so, if it is said already. */
  putOutcome(id: string, outcome: OutcomeToPut): Promise<boolean>;
  /** Reads what a worker has to know before it begins. */
  known(id: string): Promise<KnownOfJob>;
  /** Notes that nobody wants a job any more. */
  putCancelled(id: string, keptMs: number): Promise<void>;

  /** Keeps large files at least for so long, and lists those that are not there. */
  missingFiles(hashes: readonly string[], keptMs: number): Promise<readonly string[]>;
  /** Stores a large file, unless it is there. */
  putFile(hash: string, content: Bytes, keptMs: number): Promise<void>;
  /** Reads a large file; undefined if it is not there. */
  file(hash: string): Promise<Bytes | undefined>;

  /** Says what there is to know of a worker; it is forgotten after that time. */
  putWorker(id: string, info: string, keptMs: number): Promise<void>;
  /** Forgets a worker. */
  removeWorker(id: string): Promise<void>;
  /** Lists what is known of workers. */
  workers(): Promise<readonly string[]>;

  /** Sends a message to whoever listens; messages of one sender arrive in order, or not at all. */
  publish(channel: string, message: string): Promise<void>;
  /** Listens, also after a connection was lost. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<void>;
}
