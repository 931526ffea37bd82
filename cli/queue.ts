/** `isolate worker` and `isolate queue`, and the queue of `isolate api`. */

import { HostFiles, Sandbox } from "../mod.ts";
import type { Executor } from "../server/engine/executor.ts";
import { type BackendOptions, connectQueue } from "../server/queue/backend.ts";
import { type DeadLetter, DeadLetters, listWorkers } from "../server/queue/dead_letters.ts";
import { QueueExecutor } from "../server/queue/queue_executor.ts";
import { readQueueAddress } from "../server/queue/queue_url.ts";
import { QueueWorker } from "../server/queue/queue_worker.ts";
import type { WorkerInfo } from "../server/queue/worker_info.ts";
import { ExpectedError } from "../text/errors.ts";
import { visibleText } from "../text/visible.ts";
import { tell, UsageError } from "./complain.ts";
import { defaultMemoryMib, openLocalExecutor, warnOfControlGroups } from "./local_executor.ts";
import type { QueuePlace } from "./executor_options.ts";
import type { QueueRequest, WorkerRequest } from "./queue_options.ts";
import { stopOnSignals } from "./stop_on_signals.ts";
import type { Given } from "./subcommand.ts";

const URL_BYTES_MAX = 4096;
const KIB_PER_MIB = 1024;
/** What compilers may use where a job does not say so. */
const COMPILE_LIMITS = {
  wallTimeMs: 10_000,
  cpuTimeMs: 10_000,
  processes: 64,
  openFiles: 2048,
  fileSizeKib: 10 << 10,
  outputBytes: 64 << 10,
};

/** Makes an executor of what others execute. */
export async function openQueueExecutor(
  place: QueuePlace,
  { host, waiting }: { host: HostFiles; waiting: number },
): Promise<Executor> {
  return await QueueExecutor.open({ ...await optionsOf(place, host), waiting, complain: tell });
}

/** `isolate worker [OPTION...]`. */
export async function work(request: WorkerRequest): Promise<number> {
  const { lockMs, stopWaitMs, name = `w${crypto.randomUUID().slice(0, 8)}` } = request;
  const place = placeOf(request);
  const sandbox = await Sandbox.open({ configFile: request.configFile, userNamespace: true });
  const host = new HostFiles(sandbox);
  const options = await optionsOf(place, host);
  const memoryKib = (request.memoryMib ?? defaultMemoryMib(host)) * KIB_PER_MIB;
  await using engine = await openLocalExecutor(request, {
    ...{ sandbox, host, memoryKib },
    // It takes no more jobs than it has boxes, but those that are given back need a moment.
    waiting: 1000,
    compileLimits: { ...COMPILE_LIMITS, memoryKib },
  });
  warnOfControlGroups(engine);
  if (request.allowNetwork) {
    tell("WARNING: programs can use the network of this host (--allow-network)");
  }
  const worker = await QueueWorker.open({ ...options, engine, name, lockMs, complain: tell });
  const stopped = stopOnSignals(() => worker.close(stopWaitMs));
  const { boxes } = engine.load();
  tell(`Worker ${name} takes jobs from ${options.address.shown}, ${boxes} at once`);
  await stopped;
  return 0;
}

/** `isolate queue VERB [ID...]`. */
export async function lookAtQueue(
  request: QueueRequest,
  { parameters: [verb, ...ids], origin }: Given,
): Promise<number> {
  const place = placeOf(request);
  const isChange = verb === "retry" || verb === "remove";
  if (!isChange && verb !== "list" && verb !== "workers") {
    throw new UsageError(
      `queue takes list, retry, remove or workers${verb === undefined ? "" : `, not ${verb}`}`,
    );
  }
  if (isChange ? (ids.length > 0) === request.all : ids.length > 0 || request.all) {
    throw new UsageError(
      isChange
        ? `queue ${verb} takes the ids of dead letters, or --all`
        : `queue ${verb} takes no ids, and no --all`,
    );
  }
  const host = new HostFiles(await Sandbox.open({ userNamespace: true }));
  const backend = await connectQueue({ ...await optionsOf(place, host), log: tell });
  try {
    const text = await answer(verb, { request, ids, letters: new DeadLetters(backend), backend });
    (await origin()).print("stdout", text);
    return 0;
  } finally {
    await backend.close();
  }
}

async function answer(
  verb: "list" | "retry" | "remove" | "workers",
  { request: { all, json }, ids, letters, backend }: {
    request: QueueRequest;
    ids: readonly string[];
    letters: DeadLetters;
    backend: Parameters<typeof listWorkers>[0];
  },
): Promise<string> {
  const write = <T>(things: readonly T[], lines: (things: readonly T[]) => string) =>
    json ? JSON.stringify(things, undefined, 2) + "\n" : lines(things);
  switch (verb) {
    case "list":
      return write(await letters.list(), letterLines);
    case "workers":
      return write(await listWorkers(backend), workerLines);
    case "retry":
      return `${await letters.retry(all ? "all" : ids)} put into the queue again\n`;
    case "remove":
      return `${await letters.remove(all ? "all" : ids)} removed\n`;
  }
}

function letterLines(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return "No dead letters\n";
  return letters.map(({ id, language, reason, deadSinceMs }) =>
    `${visibleText(id)}  ${new Date(deadSinceMs).toISOString()}  ${visibleText(language)}  ` +
    `${visibleText(reason)}\n`
  ).join("");
}

function workerLines(workers: readonly WorkerInfo[]): string {
  if (workers.length === 0) return "No workers\n";
  return workers.map(({ name, boxes, running, languages }) => {
    const usable = languages.filter(({ missing }) => missing === undefined).map(({ id }) => id);
    return `${visibleText(name)}  ${running} of ${boxes} boxes in use  ${usable.join(", ")}\n`;
  }).join("");
}

function placeOf(request: { readonly queue: QueuePlace | undefined }): QueuePlace {
  const { queue } = request;
  if (queue) return queue;
  throw new UsageError("Give the queue: --queue=redis://HOST/0 or --queue=postgres://USER@HOST/DB");
}

async function optionsOf(
  { url, file, allowVolatile }: QueuePlace,
  host: HostFiles,
): Promise<Pick<BackendOptions, "address" | "allowVolatile">> {
  const text = url ?? host.readText(file!, { limitBytes: URL_BYTES_MAX }).trim();
  const address = readQueueAddress(text);
  // What the clients of databases look for in the environment has no end.
  const permissions = [{ name: "net", host: new URL(address.url).host }, { name: "env" }] as const;
  for (const permission of permissions) {
    if ((await Deno.permissions.query(permission)).state === "granted") continue;
    throw new ExpectedError(
      `A queue needs the permission --allow-${permission.name}: deno run --allow-ffi --allow-net ` +
        "--allow-env …",
    );
  }
  return { address, allowVolatile };
}
