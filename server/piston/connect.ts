/**
 * A program to talk to, over a WebSocket. Besides what Piston's messages have, a message of input may
 * end it: `{"type": "data", "stream": "stdin", "data": "last\n", "end": true}`.
 */

import { SIGNALS } from "../../mod.ts";
import type { Session } from "../engine/executor.ts";
import type { JobEvent, OutputStream } from "../engine/types.ts";
import { describeFailure, HttpError } from "../http/failure.ts";
import type { Call, ServerContext } from "../http/route.ts";
import { jobOf, readExecuteRequest } from "./execute_request.ts";
import { findRuntime, knownRuntimes } from "./runtimes.ts";
import { endingAnswer } from "./stage_answer.ts";

/** Why a socket is closed. */
const CLOSED = {
  alreadyInitialized: [4000, "Already Initialized"],
  timeout: [4001, "Initialization Timeout"],
  error: [4002, "Notified Error"],
  notInitialized: [4003, "Not yet initialized"],
  wrongStream: [4004, "Can only write to stdin"],
  invalidSignal: [4005, "Invalid signal"],
  done: [4999, "Job Completed"],
} as const;

const INIT_MS = 1000;
/** Input that the program does not read stays in memory. */
const PENDING_BYTES_MAX = 4 << 20;
/** A client that sends nothing, not even the answer to a ping, is gone. */
const IDLE_SECONDS = 30;

/** Makes a socket of a request. */
export function connect(call: Call, context: ServerContext): Response {
  if (call.request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
    throw new HttpError(426, "this address takes WebSocket connections", { Upgrade: "websocket" });
  }
  const { socket, response } = Deno.upgradeWebSocket(call.request, { idleTimeout: IDLE_SECONDS });
  new Conversation(socket, { call, context });
  return response;
}

/** One socket, from its first message to its end. */
class Conversation {
  readonly #socket: WebSocket;
  readonly #call: Call;
  readonly #context: ServerContext;
  readonly #gone = new AbortController();
  readonly #decoders = new Map<string, TextDecoder>();
  #isInitialized = false;
  #session: Session | undefined;
  /** Input that came before the program was there. */
  #early: Uint8Array<ArrayBuffer>[] = [];
  #isEarlyEnd = false;
  #pendingBytes = 0;

  constructor(socket: WebSocket, { call, context }: { call: Call; context: ServerContext }) {
    this.#socket = socket;
    this.#call = call;
    this.#context = context;
    const release = call.hold();
    const timer = setTimeout(() => {
      if (!this.#isInitialized) this.#close("timeout");
    }, INIT_MS);
    const end = () => {
      clearTimeout(timer);
      context.ending.removeEventListener("abort", stop);
      this.#gone.abort(new HttpError(499, "the client has gone away"));
      release();
    };
    const stop = () => {
      this.#gone.abort(context.ending.reason);
    };
    context.ending.addEventListener("abort", stop);
    socket.addEventListener("close", end);
    socket.addEventListener("error", end);
    socket.addEventListener("message", ({ data }) => this.#take(data));
  }

  #take(data: unknown): void {
    let message: Readonly<Record<string, unknown>>;
    try {
      if (typeof data !== "string") throw new HttpError(400, "messages must be text");
      if (data.length > this.#context.settings.bodyBytes) {
        throw new HttpError(
          413,
          `a message must have at most ${this.#context.settings.bodyBytes} bytes`,
        );
      }
      message = parseMessage(data);
      switch (message["type"]) {
        case "init":
          return this.#init(message);
        case "data":
          return this.#write(message);
        case "signal":
          return this.#signal(message);
        default:
          throw new HttpError(400, "the type of a message must be init, data or signal");
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #init(message: Readonly<Record<string, unknown>>): void {
    if (this.#isInitialized) return this.#close("alreadyInitialized");
    this.#isInitialized = true;
    this.#run(message).then(() => this.#close("done"), (error) => this.#fail(error));
  }

  async #run(message: Readonly<Record<string, unknown>>): Promise<void> {
    const { executor, settings } = this.#context;
    const request = readExecuteRequest(message, settings);
    const runtime = findRuntime(await knownRuntimes(executor), request);
    this.#gone.signal.throwIfAborted();
    const { language, version } = runtime;
    this.#send({ type: "runtime", language, version });
    const stdin = new TextEncoder().encode(request.stdin);
    const job = jobOf(request, { runtime, stdin });
    this.#session = executor.open(job, {
      signal: this.#gone.signal,
      onEvent: (event) => this.#tell(event),
    });
    for (const bytes of this.#early) this.#pass(this.#session, bytes);
    this.#early = [];
    if (this.#isEarlyEnd) this.#session.end();
    await this.#session.result;
  }

  #tell(event: JobEvent): void {
    const { stage } = event;
    switch (event.kind) {
      case "begin":
        return this.#send({ type: "stage", stage });
      case "output":
        return this.#sendOutput(event.stream, this.#decode(event, event.bytes));
      case "end": {
        for (const stream of ["stdout", "stderr"] as const) {
          this.#sendOutput(stream, this.#decode({ stage, stream }));
        }
        return this.#send({ type: "exit", stage, ...endingAnswer(event.result) });
      }
    }
  }

  /** Decodes a piece, whose characters may go on in the next one; without bytes what is left. */
  #decode(
    { stage, stream }: { stage: string; stream: OutputStream },
    bytes?: Uint8Array,
  ): string {
    const key = `${stage} ${stream}`;
    const decoder = this.#decoders.get(key) ?? new TextDecoder("utf-8", { ignoreBOM: true });
    this.#decoders.set(key, decoder);
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  }

  #sendOutput(stream: OutputStream, data: string): void {
    if (data !== "") this.#send({ type: "data", stream, data });
  }

  #write(message: Readonly<Record<string, unknown>>): void {
    if (!this.#isInitialized) return this.#close("notInitialized");
    const { stream, data = "", end = false } = message;
    if (stream !== "stdin") return this.#close("wrongStream");
    if (typeof data !== "string" || typeof end !== "boolean") {
      throw new HttpError(400, "data must be a string, and end true or false");
    }
    const bytes = new TextEncoder().encode(data);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > PENDING_BYTES_MAX) {
      throw new HttpError(
        413,
        `the program has not read ${PENDING_BYTES_MAX} bytes of its input yet: send more later`,
      );
    }
    if (this.#session) {
      this.#pass(this.#session, bytes);
      if (end) this.#session.end();
    } else {
      if (!this.#isEarlyEnd) this.#early.push(bytes);
      this.#isEarlyEnd ||= end;
    }
  }

  #pass(session: Session, bytes: Uint8Array<ArrayBuffer>): void {
    const read = () => {
      this.#pendingBytes -= bytes.length;
    };
    session.write(bytes).then(read, read);
  }

  #signal(message: Readonly<Record<string, unknown>>): void {
    if (!this.#isInitialized) return this.#close("notInitialized");
    const { signal } = message;
    const number = typeof signal === "string" && Object.hasOwn(SIGNALS, signal)
      ? SIGNALS[signal as keyof typeof SIGNALS]
      : undefined;
    if (number === undefined) return this.#close("invalidSignal");
    // Before the program begins there is nobody to get it, and afterwards nobody to miss it.
    this.#session?.signal(number);
  }

  #fail(error: unknown): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const { message, isOurs } = describeFailure(error);
    if (isOurs) this.#context.complain(`Request ${this.#call.requestId} failed: ${message}`);
    this.#send({ type: "error", message: isOurs ? "the server failed" : message });
    this.#close("error");
  }

  #send(message: unknown): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #close(why: keyof typeof CLOSED): void {
    const [code, reason] = CLOSED[why];
    if (why !== "done") this.#gone.abort(new HttpError(499, "the socket was closed"));
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
  }
}

function parseMessage(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, "messages must be JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new HttpError(400, "a message must be an object");
}
