/** The table of `isolate api`. */

import { isLocal, type ListenAddress, parseListen } from "../server/settings.ts";
import { UsageError } from "./complain.ts";
import { flag, option, type OptionTable, type Read } from "./option.ts";
import {
  ALLOW_NETWORK,
  BOX_OPTIONS,
  CACHE_SIZE,
  ExecutorOptions,
  JOBS,
  memory,
  QUEUE_OPTIONS,
  STOP_WAIT,
} from "./executor_options.ts";
import type { Subcommand } from "./subcommand.ts";
import { limit, nonEmpty, positiveSeconds, takes, whole } from "./values.ts";

/** What `isolate api` is asked for; at first, what an empty command line asks for. */
export class ApiRequest extends ExecutorOptions {
  listen: ListenAddress = { kind: "tcp", hostname: "127.0.0.1", port: 2000 };
  tokenFile: string | undefined;
  noToken = false;
  /** Sites whose pages may ask, divided by commas. */
  origins = "";
  /** Proxies that say for whom they ask. */
  proxies = "";
  queueLimit = 256;
  /** Undefined: none for clients of this machine, and a modest one for others. */
  requestsPerSecond: number | "unlimited" | undefined;
  bodyMib = 16;
  files = 256;
  outputBytes = 1024;
  runTimeMs = 3000;
  runCpuTimeMs = 3000;
  compileTimeMs = 10_000;
  compileCpuTimeMs = 10_000;
  compileMemoryMib: number | undefined;
  processes = 64;
  openFiles = 2048;
  fileSizeMib = 10;
  idleMs = 15_000;
  /** Where results are kept; undefined: in memory. */
  resultsFile: string | undefined;
  resultsTimeMs = 86_400_000;
  resultsMax = 100_000;
  resultsMib = 512;
  /** Settings of Judge0's API: `NAME=VALUE`, divided by commas. */
  judge0 = "";
  /** Where callbacks may go. */
  callbacks = "";
  userTokenFile: string | undefined;
  allowDelete = false;
  /** The folder of problem packages; undefined: there are none. */
  packages: string | undefined;
}

const listenAddress: Read<ListenAddress> = (text, option) => {
  const address = parseListen(text);
  if (address) return address;
  const hint = takes("an address and a port, or unix: and a path", option);
  throw new UsageError(`Invalid address: ${text} (${hint})`);
};

const OPTIONS: OptionTable<ApiRequest> = {
  "Who may ask": [
    option("--listen=ADDRESS", "Listen on HOST:PORT, [IPV6]:PORT or unix:PATH", {
      default: "127.0.0.1:2000",
      example: "0.0.0.0:2000",
      read: listenAddress,
      set: (request, address) => request.listen = address,
    }),
    option("--token-file=FILE", "Answer only who knows the token in FILE (16 characters or more)", {
      read: nonEmpty,
      set: (request, file) => request.tokenFile = file,
    }),
    flag("--no-token", "Answer everybody who reaches an address that is not local", (request) => {
      request.noToken = true;
    }),
    option("--allow-origin=LIST", "Pages of these sites may ask through browsers, too (CORS)", {
      default: "none",
      example: "https://course.example.org",
      read: nonEmpty,
      set: (request, list) => request.origins += `,${list}`,
    }),
    option("--trust-proxy=LIST", "Believe X-Forwarded-For of these addresses, networks or unix", {
      default: "none",
      example: "127.0.0.1,10.1.0.0/16",
      read: nonEmpty,
      set: (request, list) => request.proxies += `,${list}`,
    }),
    option("--rate-limit=N", "Requests per second of each client; 0: any number", {
      default: "50; local: 0",
      example: "50",
      read: limit,
      set: (request, perSecond) => request.requestsPerSecond = perSecond ?? "unlimited",
    }),
  ],

  "Load": [
    JOBS,
    option("--queue-limit=N", "Let N more jobs wait; others are told to come back", {
      default: "256",
      range: [0, 1_000_000],
      example: "256",
      read: whole,
      set: (request, waiting) => request.queueLimit = waiting,
    }),
    option("--body-limit=MIB", "Size of a request", {
      default: "16",
      range: [1, 1024],
      example: "16",
      read: whole,
      set: (request, mib) => request.bodyMib = mib,
    }),
    option("--files-limit=N", "Files of a request", {
      default: "256",
      range: [1, 10_000],
      example: "256",
      read: whole,
      set: (request, files) => request.files = files,
    }),
    CACHE_SIZE,
    option("--idle-time=S", "Close connections of clients that are silent for so long", {
      default: "15",
      example: "15",
      read: positiveSeconds,
      set: (request, ms) => request.idleMs = ms,
    }),
    STOP_WAIT,
  ],

  "Limits of programs, unless a request asks for less": [
    option("--run-time=S", "Wall time of a program", {
      default: "3",
      example: "3",
      read: positiveSeconds,
      set: (request, ms) => request.runTimeMs = ms,
    }),
    option("--run-cpu-time=S", "CPU time of a program", {
      default: "3",
      example: "3",
      read: positiveSeconds,
      set: (request, ms) => request.runCpuTimeMs = ms,
    }),
    option("--compile-time=S", "Wall time of a compiler", {
      default: "10",
      example: "10",
      read: positiveSeconds,
      set: (request, ms) => request.compileTimeMs = ms,
    }),
    option("--compile-cpu-time=S", "CPU time of a compiler", {
      default: "10",
      example: "10",
      read: positiveSeconds,
      set: (request, ms) => request.compileCpuTimeMs = ms,
    }),
    memory("Memory of a program"),
    option("--compile-memory=MIB", "Memory of a compiler", {
      default: "as --memory",
      range: [1, 1 << 24],
      example: "512",
      read: whole,
      set: (request, mib) => request.compileMemoryMib = mib,
    }),
    option("--output-limit=BYTES", "Output on each stream", {
      default: "1024",
      range: [0, 1 << 30],
      example: "65536",
      read: whole,
      set: (request, bytes) => request.outputBytes = bytes,
    }),
    option("--processes=N", "Processes and threads of a program", {
      default: "64",
      range: [1, 100_000],
      example: "64",
      read: whole,
      set: (request, processes) => request.processes = processes,
    }),
    option("--open-files=N", "Open files of each process", {
      default: "2048",
      range: [16, 1_000_000],
      example: "2048",
      read: whole,
      set: (request, openFiles) => request.openFiles = openFiles,
    }),
    option("--file-size=MIB", "Size of each file that a program writes", {
      default: "10",
      range: [0, 1 << 20],
      example: "10",
      read: whole,
      set: (request, mib) => request.fileSizeMib = mib,
    }),
    ALLOW_NETWORK,
  ],

  "Results that clients ask for later": [
    option("--results=FILE", "Keep them in a database in FILE, also when the server ends", {
      default: "in memory",
      read: nonEmpty,
      set: (request, file) => request.resultsFile = file,
    }),
    option("--results-time=S", "Keep each so long", {
      default: "86400",
      example: "86400",
      read: positiveSeconds,
      set: (request, ms) => request.resultsTimeMs = ms,
    }),
    option("--results-limit=N", "Keep no more than N, the newest", {
      default: "100000",
      range: [1, 10_000_000],
      example: "100000",
      read: whole,
      set: (request, count) => request.resultsMax = count,
    }),
    option("--results-size=MIB", "Keep no more than that together", {
      default: "512",
      range: [1, 1 << 20],
      example: "512",
      read: whole,
      set: (request, mib) => request.resultsMib = mib,
    }),
  ],

  "Problem packages": [
    option("--packages=FOLDER", "Judge submissions by the packages in FOLDER (POST /judge)", {
      default: "none",
      read: nonEmpty,
      set: (request, folder) => request.packages = folder,
    }),
  ],

  "Clients of Judge0": [
    option("--judge0=LIST", "Limits: NAME=VALUE,..., named as in Judge0's configuration", {
      example: "max_cpu_time_limit=30,max_queue_size=50",
      read: nonEmpty,
      set: (request, list) => request.judge0 += `,${list}`,
    }),
    option("--callbacks=LIST", "Call back hosts and networks of LIST; any: all public ones", {
      default: "none",
      example: "hooks.example.org,10.1.0.0/16",
      read: nonEmpty,
      set: (request, list) => request.callbacks += `,${list}`,
    }),
    option("--user-token-file=FILE", "Who knows the token in FILE may list submissions", {
      read: nonEmpty,
      set: (request, file) => request.userTokenFile = file,
    }),
    flag("--allow-delete", "Who may list submissions may delete them, too", (request) => {
      request.allowDelete = true;
    }),
  ],

  "Other machines": [...QUEUE_OPTIONS],

  "Boxes": [
    ...BOX_OPTIONS,
  ],
};

/** `isolate api [OPTION...]`. */
export const API: Subcommand<ApiRequest> = {
  name: "api",
  summary: "Run programs for clients that speak HTTP, such as those of Piston and Judge0",
  about:
    "Listen for requests that hold programs, run each in a box, and answer with what it wrote " +
    "and how it ended. Clients of Piston's API (version 2) and of Judge0 CE work unchanged. The " +
    "server listens on this machine only, unless --listen says otherwise; then clients must know a " +
    "token.",
  notes: `\
It needs the permission to listen: deno run --allow-ffi --allow-net server.ts;
for unix:PATH also --allow-read=PATH and --allow-write=PATH.

Paths of Piston: /api/v2/execute, /api/v2/runtimes, /api/v2/packages,
/api/v2/connect (WebSocket).
Paths of Judge0: /submissions, /submissions/batch, /languages, /statuses,
/config_info, /system_info, /workers, /about, /version.
Ours: /run, /judge, and a page at /.
Others: /openapi.json, /healthz, /readyz, /metrics (Prometheus).

--results=FILE needs the permissions to read and write the folder of FILE, and
--callbacks the one to connect to these hosts.

With --queue the programs run on other machines, where 'isolate worker' takes
them from a queue (Redis or PostgreSQL); it needs --allow-env, too. Then
--queue-limit counts all jobs that wait there, and options of boxes and
languages are those of the workers.

Example:
  isolate api --output-limit=65536
  curl -H 'Content-Type: application/json' localhost:2000/api/v2/execute \\
    -d '{"language":"python","version":"3.x","files":[{"content":"print(1)"}]}'
`,
  options: OPTIONS,
  request: () => new ApiRequest(),
  run: async (request, { version }) => {
    checkAccess(request);
    return await (await import("./api.ts")).serveApi(request, version);
  },
};

/** Refuses options that contradict each other, and to let strangers in by mistake. */
export function checkAccess({ listen, tokenFile, noToken }: ApiRequest): void {
  if (tokenFile !== undefined && noToken) {
    throw new UsageError("Only one of --token-file and --no-token can be given");
  }
  if (isLocal(listen) || tokenFile !== undefined || noToken) return;
  throw new UsageError(
    "Option --listen names an address that others can reach: give --token-file=FILE with a token " +
      "that clients must know, or --no-token to let everybody run programs",
  );
}
