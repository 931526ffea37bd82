/** Executes jobs on other machines: puts them into a queue, and waits for what becomes of them. */

import {
  BusyError,
  type ExecuteOptions,
  type Executor,
  type ExecutorLoad,
  JobError,
  type LanguageInfo,
  type Session,
} from "../engine/executor.ts";
import type { Bytes, Job, JobResult } from "../engine/types.ts";
import { connectQueue, type QueueBackend, reasonOf } from "./backend.ts";
import { FORMAT, JOB_OPTIONS, type QueuedJob, queuePriority } from "./queued_job.ts";
import type { QueueAddress } from "./queue_url.ts";
import { persist } from "./connection_error.ts";
import { EventFilter } from "./event_filter.ts";
import {
  CANCELLED_KEPT_MS,
  channelOf,
  FILE_KEPT_MS,
  readMessage,
  type ServerMessage,
  type WorkerMessage,
  WORKERS_CHANNEL,
  writeMessage,
} from "./outcome.ts";
import { packJob } from "./packing.ts";
import { PendingJob } from "./pending_job.ts";
import { QueueView } from "./queue_view.ts";
import { RemoteSession } from "./remote_session.ts";
import { JobWatch } from "./job_watch.ts";

/** How long a cancelled job may take to end. */
const CANCEL_LIMIT_MS = 10_000;
const RETRY_AFTER_SECONDS = 5;

/** How jobs go through a queue. */
export interface QueueExecutorOptions {
  readonly address: QueueAddress;
  /** Whether a queue that forgets jobs is good enough. */
  readonly allowVolatile: boolean;
  /** How many jobs may wait in the queue, whoever sent them. */
  readonly waiting: number;
  /** Told what fails. */
  readonly complain: (message: string) => void;
}

/** Executes jobs through a queue. */
export class QueueExecutor implements Executor {
  readonly #options: QueueExecutorOptions;
  readonly #backend: QueueBackend;
  readonly #id = crypto.randomUUID();
  readonly #view: QueueView;
  readonly #pending = new Map<string, PendingJob>();
  readonly #watch: JobWatch;
  readonly #closed = Promise.withResolvers<void>();
  #isClosing = false;

  private constructor(options: QueueExecutorOptions, backend: QueueBackend) {
    const { complain } = options;
    const failed = (error: unknown) => {
      // Lost connections are told by the backend.
      if (backend.isConnected) complain(`The queue cannot be looked at: ${reasonOf(error)}`);
    };
    this.#options = options;
    this.#backend = backend;
    this.#view = new QueueView(backend, failed);
    this.#watch = new JobWatch({
      backend,
      pending: this.#pending,
      sendAgain: (pending) => this.#send(pending),
      complain: failed,
    });
  }

  /**
   * Connects with a queue.
   *
   * @throws {ExpectedError} if it cannot be reached, or would forget jobs. Rejects with it
   */
  static async open(options: QueueExecutorOptions): Promise<QueueExecutor> {
    let onReconnect = () => {};
    const backend = await connectQueue({
      ...options,
      log: options.complain,
      onReconnect: () => onReconnect(),
    });
    const executor = new QueueExecutor(options, backend);
    const channel = channelOf(executor.#id);
    await backend.store.subscribe(channel, (message) => executor.#hear(message));
    // What was told last may be lost.
    onReconnect = () => executor.#watch.hurry();
    await executor.#view.begin();
    executor.#watch.begin();
    return executor;
  }

  async execute(job: Job, options: ExecuteOptions = {}): Promise<JobResult> {
    return await this.#execute(job, options);
  }

  open(job: Job, options: ExecuteOptions = {}): Session {
    const session = new RemoteSession((channel, message) =>
      this.#backend.store.publish(channel, writeMessage({ ...message, id: job.id }))
    );
    const result = job.runs.length === 1
      ? this.#execute(job, options, session)
      : Promise.reject(new JobError("a session needs a job with one run"));
    return session.with(result);
  }

  languages(): Promise<readonly LanguageInfo[]> {
    return Promise.try(() => this.#view.languages);
  }

  load(): ExecutorLoad {
    return this.#view.load;
  }

  readonly whyNotReady = (): string | undefined => {
    if (!this.#backend.isConnected) return "the queue cannot be reached";
    return this.#view.load.boxes === 0 ? "the queue has no worker" : undefined;
  };

  async close(): Promise<void> {
    if (this.#isClosing) return await this.#closed.promise;
    this.#isClosing = true;
    await Promise.allSettled([...this.#pending.values()].map(({ result }) => result));
    this.#view.close();
    this.#watch.close();
    await this.#backend.close();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #execute(
    job: Job,
    { signal, onAccepted, onEvent }: ExecuteOptions,
    session?: RemoteSession,
  ): Promise<JobResult> {
    signal?.throwIfAborted();
    this.#admit(job);
    const filter = onEvent && new EventFilter(onEvent);
    const pending = new PendingJob({ job, packed: await packJob(job), filter, session });
    if (this.#pending.has(job.id)) throw new JobError(`the job ${job.id} runs already`);
    this.#pending.set(job.id, pending);
    const onAbort = () => this.#cancel(pending, signal?.reason);
    try {
      await this.#view.adding(() => this.#send(pending), this.#options.waiting);
      onAccepted?.();
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort);
      return await pending.result;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#pending.delete(job.id);
    }
  }

  /** Refuses what cannot be done now. */
  #admit(job: Job): void {
    if (this.#isClosing) throw new BusyError("The server is being stopped", RETRY_AFTER_SECONDS);
    if (!this.#backend.isConnected) {
      throw new BusyError("The queue cannot be reached; try again later", RETRY_AFTER_SECONDS);
    }
    const languages = this.#view.languages;
    if (!languages.some(({ id }) => id === job.language)) {
      const known = languages.map(({ id }) => id).join(", ");
      throw new JobError(`unknown language ${job.language} (known: ${known})`);
    }
  }

  /** Puts a job into the queue, where it may be already. */
  async #send(pending: PendingJob): Promise<void> {
    const { queue } = this.#backend;
    const { job, packed: { text, files } } = pending;
    try {
      await this.#sendFiles(files);
      const data: QueuedJob = {
        format: FORMAT,
        id: job.id,
        attempt: pending.attempt,
        sender: this.#id,
        wantsEvents: pending.filter !== undefined,
        isSession: pending.session !== undefined,
        fileHashes: [...files.keys()],
        job: text,
      };
      const add = () =>
        queue.add(job.language, data, {
          ...JOB_OPTIONS,
          jobId: pending.queueId,
          priority: queuePriority(job.priority ?? 0),
        });
      await persist(add);
      pending.lookedAtMs = performance.now();
    } catch (cause) {
      throw new BusyError(
        `The queue does not take the job: ${reasonOf(cause)}`,
        RETRY_AFTER_SECONDS,
      );
    }
  }

  async #sendFiles(files: ReadonlyMap<string, Bytes>): Promise<void> {
    if (files.size === 0) return;
    const { store } = this.#backend;
    for (const hash of await store.missingFiles([...files.keys()], FILE_KEPT_MS)) {
      await store.putFile(hash, files.get(hash)!, FILE_KEPT_MS);
    }
  }

  /** Takes a job out of the queue, or has its box killed. */
  async #cancel(pending: PendingJob, reason: unknown): Promise<void> {
    const { queue, store } = this.#backend;
    const { job: { id }, queueId } = pending;
    const timer = setTimeout(() => pending.reject(reason), CANCEL_LIMIT_MS);
    pending.result.catch(() => {}).finally(() => clearTimeout(timer));
    pending.cancelReason = reason;
    try {
      await store.putCancelled(id, CANCELLED_KEPT_MS);
      await this.#publish({ kind: "cancel", id });
      // One that runs is locked, and stays.
      if (await queue.remove(queueId) > 0) pending.reject(reason);
    } catch (error) {
      this.#options.complain(`Job ${id} was not cancelled: ${reasonOf(error)}`);
    }
  }

  async #publish(message: ServerMessage): Promise<void> {
    await this.#backend.store.publish(WORKERS_CHANNEL, writeMessage(message));
  }

  #hear(text: string): void {
    const message = readMessage<WorkerMessage>(text);
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    switch (message.kind) {
      case "event":
        return pending.filter?.take(message.event, message.execution);
      case "session":
        return pending.session?.begins(message.channel);
      case "outcome":
        return pending.settle(message.outcome);
      case "stored":
        return void this.#watch.lookAt([pending]);
      case "dead":
        return pending.die(message.reason);
    }
  }
}
