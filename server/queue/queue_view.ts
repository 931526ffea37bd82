/** What a server knows of its queue: how long it is, and which workers there are. */

import { BusyError, type ExecutorLoad, type LanguageInfo } from "../engine/executor.ts";
import type { QueueBackend } from "./backend.ts";
import { readMessage } from "./outcome.ts";
import { commonLanguages, WORKER_TOLD_MS, type WorkerInfo } from "./worker_info.ts";

/** For how long the depth of the queue is taken as known. */
const DEPTH_KNOWN_MS = 250;
const RETRY_AFTER_SECONDS = 5;

/** A view of a queue, which is looked at again now and then. */
export class QueueView {
  readonly #backend: QueueBackend;
  readonly #complain: (error: unknown) => void;
  #workers: readonly WorkerInfo[] = [];
  #languages: readonly LanguageInfo[] = [];
  #running = 0;
  #waiting = 0;
  /** How many jobs of this server are on their way to the queue, and were added since it was looked at. */
  #adding = 0;
  #added = 0;
  #lookedAtMs = -Infinity;
  #looking: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(backend: QueueBackend, complain: (error: unknown) => void) {
    this.#backend = backend;
    this.#complain = complain;
  }

  /** Looks for the first time, and then again and again. */
  async begin(): Promise<void> {
    try {
      this.#workers = (await this.#backend.store.workers()).map((info) => readMessage(info));
      // Without workers, those that come back will have the languages of those that left.
      if (this.#workers.length > 0) this.#languages = commonLanguages(this.#workers);
      await this.#look();
    } catch (error) {
      this.#complain(error);
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => this.begin(), WORKER_TOLD_MS / 3);
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** How busy the queue was when it was looked at last. */
  get load(): ExecutorLoad {
    const boxes = this.#workers.reduce((sum, worker) => sum + worker.boxes, 0);
    return { running: this.#running, waiting: this.#waiting, boxes };
  }

  /**
   * The languages that all workers have.
   *
   * @throws {BusyError} if there was no worker yet
   */
  get languages(): readonly LanguageInfo[] {
    if (this.#languages.length > 0) return this.#languages;
    throw new BusyError(
      "No worker has come to the queue yet: start `isolate worker`",
      RETRY_AFTER_SECONDS,
    );
  }

  /**
   * Does what puts a job into the queue.
   *
   * @throws {BusyError} if more jobs wait than may, besides those that boxes are free for. Rejects
   *   with it
   */
  async adding(work: () => Promise<void>, waitingMax: number): Promise<void> {
    const isFull = () => {
      const { running, waiting, boxes } = this.load;
      return running + waiting + this.#adding + this.#added >= boxes + waitingMax;
    };
    const isOld = performance.now() - this.#lookedAtMs > DEPTH_KNOWN_MS;
    // Nobody is refused for what has changed meanwhile.
    if (isOld || isFull()) await this.#look();
    if (isFull()) {
      throw new BusyError(
        `Too many jobs: ${this.#waiting + this.#added} wait in the queue; try again later`,
        RETRY_AFTER_SECONDS,
      );
    }
    this.#adding++;
    try {
      await work();
      this.#added++;
    } finally {
      this.#adding--;
    }
  }

  #look(): Promise<void> {
    this.#looking ??= this.#count().finally(() => this.#looking = undefined);
    return this.#looking;
  }

  async #count(): Promise<void> {
    // What is added while it is counted may be counted, or not.
    const before = this.#added;
    const counts = await this.#backend.queue.getJobCounts(
      ...["active", "waiting", "prioritized", "delayed"] as const,
    );
    this.#running = counts["active"] ?? 0;
    this.#waiting = ["waiting", "prioritized", "delayed"]
      .reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    this.#added -= before;
    this.#lookedAtMs = performance.now();
  }
}
