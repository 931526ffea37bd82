/** `isolate api`: the execution server. */

import { HostFiles, Sandbox } from "../mod.ts";
import type { Executor } from "../server/engine/executor.ts";
import { LocalExecutor } from "../server/engine/local_executor.ts";
import type { StageLimits } from "../server/engine/types.ts";
import { HttpServer } from "../server/http/http_server.ts";
import { AllowedOrigins } from "../server/http/origins.ts";
import { TrustedProxies } from "../server/http/proxies.ts";
import { tokenIn } from "../server/http/token.ts";
import { addressText, isLocal, type ServerSettings } from "../server/settings.ts";
import { clientConnections } from "../service/client_connections.ts";
import { makeRoomAt, removeSocket } from "../service/listen.ts";
import { Leftovers } from "../service/memory.ts";
import { ExpectedError } from "../text/errors.ts";
import { openDialects } from "./api_dialects.ts";
import type { ApiRequest } from "./api_options.ts";
import { tell } from "./complain.ts";
import { defaultMemoryMib, openLocalExecutor, warnOfControlGroups } from "./local_executor.ts";
import { stopOnSignals } from "./stop_on_signals.ts";

const LOOK_EVERY_MS = 1000;
const TOKEN_BYTES_MAX = 4096;
const RATE_PER_SECOND = 50;
const KIB_PER_MIB = 1024;
const COMPILE_PROCESSES = 100;
const COMPILE_FILE_MIB = 256;

/** `isolate api [OPTION...]`. */
export async function serveApi(request: ApiRequest, version: string): Promise<number> {
  const { configFile } = request;
  const sandbox = await Sandbox.open({ configFile, userNamespace: true });
  const host = new HostFiles(sandbox);
  const settings = settingsOf(request, host);
  const userToken = readToken(host, { file: request.userTokenFile, option: "user-token-file" });
  await using dialects = openDialects(request, {
    ...{ userToken, sandbox, host },
    stopWaitMs: settings.stopWaitMs,
  });
  const executor = await openExecutor(request, { sandbox, host, settings });
  const { listen } = settings;
  if (listen.kind === "unix") makeRoomAt(sandbox.system, listen.path);
  const server = new HttpServer({
    settings,
    executor,
    dialects: dialects.list,
    version,
    listConnections: (port) => () => clientConnections(sandbox.system, port),
    complain: tell,
  });
  const stopped = stopOnSignals(() => server.stop());
  const leftovers = new Leftovers();
  const looking = setInterval(() => leftovers.look(server.counts), LOOK_EVERY_MS);
  try {
    const address = await server.listen();
    tell(`Listening on ${addressText(address)}`);
    warn(request, executor);
    await stopped;
  } finally {
    clearInterval(looking);
    await server.stop();
    if (listen.kind === "unix") removeSocket(sandbox.system, listen.path);
  }
  return 0;
}

async function openExecutor(
  request: ApiRequest,
  { sandbox, host, settings }: { sandbox: Sandbox; host: HostFiles; settings: ServerSettings },
): Promise<Executor> {
  const { queueLimit: waiting, queue } = request;
  if (queue) return await (await import("./queue.ts")).openQueueExecutor(queue, { waiting, host });
  const { runLimits, compileLimits } = settings;
  const memoryKib = runLimits.memoryKib!;
  return await openLocalExecutor(request, { sandbox, host, waiting, memoryKib, compileLimits });
}

function warn({ listen, noToken, allowNetwork }: ApiRequest, executor: Executor): void {
  if (noToken && !isLocal(listen)) {
    tell("WARNING: whoever reaches this address can run programs here (--no-token)");
  }
  if (allowNetwork) tell("WARNING: programs can use the network of this host (--allow-network)");
  if (executor instanceof LocalExecutor) warnOfControlGroups(executor);
}

function settingsOf(request: ApiRequest, host: HostFiles): ServerSettings {
  const { listen, requestsPerSecond, bodyMib, files, allowNetwork } = request;
  const { idleMs, stopWaitMs } = request;
  const memoryMib = request.memoryMib ?? defaultMemoryMib(host);
  const limits = {
    memoryKib: memoryMib * KIB_PER_MIB,
    processes: request.processes,
    openFiles: request.openFiles,
    fileSizeKib: request.fileSizeMib * KIB_PER_MIB,
    outputBytes: request.outputBytes,
  };
  const runLimits: StageLimits = {
    ...limits,
    wallTimeMs: request.runTimeMs,
    cpuTimeMs: request.runCpuTimeMs,
  };
  const compileLimits: StageLimits = {
    ...limits,
    wallTimeMs: request.compileTimeMs,
    cpuTimeMs: request.compileCpuTimeMs,
    // What compilers write is bounded elsewhere, and theirs are not the processes of a program.
    processes: Math.max(limits.processes, COMPILE_PROCESSES),
    fileSizeKib: Math.max(limits.fileSizeKib, COMPILE_FILE_MIB * KIB_PER_MIB),
    memoryKib: (request.compileMemoryMib ?? memoryMib) * KIB_PER_MIB,
  };
  return {
    listen,
    token: readToken(host, { file: request.tokenFile, option: "token-file" }),
    origins: new AllowedOrigins(request.origins),
    proxies: new TrustedProxies(request.proxies),
    requestsPerSecond: requestsPerSecond === "unlimited"
      ? undefined
      : requestsPerSecond ?? (isLocal(listen) ? undefined : RATE_PER_SECOND),
    idleMs,
    bodyBytes: bodyMib * KIB_PER_MIB * 1024,
    filesMax: files,
    runLimits,
    compileLimits,
    allowNetwork,
    stopWaitMs,
  };
}

function readToken(
  host: HostFiles,
  { file, option }: { file: string | undefined; option: string },
): string | undefined {
  if (file === undefined) return undefined;
  const found = tokenIn(host.readText(file, { limitBytes: TOKEN_BYTES_MAX }));
  if ("token" in found) return found.token;
  throw new ExpectedError(`Cannot use ${file} (option --${option}): ${found.complaint}`);
}
