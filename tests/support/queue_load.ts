/** Many jobs through a queue whose workers and whose database are killed meanwhile. */

import { BusyError } from "isolate/server/engine/executor.ts";
import type { Job, JobEvent, JobResult } from "isolate/server/engine/types.ts";
import { connectQueue } from "isolate/server/queue/backend.ts";
import { readQueueAddress } from "isolate/server/queue/queue_url.ts";
import { startRedis, type TestDatabase } from "./database.ts";
import { jobOf, runOf, textOf } from "./executor.ts";
import { haveWorker, openQueue, startWorker, type WorkerProcess } from "./queue.ts";

const WORKERS = 2;
const AT_ONCE = 100;
const BUSY_WAIT_MS = 200;
/** How long Redis is away. */
const OUTAGE_MS = 1000;
/** A worker that is killed is found missing after that time, in seconds. */
const LOCK_SECONDS = 2;

/** What is sent, and what is killed. */
export interface QueueLoadOptions {
  readonly jobs: number;
  /** How many jobs are done between two kills, which strike a worker and Redis in turn. */
  readonly jobsPerKill: number;
  readonly log?: (text: string) => void;
}

/** What was seen. */
export interface QueueLoadReport {
  readonly killedWorkers: number;
  readonly killedDatabases: number;
  /** One sentence for each job that was lost, answered wrongly, or told twice. */
  readonly complaints: readonly string[];
  readonly seconds: number;
}

/** Sends jobs, kills, and looks whether each job has the one right answer. */
export async function queueLoad(options: QueueLoadOptions): Promise<QueueLoadReport> {
  const { jobs, log = () => {} } = options;
  await using database = await startRedis();
  await using workers = await Workers.start(database);
  await using queue = await openQueue(database, { complain: log });
  await haveWorker(queue);

  const complaints: string[] = [];
  const answers = new Map<string, JobResult>();
  const disturber = new Disturber({ database, workers, ...options });
  const since = performance.now();
  let next = 0;
  const send = async () => {
    while (next < jobs) {
      const number = next++;
      const job = echo(number);
      const ends: JobEvent[] = [];
      const result = await persistently(() =>
        queue.execute(job, { onEvent: (event) => event.kind === "end" && ends.push(event) })
      );
      complaints.push(...wrongOf(result, { number, ends }));
      answers.set(job.id, result);
      disturber.done(answers.size);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  await disturber.end();
  const seconds = (performance.now() - since) / 1000;

  complaints.push(...await leftovers(database, answers));
  const { killedWorkers, killedDatabases } = disturber;
  return { killedWorkers, killedDatabases, complaints, seconds };
}

function echo(number: number): Job {
  return jobOf("shell", "echo $1", { runs: [runOf({ args: [`${number}`] })] });
}

function wrongOf(
  { runs: [run] }: JobResult,
  { number, ends }: { number: number; ends: readonly JobEvent[] },
): string[] {
  const complaints: string[] = [];
  if (!run || run.ending.kind !== "exited" || textOf(run.stdout) !== `${number}\n`) {
    complaints.push(`job ${number}: ${JSON.stringify(run?.ending)} ${textOf(run!.stdout)}`);
  }
  // An event that was on its way when Redis was killed is lost; the result has it.
  if (ends.length > 1) complaints.push(`job ${number}: ended ${ends.length} times`);
  return complaints;
}

/** The queue must be empty, and say the same of each job as it has answered. */
async function leftovers(
  { url }: TestDatabase,
  answers: ReadonlyMap<string, JobResult>,
): Promise<string[]> {
  const complaints: string[] = [];
  const backend = await connectQueue({
    address: readQueueAddress(url),
    allowVolatile: false,
    log: () => {},
  });
  try {
    const counts = await settledCounts(() => backend.queue.getJobCounts());
    const left = Object.entries(counts).filter(([, count]) => count > 0);
    if (left.length > 0) complaints.push(`left in the queue: ${JSON.stringify(left)}`);
    const ids = [...answers.keys()];
    const outcomes = await backend.store.outcomes(ids);
    for (const [index, id] of ids.entries()) {
      const stored = outcomes[index];
      // Times differ from run to run, so a second run would show.
      const times = answers.get(id)!.runs[0]!.cpuTimeMs;
      if (!stored?.includes(`"cpuTimeMs":${times}`)) complaints.push(`job ${id}: answered twice`);
    }
  } finally {
    await backend.close();
  }
  return complaints;
}

/** A job that ran twice may be finished a second time after its answer. */
async function settledCounts(
  look: () => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  let counts = await look();
  for (let tries = 0; tries < 100; tries++) {
    if (Object.values(counts).every((count) => count === 0)) break;
    await pause(200);
    counts = await look();
  }
  return counts;
}

class Workers implements AsyncDisposable {
  readonly #database: TestDatabase;
  readonly #workers: WorkerProcess[] = [];

  private constructor(database: TestDatabase) {
    this.#database = database;
  }

  static async start(database: TestDatabase): Promise<Workers> {
    const workers = new Workers(database);
    await Promise.all(Array.from({ length: WORKERS }, () => workers.add()));
    return workers;
  }

  async add(): Promise<void> {
    const options = ["--jobs=2", `--lock-time=${LOCK_SECONDS}`];
    this.#workers.push(await startWorker(this.#database, options));
  }

  async killOldest(): Promise<void> {
    await this.#workers.shift()?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
  }
}

/** Kills now a worker, now Redis. */
class Disturber {
  readonly #options: QueueLoadOptions & { database: TestDatabase; workers: Workers };
  #last = 0;
  #working: Promise<void> | undefined;
  killedWorkers = 0;
  killedDatabases = 0;

  constructor(options: QueueLoadOptions & { database: TestDatabase; workers: Workers }) {
    this.#options = options;
  }

  /** So many jobs are done. */
  done(count: number): void {
    const { jobs, jobsPerKill } = this.#options;
    if (this.#working || count - this.#last < jobsPerKill || count === jobs) return;
    this.#last = count;
    this.#working = this.#kill(count).finally(() => this.#working = undefined);
  }

  async end(): Promise<void> {
    await this.#working;
  }

  async #kill(count: number): Promise<void> {
    const { database, workers, log = () => {} } = this.#options;
    if (this.killedWorkers > this.killedDatabases) {
      log(`${count} jobs done: Redis is killed`);
      await database.kill();
      await pause(OUTAGE_MS);
      await database.start();
      this.killedDatabases++;
    } else {
      log(`${count} jobs done: a worker is killed`);
      await workers.killOldest();
      this.killedWorkers++;
      await workers.add();
    }
  }
}

async function persistently(work: () => Promise<JobResult>): Promise<JobResult> {
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
    }
    await pause(BUSY_WAIT_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
