/** The tables of `isolate worker` and `isolate queue`, and the options of a queue. */

import { UsageError } from "./complain.ts";
import { boxRange } from "./judge_options.ts";
import { flag, type Option, option, type Read } from "./option.ts";
import type { Subcommand } from "./subcommand.ts";
import { duration, nonEmpty, whole } from "./values.ts";

/** Where a queue is, as a command line says it. */
export interface QueuePlace {
  /** Its address; undefined: it is in the file. */
  readonly url: string | undefined;
  readonly file: string | undefined;
  /** Whether a queue that forgets jobs is good enough. */
  readonly allowVolatile: boolean;
}

/** What a command is asked for that uses a queue. */
export class QueueOptions {
  queueUrl: string | undefined;
  queueFile: string | undefined;
  allowVolatile = false;

  /** Where the queue is; undefined: none is named. */
  get queue(): QueuePlace | undefined {
    const { queueUrl: url, queueFile: file, allowVolatile } = this;
    if (url !== undefined && file !== undefined) {
      throw new UsageError("Only one of --queue and --queue-file can be given");
    }
    if (url !== undefined || file !== undefined) return { url, file, allowVolatile };
    if (allowVolatile) throw new UsageError("Option --allow-volatile-queue needs --queue");
    return undefined;
  }
}

/** The options that name a queue. */
export const QUEUE_OPTIONS: readonly Option<QueueOptions>[] = [
  option("--queue=URL", "The queue: redis://HOST/0, rediss://HOST/0 or postgres://USER@HOST/DB", {
    read: nonEmpty,
    set: (request, url) => request.queueUrl = url,
  }),
  option("--queue-file=FILE", "Read the URL of the queue, with its password, from FILE", {
    read: nonEmpty,
    set: (request, file) => request.queueFile = file,
  }),
  flag("--allow-volatile-queue", "Use a queue that can lose jobs all the same", (request) => {
    request.allowVolatile = true;
  }),
];

const NAMES = `\
The parameter 'queue' of the URL tells apart the queues of one database:
redis://host/0?queue=contest. Default: isolate.
`;

const PERMISSIONS =
  "It needs permissions:\n  deno run --allow-ffi --allow-net --allow-env isolate.ts";

/** What `isolate worker` is asked for. */
export class WorkerRequest extends QueueOptions {
  name: string | undefined;
  jobs: number | undefined;
  lockMs = 15_000;
  stopWaitMs = 10_000;
  memoryMib: number | undefined;
  cacheMib = 1024;
  allowNetwork = false;
  languagesFile: string | undefined;
  boxIds: { readonly first: number; readonly count: number } | undefined;
  configFile: string | undefined;
}

const seconds: Read<number> = (text, { long }) => {
  const ms = duration(text, { long } as Parameters<typeof duration>[1]);
  if (ms !== undefined) return ms;
  throw new UsageError(`Option --${long} must be more than 0 seconds`);
};

const LOCK_MIN_MS = 1000;

const lockTime: Read<number> = (text, option) => {
  const ms = seconds(text, option);
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
      option("--stop-wait=S", "When stopped, wait so long for jobs that run", {
        default: "10",
        example: "10",
        read: seconds,
        set: (request, ms) => request.stopWaitMs = ms,
      }),
    ],
    "Load": [
      option("-j, --jobs=N", "Run N jobs at once, each in a box", {
        default: "two for each CPU",
        example: "4",
        range: [1, 1000],
        read: whole,
        set: (request, jobs) => request.jobs = jobs,
      }),
      option("--memory=MIB", "Memory of a program whose job names no limit", {
        default: "half of the machine's, at most 2048",
        range: [1, 1 << 24],
        example: "512",
        read: whole,
        set: (request, mib) => request.memoryMib = mib,
      }),
      option("--cache-size=MIB", "Keep that much of compiled programs", {
        default: "1024",
        range: [0, 1 << 20],
        example: "1024",
        read: whole,
        set: (request, mib) => request.cacheMib = mib,
      }),
      flag("--allow-network", "Let programs use the host's network where they ask", (request) => {
        request.allowNetwork = true;
      }),
    ],
    "Boxes": [
      option(
        "--languages=FILE",
        "A YAML table that adds to the built-in languages or overrides them",
        { read: nonEmpty, set: (request, file) => request.languagesFile = file },
      ),
      option("--box-ids=FIRST-LAST", "The boxes to use; boxes that others use are left alone", {
        default: "the last 200",
        example: "800-999",
        read: boxRange,
        set: (request, boxIds) => request.boxIds = boxIds,
      }),
      option("--config=FILE", "Read this configuration instead of the system's", {
        read: nonEmpty,
        set: (request, file) => request.configFile = file,
      }),
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
