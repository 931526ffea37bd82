/** Servers and workers of a queue for tests. */

import type { Executor } from "isolate/server/engine/executor.ts";
import { QueueExecutor, type QueueExecutorOptions } from "isolate/server/queue/queue_executor.ts";
import { readQueueAddress } from "isolate/server/queue/queue_url.ts";
import { QueueWorker, type QueueWorkerOptions } from "isolate/server/queue/queue_worker.ts";
import type { TestDatabase } from "./database.ts";
import { FEW_LANGUAGES, SERVER_BOXES } from "./executor.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const START_LIMIT_MS = 60_000;

/** `deno run` with what a queue needs. */
export const QUEUE_COMMAND: readonly string[] = [
  ...[Deno.execPath(), "run", "--quiet", "--no-prompt"],
  ...["--allow-ffi", "--allow-net", "--allow-env", `${ROOT}direct.ts`],
];

/** A worker as a process of its own. */
export interface WorkerProcess extends AsyncDisposable {
  /** What it has written to standard error. */
  readonly log: string;
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** Asks it to stop, and tells how it ended. */
  stop(): Promise<number>;
}

/** Starts `isolate worker`, and waits until it takes jobs. */
export async function startWorker(
  { url }: TestDatabase,
  options: readonly string[] = [],
): Promise<WorkerProcess> {
  const { first, count } = SERVER_BOXES;
  return await startProcess([
    ...["worker", `--queue=${url}`, `--box-ids=${first}-${first + count - 1}`],
    `--languages=${FEW_LANGUAGES}`,
    ...options,
  ], /takes jobs from/);
}

/** Starts a command with a queue, and waits until it writes something like that. */
export async function startProcess(
  args: readonly string[],
  isReady: RegExp,
): Promise<WorkerProcess> {
  const [program = "", ...before] = QUEUE_COMMAND;
  const process = new Deno.Command(program, {
    args: [...before, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (isReady.test(log)) ready.resolve();
    }
    ready.reject(new Error(`isolate ${args[0]} ended: ${log}`));
  })();
  ready.promise.catch(() => {});
  let isOver = false;
  const end = async (signal: Deno.Signal) => {
    if (!isOver) process.kill(signal);
    isOver = true;
    const { code } = await process.status;
    await reading;
    return code;
  };
  const timer = setTimeout(() => ready.reject(new Error(`too slow: ${log}`)), START_LIMIT_MS);
  try {
    await ready.promise;
  } catch (error) {
    await end("SIGKILL").catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    get log() {
      return log;
    },
    kill: async () => void await end("SIGKILL"),
    stop: () => end("SIGTERM"),
    async [Symbol.asyncDispose]() {
      if (!isOver) await end("SIGKILL");
    },
  };
}

/** Makes the server's side of a queue. */
export async function openQueue(
  { url, isVolatile }: TestDatabase,
  changes: Partial<QueueExecutorOptions> = {},
): Promise<QueueExecutor> {
  return await QueueExecutor.open({
    address: readQueueAddress(url),
    allowVolatile: isVolatile,
    waiting: 100_000,
    complain: () => {},
    ...changes,
  });
}

/** Makes a worker in this process, for an executor that the test has made. */
export async function openWorker(
  { url, isVolatile }: TestDatabase,
  engine: Executor,
  changes: Partial<QueueWorkerOptions> = {},
): Promise<AsyncDisposable> {
  const worker = await QueueWorker.open({
    address: readQueueAddress(url),
    allowVolatile: isVolatile,
    engine,
    name: "test",
    lockMs: 5000,
    complain: () => {},
    ...changes,
  });
  return { [Symbol.asyncDispose]: () => worker.close(1000) };
}

/** Waits for what only comes with time. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !await what(); tries++) {
    if (tries > 1000) throw new Error(`never true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a worker has said that it is there. */
export async function haveWorker(queue: Executor): Promise<void> {
  await until(async () => (await queue.languages().catch(() => [])).length > 0);
}
