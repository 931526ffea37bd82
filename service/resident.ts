/**
 * The life of the resident service: it takes over the control group that the service manager has made
 * for it, listens, serves until it gets a signal to stop, and then lets running boxes end.
 */

import { recoverBoxes } from "../box/claim/recover.ts";
import { callerEnvironment, type Log, Sandbox } from "../box/sandbox.ts";
import { Runs } from "../box/keep/runs.ts";
import { SOCK_STREAM } from "../ffi/linux.ts";
import { SandboxError, toSandboxError } from "../host/errors.ts";
import { type ClientAccess, readAccess } from "./access.ts";
import { type Published, publishGroups, withdrawGroups } from "./control_groups.ts";
import { availableMemoryMb, Leftovers } from "./memory.ts";
import { listenAt, type ListeningSocket, passedSocket, removeSocket } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import { MetricsEndpoint } from "./metrics_endpoint.ts";
import { notify } from "./notify.ts";
import { type Client, Server } from "./server.ts";

const SWEEP_EVERY_MS = 1000;
const READY_BOXES_MAX = 256;
/** Work that has not ended so long after its connection was cut ends with the process. */
const CUT_MS = 5000;

/** How the service works. */
export interface ResidentOptions {
  /** The configuration. Default: that of the machine. */
  readonly configFile: string | undefined;
  /** Receives what is done. */
  readonly log: Log;
  /** Receives what went wrong without ending the service. */
  readonly complain: (message: string) => void;
  /** Serves a client by what is configured now. */
  readonly serve: (client: Client, configured: Configured) => Promise<void>;
  /** Tells a client why it cannot be served. */
  readonly refuse: (client: Client, configured: Configured, sentence: string) => Promise<void>;
}

/** What the configuration says, until it is read again. */
export interface Configured {
  readonly sandbox: Sandbox;
  readonly access: ClientAccess;
  readonly metrics: Metrics;
}

/** Runs the service until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
export async function runService(options: ResidentOptions): Promise<void> {
  try {
    await new Service(options).run();
  } catch (error) {
    throw toSandboxError(error);
  }
}

class Service {
  readonly #options: ResidentOptions;
  readonly #signals: string[] = [];
  #wake = () => {};
  #published: Published | undefined;
  #environment: ReadonlyMap<string, string> = new Map();
  #configured: Configured | undefined;
  #server: Server | undefined;
  readonly #metrics: Metrics = new Metrics({
    connections: () => this.#server?.connections ?? 0,
    connectionsMax: () => this.#configured?.sandbox.settings.service.clients ?? 0,
    sandbox: () => this.#configured!.sandbox,
  });
  readonly #runs = new Runs((outcome) => this.#metrics.runEnded(outcome));

  constructor(options: ResidentOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    this.#environment = await callerEnvironment();
    let configured = await this.#configure();
    const { sandbox } = configured;
    const { system, waiter } = sandbox;
    waiter.linger();
    waiter.watchDelays((delayMs) => this.#metrics.waited(delayMs));
    this.#catchSignals(sandbox);
    this.#published = this.#publish(sandbox);
    const { socket: path, socketMode: mode } = sandbox.settings.service;
    const socket = passedSocket(system, this.#environment) ??
      listenAt(system, path, { gid: configured.access.socketGid, mode });
    // Nobody is served before; who has connected waits.
    await recoverBoxes(sandbox, this.#options.complain);
    const server = new Server({
      system,
      waiter,
      socket: socket.fd,
      bounds: () => configured.sandbox.settings.service,
      serve: (client) => this.#options.serve(client, configured),
      refuse: (client, sentence) => {
        this.#metrics.clientRefused();
        return this.#options.refuse(client, configured, sentence);
      },
    });
    this.#server = server;
    const accepting = server.run();
    const endpoint = this.#openMetrics(configured);
    const stopWatchdog = this.#keepWatchdog(sandbox);
    const leftovers = new Leftovers();
    const sweep = setInterval(() => {
      this.#endIdleBoxes(configured.sandbox);
      void leftovers.look(server);
    }, SWEEP_EVERY_MS);
    const serving = `Serving at ${socket.isPassed ? "the socket of the service manager" : path}`;
    this.#options.log(1, () => serving);
    this.#tell(sandbox, "READY=1", `STATUS=${serving}${this.#whereGroupsAre()}`);
    while (await this.#nextSignal() === "SIGHUP") {
      this.#tell(sandbox, "RELOADING=1", `MONOTONIC_USEC=${Math.floor(system.nowMs() * 1000)}`);
      const { fresh, complaint } = await this.#reload(configured);
      configured = fresh;
      const status = complaint ?? `${serving}${this.#whereGroupsAre()}`;
      this.#tell(sandbox, "READY=1", `STATUS=${status}`);
    }
    const stopMs = configured.sandbox.settings.service.stopWaitSeconds * 1000;
    this.#tell(sandbox, "STOPPING=1", `EXTEND_TIMEOUT_USEC=${1000 * (stopMs + 2 * CUT_MS)}`);
    await this.#stop(configured, { server, socket });
    endpoint?.close();
    await accepting;
    clearInterval(sweep);
    stopWatchdog();
  }

  #whereGroupsAre(): string {
    return this.#published ? `; groups of boxes are made in ${this.#published.directory}` : "";
  }

  async #configure(): Promise<Configured> {
    const { configFile, log } = this.#options;
    const sandbox = await Sandbox.open({ configFile, log });
    sandbox.prepareRoots();
    const { readySeconds } = sandbox.settings.service;
    if (readySeconds > 0) await sandbox.keepBoxesReady(this.#metrics.readyUses);
    this.#endIdleBoxes(sandbox);
    sandbox.watchRuns(this.#runs);
    const access = readAccess(sandbox.system, sandbox.settings.service);
    return this.#configured = { sandbox, access, metrics: this.#metrics };
  }

  /** Answers monitoring, if that is configured, for all who may use the service. */
  #openMetrics({ sandbox, access }: Configured): { close: () => void } | undefined {
    const { system, waiter, settings: { service } } = sandbox;
    const { metricsSocket: path, socketMode: mode } = service;
    if (path === undefined) return undefined;
    const options = { gid: access.socketGid, mode, type: SOCK_STREAM };
    const socket = listenAt(system, path, options).fd;
    const endpoint = new MetricsEndpoint(system, waiter, {
      socket,
      text: () => this.#metrics.text(),
    });
    void endpoint.run();
    return {
      close: () => {
        removeSocket(system, path);
        endpoint.close();
      },
    };
  }

  /** A configuration that is wrong changes nothing; the socket stays where it is. */
  async #reload(configured: Configured): Promise<{ fresh: Configured; complaint?: string }> {
    try {
      const fresh = await this.#configure();
      const { system } = fresh.sandbox;
      const published = this.#publish(fresh.sandbox);
      if (published?.file !== this.#published?.file) withdrawGroups(system, this.#published);
      this.#published = published;
      configured.sandbox.ready?.close();
      return { fresh };
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`;
      const complaint = `Nothing was reloaded: ${reason}`;
      this.#options.complain(complaint);
      this.#configured = configured;
      return { fresh: configured, complaint };
    }
  }

  /** Without control groups boxes work, only without what needs them. */
  #publish(sandbox: Sandbox): Published | undefined {
    try {
      const delegated = this.#published?.directory;
      return publishGroups(sandbox, { log: this.#options.log, delegated });
    } catch (error) {
      const found = toSandboxError(error);
      if (!(found instanceof SandboxError)) throw error;
      this.#options.complain(`Boxes are served without control groups. ${found.message}`);
      return undefined;
    }
  }

  async #stop(
    { sandbox }: Configured,
    { server, socket }: { server: Server; socket: ListeningSocket },
  ): Promise<void> {
    const { system, settings: { service } } = sandbox;
    // Clients that come from now on wait in a socket that the service manager keeps, or hear that
    // there is no service.
    if (!socket.isPassed) removeSocket(system, service.socket);
    server.stopAccepting();
    sandbox.ready?.close();
    const waited = new Promise<void>((resolve) => {
      setTimeout(resolve, service.stopWaitSeconds * 1000);
      // A second request means: do not wait.
      void this.#nextStop().then(resolve);
    });
    const drained = server.drained();
    await Promise.race([drained, waited]);
    server.close();
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, CUT_MS))]);
    withdrawGroups(system, this.#published);
  }

  async #nextStop(): Promise<void> {
    while (await this.#nextSignal() === "SIGHUP");
  }

  /** What a box that waits costs is little, but not nothing. */
  #endIdleBoxes({ system, ready, settings: { service } }: Sandbox): void {
    if (!ready) return;
    const isSpare = availableMemoryMb(system) >= service.readyMemoryMb;
    if (isSpare !== ready.areKept) {
      const what = isSpare ? "again" : "not, as long as memory is scarce";
      this.#options.log(1, () => `Boxes are kept ready ${what}`);
    }
    ready.areKept = isSpare;
    const beforeMs = system.nowMs() - service.readySeconds * 1000;
    ready.closeIdle({ beforeMs, boxesMax: isSpare ? READY_BOXES_MAX : 0 });
  }

  #catchSignals(sandbox: Sandbox): void {
    sandbox.catchSignals({
      caught: ["SIGTERM", "SIGINT", "SIGHUP"],
      ignored: ["SIGPIPE"],
      standard: ["SIGCHLD"],
      onSignal: (name) => {
        this.#signals.push(name);
        this.#wake();
      },
    });
  }

  async #nextSignal(): Promise<string> {
    for (;;) {
      const signal = this.#signals.shift();
      if (signal !== undefined) return signal;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #tell({ system }: Sandbox, ...lines: string[]): void {
    notify(system, { socket: this.#environment.get("NOTIFY_SOCKET"), lines });
  }

  /** Says that it is alive, twice as often as is asked for; see sd_watchdog_enabled(3). */
  #keepWatchdog(sandbox: Sandbox): () => void {
    const usec = Number(this.#environment.get("WATCHDOG_USEC") ?? 0);
    if (!(usec > 0)) return () => {};
    const timer = setInterval(() => this.#tell(sandbox, "WATCHDOG=1"), usec / 2000);
    return () => clearInterval(timer);
  }
}
