/** Takes jobs from a queue and executes them here. */

import type { Job as BullJob, Worker as BullWorker } from "bullmq";
import { BusyError, type Executor, JobError, type Session } from "../engine/executor.ts";
import type { Job, JobResult } from "../engine/types.ts";
import { unfinished } from "../engine/stage_result.ts";
import { connectQueue, loadPackage, type QueueBackend, reasonOf } from "./backend.ts";
import { DEAD_KEPT_SECONDS, FORMAT, type QueuedJob } from "./queued_job.ts";
import type { QueueAddress } from "./queue_url.ts";
import { FileCache } from "./file_cache.ts";
import {
  channelOf,
  type JobOutcome,
  MESSAGE_MAX_CHARS,
  OUTCOME_KEPT_MS,
  readMessage,
  type ServerMessage,
  type WorkerMessage,
  WORKERS_CHANNEL,
  writeMessage,
} from "./outcome.ts";
import { within } from "../within.ts";
import { unpackJob } from "./packing.ts";
import { WORKER_KEPT_MS, WORKER_TOLD_MS, type WorkerInfo } from "./worker_info.ts";

/** A job whose workers died so often is given up: it may be what kills them. */
const STALLED_MAX = 3;
const FILE_CACHE_BYTES = 256 << 20;
/** How long the queue may take to note what a worker that ends gives back. */
const LAST_WORDS_MS = 5000;

/** How a worker works. */
export interface QueueWorkerOptions {
  readonly address: QueueAddress;
  /** Whether a queue that forgets jobs is good enough. */
  readonly allowVolatile: boolean;
  /** Executes the jobs; the worker takes as many as it has boxes. */
  readonly engine: Executor;
  /** What people call it. */
  readonly name: string;
  /** After how long its jobs are given to others if nothing is heard of it. */
  readonly lockMs: number;
  /** Told what fails. */
  readonly complain: (message: string) => void;
}

/** A job that runs here. */
interface Running {
  readonly controller: AbortController;
  readonly over: Promise<void>;
  session?: Session;
}

const CANCELLED = "the job is cancelled";
const GIVEN_BACK = "the worker ends";

/** A worker of a queue. */
export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #backend: QueueBackend;
  readonly #id = crypto.randomUUID();
  readonly #files: FileCache;
  readonly #running = new Map<string, Running>();
  readonly #worker: BullWorker<QueuedJob>;
  readonly #waitingError: () => Error;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  #isClosing = false;
  #done = 0;

  private constructor(
    options: QueueWorkerOptions,
    { backend, waitingError }: { backend: QueueBackend; waitingError: () => Error },
  ) {
    const { engine, lockMs, name } = options;
    this.#options = options;
    this.#backend = backend;
    this.#waitingError = waitingError;
    this.#files = new FileCache({ store: backend.store, limitBytes: FILE_CACHE_BYTES });
    this.#worker = backend.worker((job, token) => this.#process(job, token), {
      name,
      concurrency: engine.load().boxes,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 3),
      maxStalledCount: STALLED_MAX,
    });
    this.#worker.on("failed", (job, error) => this.#failed(job, error));
  }

  /**
   * Connects with a queue, and begins to work.
   *
   * @throws {ExpectedError} if it cannot be reached, or would forget jobs. Rejects with it
   */
  static async open(options: QueueWorkerOptions): Promise<QueueWorker> {
    const { engine, complain } = options;
    const backend = await connectQueue({ ...options, log: complain });
    const { store } = backend;
    const { WaitingError } = await loadPackage<typeof import("bullmq")>("bullmq");
    // Before the first job: what a server offers is what its workers have told.
    await engine.languages();
    const worker = new QueueWorker(options, {
      backend,
      waitingError: () => new WaitingError(),
    });
    await store.subscribe(WORKERS_CHANNEL, (message) => worker.#hear(message));
    await store.subscribe(channelOf(worker.#id), (message) => worker.#hear(message));
    await worker.#tell();
    worker.#worker.run().catch((error) => complain(`The worker ends: ${reasonOf(error)}`));
    return worker;
  }

  /** How many jobs it has done. */
  get done(): number {
    return this.#done;
  }

  /**
   * Takes no more jobs, lets those that run end for some time, and gives the others back to the queue.
   */
  async close(graceMs: number): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#heartbeat);
    const { store } = this.#backend;
    const ended = Promise.allSettled([store.removeWorker(this.#id), this.#worker.close()]);
    if (!await within(ended, graceMs)) {
      for (const { controller } of this.#running.values()) controller.abort(GIVEN_BACK);
      // BullMQ takes long to see that a database is another one than before; without jobs nothing is lost.
      if (!await within(ended, LAST_WORDS_MS) && this.#running.size > 0) {
        this.#options.complain(
          "The queue did not take the jobs back in time; other workers get them when their locks end",
        );
      }
    }
    await within(this.#backend.close(), LAST_WORDS_MS);
  }

  async #process(job: BullJob<QueuedJob>, token: string): Promise<void> {
    const { format, id } = job.data;
    if (format !== FORMAT) {
      throw new Error(`it has the format ${format}, and this worker reads ${FORMAT}`);
    }
    // After an outage of the queue it can come again while it still runs.
    for (let same; (same = this.#running.get(id));) await same.over;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const running: Running = { controller, over };
    // Before asking whether it is cancelled: nothing may come between.
    this.#running.set(id, running);
    try {
      const outcome = await this.#outcome(job, running);
      if (outcome === undefined) {
        await job.moveToWait(token);
        throw this.#waitingError();
      }
      await this.#conclude(job.data, outcome);
      this.#done++;
    } finally {
      this.#running.delete(id);
      resolve();
    }
  }

  /** What became of a job; undefined: it is given back. */
  async #outcome(
    { data, attemptsStarted }: BullJob<QueuedJob>,
    running: Running,
  ): Promise<JobOutcome | undefined> {
    const { id, fileHashes, isSession } = data;
    const known = await this.#backend.store.known(id);
    if (known.outcome !== undefined) return readMessage<JobOutcome>(known.outcome);
    if (known.isCancelled) return { kind: "cancelled" };
    if (isSession && attemptsStarted > 1) {
      const ending = { kind: "failed", reason: "The worker of the session was lost" } as const;
      return {
        kind: "done",
        result: { version: "", isCached: false, runs: [unfinished(ending)] },
      };
    }
    const files = await this.#files.read(fileHashes);
    const { signal } = running.controller;
    try {
      const result = await this.#execute(unpackJob(data.job, files), { data, running });
      if (signal.reason === GIVEN_BACK && isUnfinished(result, "cancelled")) return undefined;
      const failure = isUnfinished(result, "failed");
      if (failure) throw new Error(failure);
      return { kind: "done", result };
    } catch (error) {
      if (error instanceof JobError) return { kind: "refused", reason: error.message };
      if (signal.reason === CANCELLED) return { kind: "cancelled" };
      if (signal.reason === GIVEN_BACK || error instanceof BusyError) return undefined;
      throw error;
    }
  }

  async #execute(
    job: Job,
    { data, running }: { data: QueuedJob; running: Running },
  ): Promise<JobResult> {
    const { engine } = this.#options;
    const { id, sender, wantsEvents, isSession } = data;
    const execution = crypto.randomUUID();
    const options = {
      signal: running.controller.signal,
      ...wantsEvents && {
        onEvent: (
          event: WorkerMessage & { kind: "event" } extends { event: infer E } ? E : never,
        ) => void this.#send(sender, { kind: "event", id, execution, event }),
      },
    };
    if (!isSession) return await engine.execute(job, options);
    running.session = engine.open(job, options);
    await this.#send(sender, { kind: "session", id, channel: channelOf(this.#id) });
    return await running.session.result;
  }

  /** The first one who says what became of a job is right. */
  async #conclude({ id, sender }: QueuedJob, outcome: JobOutcome): Promise<void> {
    const { store } = this.#backend;
    const text = writeMessage(outcome);
    const message: WorkerMessage = text.length <= MESSAGE_MAX_CHARS
      ? { kind: "outcome", id, outcome }
      : { kind: "stored", id };
    const isFirst = await store.putOutcome(id, {
      ...{ text, keptMs: OUTCOME_KEPT_MS },
      ...{ channel: channelOf(sender), message: writeMessage(message) },
    });
    if (!isFirst) await this.#send(sender, { kind: "stored", id });
  }

  #failed(job: BullJob<QueuedJob> | undefined, error: Error): void {
    if (!job) return;
    const { id, sender, fileHashes } = job.data;
    // BullMQ tries again, unless it has an end.
    const isDead = job.finishedOn !== undefined;
    this.#options.complain(
      `Job ${id} failed${isDead ? " for good" : ""}: ${reasonOf(error)}`,
    );
    if (!isDead) return;
    void this.#send(sender, { kind: "dead", id, reason: reasonOf(error) });
    if (fileHashes.length === 0) return;
    // Whoever retries it needs them.
    this.#backend.store.missingFiles(fileHashes, DEAD_KEPT_SECONDS * 1000).catch((error) =>
      this.#options.complain(`The files of job ${id} will not be kept: ${reasonOf(error)}`)
    );
  }

  /** A message that is lost is no harm: whoever waits for it asks now and then. */
  async #send(sender: string, message: WorkerMessage): Promise<void> {
    const { complain } = this.#options;
    const { store } = this.#backend;
    try {
      await store.publish(channelOf(sender), writeMessage(message));
    } catch (error) {
      complain(`A message about job ${message.id} was lost: ${reasonOf(error)}`);
    }
  }

  #hear(text: string): void {
    const message = readMessage<ServerMessage>(text);
    const running = this.#running.get(message.id);
    if (!running) return;
    const { session, controller } = running;
    if (message.kind === "cancel") controller.abort(CANCELLED);
    else if (message.kind === "input") session?.write(message.bytes).catch(() => {});
    else if (message.kind === "end") session?.end();
    else session?.signal(message.signal);
  }

  /** Says now and then that it is there, and what it can do. */
  async #tell(): Promise<void> {
    const { engine, name, complain } = this.#options;
    const { store } = this.#backend;
    try {
      const info: WorkerInfo = {
        name,
        boxes: engine.load().boxes,
        running: this.#running.size,
        languages: await engine.languages(),
      };
      if (!this.#isClosing) await store.putWorker(this.#id, writeMessage(info), WORKER_KEPT_MS);
    } catch (error) {
      complain(`The worker cannot say that it is there: ${reasonOf(error)}`);
    }
    if (this.#isClosing) await store.removeWorker(this.#id).catch(() => {});
    else this.#heartbeat = setTimeout(() => this.#tell(), WORKER_TOLD_MS);
  }
}

/** Why a stage of that kind of ending did not end; undefined if none has it. */
function isUnfinished(result: JobResult, kind: "failed" | "cancelled"): string | undefined {
  const { compile, runs } = result;
  const stage = [...compile ? [compile] : [], ...runs].find(({ ending }) => ending.kind === kind);
  if (!stage) return undefined;
  return stage.ending.kind === "failed" ? stage.ending.reason : kind;
}
