/** The options that `isolate api` and `isolate worker` share, and those of a queue. */

import { UsageError } from "./complain.ts";
import { boxRange } from "./judge_options.ts";
import { flag, type Option, option } from "./option.ts";
import { nonEmpty, positiveSeconds, whole } from "./values.ts";

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

/** What a command is asked for that executes jobs here, or could. */
export class ExecutorOptions extends QueueOptions {
  /** How many jobs run at once; undefined: two for each CPU. */
  jobs: number | undefined;
  stopWaitMs = 10_000;
  /** Undefined: half of the machine's memory, at most 2 GiB. */
  memoryMib: number | undefined;
  cacheMib = 1024;
  allowNetwork = false;
  languagesFile: string | undefined;
  boxIds: { readonly first: number; readonly count: number } | undefined;
  configFile: string | undefined;
}

type ExecutorOption = Option<ExecutorOptions>;

/** How many jobs run at once. */
export const JOBS: ExecutorOption = option("-j, --jobs=N", "Run N jobs at once, each in a box", {
  default: "two for each CPU",
  example: "4",
  range: [1, 1000],
  read: whole,
  set: (request, jobs) => request.jobs = jobs,
});

/** How much of compiled programs is kept. */
export const CACHE_SIZE: ExecutorOption = option(
  "--cache-size=MIB",
  "Keep that much of compiled programs",
  {
    default: "1024",
    range: [0, 1 << 20],
    example: "1024",
    read: whole,
    set: (request, mib) => request.cacheMib = mib,
  },
);

/** How long jobs may go on that run. */
export const STOP_WAIT: ExecutorOption = option(
  "--stop-wait=S",
  "When stopped, wait so long for jobs that run",
  {
    default: "10",
    example: "10",
    read: positiveSeconds,
    set: (request, ms) => request.stopWaitMs = ms,
  },
);

/** Whether programs may use the network. */
export const ALLOW_NETWORK: ExecutorOption = flag(
  "--allow-network",
  "Let programs use the host's network where they ask",
  (request) => {
    request.allowNetwork = true;
  },
);

/** The memory of programs, in these words. */
export function memory(words: string): ExecutorOption {
  return option("--memory=MIB", words, {
    default: "half of the machine's, at most 2048",
    range: [1, 1 << 24],
    example: "512",
    read: whole,
    set: (request, mib) => request.memoryMib = mib,
  });
}

/** Which boxes, and what is in them. */
export const BOX_OPTIONS: readonly ExecutorOption[] = [
  option(
    "--languages=FILE",
    "A YAML table that adds to the built-in languages or overrides them",
    {
      read: nonEmpty,
      set: (request, file) => request.languagesFile = file,
    },
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
];
