/** The tables of `isolate worker` and `isolate queue`, and the options of a queue. */

import { UsageError } from "./complain.ts";
import {
  ALLOW_NETWORK,
  BOX_OPTIONS,
  CACHE_SIZE,
  ExecutorOptions,
  JOBS,
  memory,
  QUEUE_OPTIONS,
  QueueOptions,
  STOP_WAIT,
} from "./executor_options.ts";
import { flag, option, type Read } from "./option.ts";
import type { Subcommand } from "./subcommand.ts";
import { nonEmpty, positiveSeconds } from "./values.ts";

const NAMES = `\
The parameter 'queue' of the URL tells apart the queues of one database:
redis://host/0?queue=contest. Default: isolate.
`;

const PERMISSIONS =
  "It needs permissions:\n  deno run --allow-ffi --allow-net --allow-env isolate.ts";

/** What `isolate worker` is asked for. */
export class WorkerRequest extends ExecutorOptions {
  name: string | undefined;
  lockMs = 15_000;
}

const LOCK_MIN_MS = 1000;

const lockTime: Read<number> = (text, option) => {
  const ms = positiveSeconds(text, option);
  if (ms >= LOCK_MIN_MS) return ms;
  throw new UsageError(`Option --${option.long} must be at least 1 second`);
};

/** `isolate worker --queue=URL [OPTION...]`. */
export const WORKER: Subcommand<WorkerRequest> = {
  name: "worker",
  summary: "Run the programs of an execution server on another machine",
  about: "Take jobs from the queue of `isolate api --queue=URL`, run each in a box of this " +
    "machine, and say what became of it. A worker that is stopped gives its jobs back; the jobs " +
    "of one that dies are given to others. All workers of a queue should have the same languages.",
  notes: `\
${PERMISSIONS} worker ...

${NAMES}`,
  options: {
    "Queue": [
      ...QUEUE_OPTIONS,
      option("--name=NAME", "How others call this worker", {
        default: "a random one",
        read: nonEmpty,
        set: (request, name) => request.name = name,
      }),
      option("--lock-time=S", "When nothing is heard of it, others get its jobs after so long", {
        default: "15",
        example: "15",
        read: lockTime,
        set: (request, ms) => request.lockMs = ms,
      }),
      STOP_WAIT,
    ],
    "Load": [
      JOBS,
      memory("Memory of a program whose job names no limit"),
      CACHE_SIZE,
      ALLOW_NETWORK,
    ],
    "Boxes": [
      ...BOX_OPTIONS,
    ],
  },
  request: () => new WorkerRequest(),
  run: async (request) => await (await import("./queue.ts")).work(request),
};

/** What `isolate queue` is asked for. */
export class QueueRequest extends QueueOptions {
  json = false;
  all = false;
}

/** `isolate queue VERB`. */
export const QUEUE: Subcommand<QueueRequest> = {
  name: "queue",
  parameters: "list|retry|remove|workers [ID...]",
  summary: "Look at the queue of an execution server, and at the jobs that no worker could do",
  about:
    "A job whose worker failed three times, or died four times, is a dead letter: its client " +
    "was told that it failed, and it is kept for 30 days. 'list' shows these jobs, 'retry' puts " +
    "them into the queue again, 'remove' forgets them. 'workers' shows who works.",
  notes: `\
${PERMISSIONS} queue ...

${NAMES}`,
  options: {
    "Options": [
      ...QUEUE_OPTIONS,
      flag("--all", "Retry or remove all of them", (request) => request.all = true),
      flag("--json", "Print JSON instead", (request) => request.json = true),
    ],
  },
  request: () => new QueueRequest(),
  run: async (request, given) => await (await import("./queue.ts")).lookAtQueue(request, given),
};
