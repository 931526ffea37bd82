/** Answers that come piece by piece: a line of JSON each (NDJSON), or server-sent events. */

/** How a client wants events. */
export type EventForm = "ndjson" | "sse";

/** What happens, with its name. */
export interface StreamEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

const TYPES: Readonly<Record<EventForm, string>> = {
  ndjson: "application/x-ndjson",
  sse: "text/event-stream",
};
/** Proxies close connections on which nothing comes for long. */
const ALIVE_EVERY_MS = 15_000;
const ENCODER = new TextEncoder();

/** Finds out what a client wants by its header `Accept`; undefined: one answer at the end. */
export function eventFormOf(accept: string | null): EventForm | undefined {
  const types = (accept ?? "").split(",").map((type) => type.split(";")[0]!.trim().toLowerCase());
  if (types.includes("text/event-stream")) return "sse";
  if (types.some((type) => /^application\/(x-)?(ndjson|jsonl)$/.test(type))) return "ndjson";
  return undefined;
}

/** A stream of events to one client. */
export class EventStream {
  readonly #form: EventForm;
  readonly #onGone: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Makes a stream; `onGone` is told when nobody reads it any more. */
  constructor(form: EventForm, onGone: () => void) {
    this.#form = form;
    this.#onGone = onGone;
  }

  /** The answer that carries it. */
  response(headers: Readonly<Record<string, string>>): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#stop();
        this.#onGone();
      },
    });
    if (this.#form === "sse") {
      this.#timer = setInterval(() => this.#write(": still here\n\n"), ALIVE_EVERY_MS);
      Deno.unrefTimer(this.#timer);
    }
    return new Response(body, {
      headers: {
        ...headers,
        "Content-Type": TYPES[this.#form],
        // Those who pass it on must not wait until there is more.
        "X-Accel-Buffering": "no",
      },
    });
  }

  /** Sends an event, unless nobody is there. */
  send(event: StreamEvent): void {
    const text = JSON.stringify(event);
    this.#write(
      this.#form === "sse" ? `event: ${event.event}\ndata: ${text}\n\n` : `${text}\n`,
    );
  }

  /** Ends the answer. */
  end(): void {
    const controller = this.#controller;
    this.#stop();
    controller?.close();
  }

  #write(text: string): void {
    this.#controller?.enqueue(ENCODER.encode(text));
  }

  #stop(): void {
    this.#controller = undefined;
    clearInterval(this.#timer);
  }
}
