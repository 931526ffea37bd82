/** `isolate api`: the execution server. */

import { loadLanguages } from "../judge/mod.ts";
import { callerEnvironment, HostFiles, Sandbox } from "../mod.ts";
import { LocalExecutor } from "../server/engine/local_executor.ts";
import type { StageLimits } from "../server/engine/types.ts";
import { HttpServer } from "../server/http/http_server.ts";
import { tokenIn } from "../server/http/token.ts";
import { addressText, isLocal, type ServerSettings } from "../server/settings.ts";
import { clientConnections } from "../service/client_connections.ts";
import { makeRoomAt, removeSocket } from "../service/listen.ts";
import { ExpectedError } from "../text/errors.ts";
import { openDialects } from "./api_dialects.ts";
import type { ApiRequest } from "./api_options.ts";
import { tell, UsageError } from "./complain.ts";

const TOKEN_BYTES_MAX = 4096;
const BOXES_MAX = 200;
const MEMORY_MIB_MAX = 2048;
const RATE_PER_SECOND = 50;
const JOBS_PER_CPU = 2;
const KIB_PER_MIB = 1024;
const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** `isolate api [OPTION...]`. */
export async function serveApi(request: ApiRequest, version: string): Promise<number> {
  const { configFile, languagesFile, queueLimit: waiting, allowNetwork, cacheMib } = request;
  const sandbox = await Sandbox.open({ configFile, userNamespace: true });
  const host = new HostFiles(sandbox);
  const settings = settingsOf(request, host);
  const userToken = readToken(host, { file: request.userTokenFile, option: "user-token-file" });
  await using dialects = openDialects(request, { userToken, stopWaitMs: settings.stopWaitMs });
  const languages = await loadLanguages(host, {
    environment: await callerEnvironment(),
    ...languagesFile === undefined ? {} : { userFile: languagesFile },
  });
  const executor = await LocalExecutor.open({
    sandbox,
    languages,
    boxes: request.jobs ?? JOBS_PER_CPU * navigator.hardwareConcurrency,
    boxIds: boxIdsOf(request, sandbox),
    waiting,
    memoryKib: settings.runLimits.memoryKib!,
    compileLimits: settings.compileLimits,
    allowNetwork,
    cacheLimitBytes: cacheMib * KIB_PER_MIB * 1024,
    complain: tell,
  });
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
  const stopped = stopOnSignals(server);
  try {
    const address = await server.listen();
    tell(`Listening on ${addressText(address)}`);
    warn(request, executor);
    await stopped;
  } finally {
    await server.stop();
    if (listen.kind === "unix") removeSocket(sandbox.system, listen.path);
  }
  return 0;
}

function warn(
  { listen, noToken, allowNetwork }: ApiRequest,
  { whyNoControlGroups }: LocalExecutor,
): void {
  if (noToken && !isLocal(listen)) {
    tell("WARNING: whoever reaches this address can run programs here (--no-token)");
  }
  if (allowNetwork) tell("WARNING: programs can use the network of this host (--allow-network)");
  if (whyNoControlGroups !== undefined) {
    tell(`WARNING: memory is limited for each process alone: ${whyNoControlGroups}`);
  }
}

/** Ends the server at the first signal that asks for it; a second one is not waited for. */
function stopOnSignals(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const stop = () => {
      count++;
      if (count > 1) Deno.exit(1);
      tell("Stopping");
      server.stop().then(resolve);
    };
    for (const signal of ENDING_SIGNALS) Deno.addSignalListener(signal, stop);
  });
}

function settingsOf(request: ApiRequest, host: HostFiles): ServerSettings {
  const { listen, requestsPerSecond, bodyMib, files, allowNetwork } = request;
  const { idleMs, stopWaitMs } = request;
  const memoryMib = request.memoryMib ??
    Math.min(MEMORY_MIB_MAX, Math.floor(memoryOfMachineMib(host) / 2));
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
    memoryKib: (request.compileMemoryMib ?? memoryMib) * KIB_PER_MIB,
  };
  return {
    listen,
    token: readToken(host, { file: request.tokenFile, option: "token-file" }),
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

function memoryOfMachineMib(host: HostFiles): number {
  const text = host.readText("/proc/meminfo", { limitBytes: 1 << 16 });
  const kib = Number(/^MemTotal:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  return Math.max(2, Math.floor(kib / KIB_PER_MIB));
}

function boxIdsOf({ boxIds, jobs }: ApiRequest, { settings: { numBoxes } }: Sandbox) {
  if (!boxIds) {
    const count = Math.min(BOXES_MAX, numBoxes);
    return { first: numBoxes - count, count };
  }
  if (boxIds.first + boxIds.count > numBoxes) {
    throw new UsageError(
      `Option --box-ids must be from 0 to ${numBoxes - 1}, as num_boxes is ${numBoxes}: current ` +
        `value is ${boxIds.first}-${boxIds.first + boxIds.count - 1}`,
    );
  }
  if (jobs !== undefined && jobs > boxIds.count) {
    throw new UsageError(
      `Option --jobs must be at most ${boxIds.count}, as --box-ids names so many boxes: it is ${jobs}`,
    );
  }
  return boxIds;
}
