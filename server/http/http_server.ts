/** Listens, and leads each request to its route. */

import type { Executor } from "../engine/executor.ts";
import { ExpectedError } from "../../text/errors.ts";
import { endpointOf } from "../../text/ip_address.ts";
import { within } from "../within.ts";
import { addressText, type ListenAddress, type ServerSettings } from "../settings.ts";
import { pageComplaint } from "./browser_guard.ts";
import { BodyBudget, PendingCall, requestIdOf } from "./call.ts";
import { ConnectionWatch, type ListConnections } from "./connection_watch.ts";
import { describeFailure, HttpError } from "./failure.ts";
import { ServerMetrics } from "./metrics.ts";
import { UNIX } from "./proxies.ts";
import { clientOf, RateLimit } from "./rate_limit.ts";
import { type Dialect, json, type Route, type ServerContext } from "./route.ts";
import { Router } from "./router.ts";
import { TokenCheck } from "./token.ts";

/** What a server is made of. */
export interface HttpServerOptions {
  readonly settings: ServerSettings;
  readonly executor: Executor;
  readonly dialects: readonly Dialect[];
  readonly version: string;
  /** Lists the connections of clients to a port; undefined: quiet ones are not closed. */
  readonly listConnections?: ((port: number) => ListConnections) | undefined;
  readonly complain: (message: string) => void;
}

/** So many requests may be on their way besides those whose jobs run or wait. */
const MORE_REQUESTS = 64;
/** So many more whose bodies are still to come: who sends half of one is not to keep others out. */
const COMING_REQUESTS = 4096;
const BUDGET_BYTES_MIN = 256 << 20;
const BODIES_IN_BUDGET = 4;
const BURST_SECONDS = 2;
const QUIET_OF_MANY_MS = 5000;
const MANY_CONNECTIONS = 500;
/** Jobs that were cancelled end within that time. */
const END_WAIT_MS = 5000;
/** Nobody is there any more to whom it is sent. */
const CLIENT_GONE = 499;

/** An HTTP server for an executor. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #executor: Executor;
  readonly #router: Router;
  readonly #metrics = new ServerMetrics();
  readonly #token: TokenCheck | undefined;
  readonly #rateLimit: RateLimit | undefined;
  readonly #budget: BodyBudget;
  readonly #ending = new AbortController();
  #requests = 0;
  #accepted = 0;
  /** Those of them whose bodies are being read. */
  readonly #coming = { count: 0 };
  #isStopping = false;
  /** Whether the languages are known, for which the first request would have to wait. */
  #isReady = false;
  #server: Deno.HttpServer | undefined;
  #watch: ConnectionWatch | undefined;
  #stopped: Promise<void> | undefined;

  /** Prepares a server; it does not listen yet. */
  constructor(options: HttpServerOptions) {
    const { settings, executor, dialects, version, complain } = options;
    this.#options = options;
    this.#executor = this.#metrics.counted(executor);
    const context: ServerContext = {
      executor: this.#executor,
      settings,
      version,
      ending: this.#ending.signal,
      complain,
    };
    this.#router = new Router([
      ...this.#ownRoutes(),
      ...dialects.flatMap((dialect) => dialect(context)),
    ]);
    this.#token = settings.token === undefined ? undefined : new TokenCheck(settings.token);
    const perSecond = settings.requestsPerSecond;
    this.#rateLimit = perSecond === undefined
      ? undefined
      : new RateLimit({ perSecond, burst: Math.max(1, BURST_SECONDS * perSecond) });
    this.#budget = new BodyBudget(
      Math.max(BUDGET_BYTES_MIN, BODIES_IN_BUDGET * settings.bodyBytes),
    );
  }

  /** How many requests that are work have come so far, and how many of any kind are on their way. */
  get counts(): { readonly accepted: number; readonly connections: number } {
    return { accepted: this.#accepted, connections: this.#requests };
  }

  /** Begins to listen, and gives the address, with the port that the kernel chose if that was 0. */
  async listen(): Promise<ListenAddress> {
    const { settings: { listen, idleMs }, listConnections, complain } = this.#options;
    silenceLegacyAbort();
    const ready = Promise.withResolvers<Deno.Addr>();
    const options = {
      onListen: (address: Deno.Addr) => ready.resolve(address),
      onError: (error: unknown) => {
        complain(`A request failed: ${describeFailure(error).message}`);
        return json({ message: "the server failed" }, { status: 500 });
      },
    };
    const handler = (request: Request, { remoteAddr }: Deno.ServeHandlerInfo) =>
      this.#answer(request, remoteAddr as Deno.Addr);
    try {
      this.#server = listen.kind === "unix"
        ? Deno.serve({ ...options, path: listen.path }, handler) as unknown as Deno.HttpServer
        : Deno.serve({ ...options, hostname: listen.hostname, port: listen.port }, handler);
    } catch (error) {
      throw new ExpectedError(`Cannot listen on ${addressText(listen)}: ${reasonOf(error)}`);
    }
    const address = await ready.promise;
    this.#executor.languages().then(() => this.#isReady = true, (error) => {
      complain(`Cannot look for languages: ${describeFailure(error).message}`);
    });
    if (listen.kind === "unix" || address.transport !== "tcp") return listen;
    const { port } = address;
    if (listConnections) {
      this.#watch = new ConnectionWatch({
        list: listConnections(port),
        quietMs: idleMs,
        quietOfManyMs: Math.min(idleMs, QUIET_OF_MANY_MS),
        manyConnections: MANY_CONNECTIONS,
        onEnd: (count) => this.#metrics.connectionsEnded(count),
      });
    }
    return { ...listen, port };
  }

  /** Stops: what runs may end, but not for longer than the settings say. A second call waits, too. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    const { settings, complain } = this.#options;
    const done = Promise.all([this.#server?.shutdown(), this.#executor.close()]);
    if (!await within(done, settings.stopWaitMs)) {
      this.#ending.abort(new HttpError(503, "The server is being stopped"));
      if (!await within(done, END_WAIT_MS)) complain("Some requests did not end in time");
    }
    this.#watch?.[Symbol.dispose]();
  }

  async #answer(request: Request, remote: Deno.Addr): Promise<Response> {
    const sinceMs = performance.now();
    const isTcp = remote.transport === "tcp";
    const connection = isTcp && endpointOf(remote.hostname, remote.port) || "unix";
    const { origins, proxies } = this.#options.settings;
    const peer = isTcp ? remote.hostname : UNIX;
    const client = clientOf(proxies.clientOf(peer, request.headers.get("X-Forwarded-For")));
    const requestId = requestIdOf(request);
    const hold = () => this.#watch?.hold(connection) ?? (() => {});
    const release = hold();
    this.#requests++;
    let route: Route | undefined;
    let response: Response | undefined;
    try {
      const url = new URL(request.url);
      response = origins.preflight(request);
      if (!response) {
        const found = this.#find(request, url);
        route = found.route;
        await this.#admit(request, { route, client });
        const signal = AbortSignal.any([request.signal, this.#ending.signal]);
        const { parameters } = found;
        using call = new PendingCall(
          { request, url, parameters, requestId, client, signal, hold },
          { ...this.#options.settings, budget: this.#budget, coming: this.#coming },
        );
        response = await route.handle(call);
      }
    } catch (error) {
      response = this.#failed(error, { request, route, requestId });
    } finally {
      this.#requests--;
      release();
    }
    // The rest of the body is still to come, and nobody reads it.
    if (response.status === 408 || response.status === 413) this.#watch?.hasten(connection);
    const durationMs = performance.now() - sinceMs;
    this.#metrics.answered({ route: route?.path ?? "", status: response.status, durationMs });
    if (response.status === 101) return response;
    const { headers } = response;
    origins.mark(response, request.headers.get("Origin"));
    headers.set("X-Request-Id", requestId);
    headers.set("X-Content-Type-Options", "nosniff");
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
    return response;
  }

  #find(request: Request, url: URL) {
    const found = this.#router.find(request.method, url.pathname);
    if (found.kind === "route") return found;
    if (found.kind === "not-found") throw new HttpError(404, `there is no ${url.pathname} here`);
    const allowed = found.allowed.join(", ");
    throw new HttpError(405, `${url.pathname} takes ${allowed}, not ${request.method}`, {
      Allow: allowed,
    });
  }

  async #admit(request: Request, { route, client }: { route: Route; client: string }) {
    if (route.isOpen) return;
    this.#accepted++;
    const { listen, origins } = this.#options.settings;
    const hasToken = this.#token !== undefined;
    const complaint = pageComplaint(request, { listen, hasToken, origins });
    if (complaint !== undefined) throw new HttpError(403, complaint);
    const { waitSeconds } = this.#rateLimit?.take(client, performance.now()) ?? { waitSeconds: 0 };
    if (waitSeconds > 0) {
      throw new HttpError(429, "too many requests; try again later", {
        "Retry-After": `${waitSeconds}`,
      });
    }
    if (this.#token && !await this.#token.allows(request)) {
      throw new HttpError(401, "this server needs a token: Authorization: Bearer TOKEN", {
        "WWW-Authenticate": "Bearer",
      });
    }
    const { running, waiting, boxes } = this.#executor.load();
    const coming = this.#coming.count;
    const isFull = this.#requests - coming > running + waiting + boxes + MORE_REQUESTS ||
      coming > COMING_REQUESTS;
    if (this.#isStopping || isFull) {
      const why = this.#isStopping ? "the server is being stopped" : "too many requests at once";
      throw new HttpError(503, why, { "Retry-After": "1" });
    }
  }

  #failed(
    error: unknown,
    { request, route, requestId }: {
      request: Request;
      route: Route | undefined;
      requestId: string;
    },
  ): Response {
    // Whatever the error is, nobody reads the answer.
    if (request.signal.aborted) return new Response(null, { status: CLIENT_GONE });
    const { status, message, headers, isOurs } = describeFailure(error);
    if (isOurs) this.#options.complain(`Request ${requestId} failed: ${message}`);
    const said = isOurs ? `the server failed; the request was ${requestId}` : message;
    const body = route?.failureBody?.(said, status) ?? { message: said };
    return json(body, { status, headers });
  }

  #ownRoutes(): Route[] {
    const text = (body: string, status = 200) =>
      new Response(body, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
    return [
      { method: "GET", path: "/healthz", isOpen: true, handle: () => text("ok\n") },
      {
        method: "GET",
        path: "/readyz",
        isOpen: true,
        handle: () => {
          const { whyNotReady } = this.#options.executor;
          const reason = this.#isStopping
            ? "the server is being stopped"
            : whyNotReady !== undefined
            ? whyNotReady()
            : this.#isReady
            ? undefined
            : "the server looks for the languages of this machine";
          return reason === undefined ? text("ok\n") : text(`${reason}\n`, 503);
        },
      },
      {
        method: "GET",
        path: "/metrics",
        handle: () =>
          new Response(this.#metrics.text(this.#executor, { requests: this.#requests }), {
            headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
          }),
      },
    ];
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Deno.errors.NotCapable
    ? `Deno needs one more permission: ${message}`
    : message;
}

let isSilenced = false;

/**
 * Keeps the runtime from warning that the signal of a request is aborted after its answer, too: here nobody
 * listens to it any more by then. There is no other way to switch that off but an option of the command line.
 */
function silenceLegacyAbort(): void {
  if (isSilenced) return;
  isSilenced = true;
  const { warn } = console;
  console.warn = (...words: unknown[]) => {
    if (!String(words[0]).startsWith("Deno.serve: request.signal aborts")) warn(...words);
  };
}
