/** A request on its way. */

import { notJson, parseJson, PATIENCE, readBody, saysJson } from "./body.ts";
import { HttpError } from "./failure.ts";
import type { ServerSettings } from "../settings.ts";
import type { Call } from "./route.ts";

/** Bounds the memory that the bodies of all requests on their way take together. */
export class BodyBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Takes more. @throws {HttpError} 503 if there is not so much */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#limitBytes) {
      throw new HttpError(503, "too many large requests at once; try again later", {
        "Retry-After": "1",
      });
    }
    this.#usedBytes += bytes;
  }

  /** Gives it back. */
  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

const REQUEST_ID = /^[\w.:-]{1,64}$/;

/** Takes the client's name for its request, if it is one that can be printed, or makes one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get("X-Request-Id") ?? "";
  return REQUEST_ID.test(given) ? given : crypto.randomUUID();
}

/** A request, and what it holds until it is answered. */
export class PendingCall implements Call, Disposable {
  readonly request: Request;
  readonly url: URL;
  readonly parameters: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly client: string;
  readonly signal: AbortSignal;
  readonly hold: () => () => void;
  readonly #bodyBytes: number;
  readonly #idleMs: number;
  readonly #budget: BodyBudget;
  readonly #coming: { count: number };
  #takenBytes = 0;

  constructor(
    call: Omit<Call, "json" | "body">,
    { bodyBytes, idleMs, budget, coming }: Pick<ServerSettings, "bodyBytes" | "idleMs"> & {
      budget: BodyBudget;
      /** How many requests there are whose bodies are being read. */
      coming: { count: number };
    },
  ) {
    this.request = call.request;
    this.url = call.url;
    this.parameters = call.parameters;
    this.requestId = call.requestId;
    this.client = call.client;
    this.signal = call.signal;
    this.hold = call.hold;
    this.#bodyBytes = bodyBytes;
    this.#idleMs = idleMs;
    this.#budget = budget;
    this.#coming = coming;
  }

  async json(): Promise<unknown> {
    const isSaid = saysJson(this.request);
    const bytes = await this.body();
    try {
      return parseJson(bytes);
    } catch (error) {
      throw isSaid ? error : notJson();
    }
  }

  async body(): Promise<Uint8Array<ArrayBuffer>> {
    this.#coming.count++;
    try {
      return await readBody(this.request, {
        ...PATIENCE,
        pauseMs: this.#idleMs,
        limitBytes: this.#bodyBytes,
        onBytes: (bytes) => {
          this.#budget.take(bytes);
          this.#takenBytes += bytes;
        },
      });
    } finally {
      this.#coming.count--;
    }
  }

  /** Says that the body is not needed any more. */
  [Symbol.dispose](): void {
    this.#budget.giveBack(this.#takenBytes);
    this.#takenBytes = 0;
  }
}
