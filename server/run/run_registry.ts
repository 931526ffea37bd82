/** Requests that are being worked on: to cancel them, and to do none of them twice. */

import { HttpError } from "../http/failure.ts";
import { type ResultStore, StoreFullError } from "../store/result_store.ts";

/** An answer that is made once for all requests with one key. */
export interface Keyed {
  /** Names the request; whoever repeats it sends the same. */
  readonly key: string;
  /** What the request says. */
  readonly body: Uint8Array<ArrayBuffer>;
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const OTHER_BODY = "this Idempotency-Key was used for another request";

/** All requests of one server. */
export class RunRegistry {
  readonly #byId = new Map<string, AbortController>();
  readonly #byKey = new Map<string, { digest: string; answer: Promise<string> }>();
  readonly #store: ResultStore;
  readonly #kind: string;

  /** Answers with keys are kept in the store, as records of that kind. */
  constructor(store: ResultStore, kind: string) {
    this.#store = store;
    this.#kind = kind;
  }

  /**
   * Does work that can be cancelled by its id.
   *
   * @throws {HttpError} 409 if work with this id is going on. Rejects with it
   */
  async cancellable<T>(
    id: string,
    { signals, work }: {
      signals: readonly AbortSignal[];
      work: (signal: AbortSignal) => Promise<T>;
    },
  ): Promise<T> {
    if (this.#byId.has(id)) {
      throw new HttpError(409, `a request with the X-Request-Id ${id} is being worked on`);
    }
    const controller = new AbortController();
    this.#byId.set(id, controller);
    try {
      return await work(AbortSignal.any([controller.signal, ...signals]));
    } finally {
      this.#byId.delete(id);
    }
  }

  /** Cancels work; tells whether there was any with this id. */
  cancel(id: string): boolean {
    const controller = this.#byId.get(id);
    controller?.abort(new HttpError(499, "the request was cancelled"));
    return controller !== undefined;
  }

  /**
   * Finds the answer to an equal request, or has it made. If that fails, the next request tries again.
   *
   * @param make makes the answer, and says whether equal requests shall get it, too
   * @returns the answer, and whether it is that of an earlier request
   * @throws {HttpError} 422 if the key belongs to another request. Rejects with it
   */
  async once(
    { key, body }: Keyed,
    make: () => Promise<{ answer: string; isKept: boolean }>,
  ): Promise<{ answer: string; isRepeated: boolean }> {
    if (!KEY.test(key)) {
      throw new HttpError(400, "Idempotency-Key must be 1 to 255 visible ASCII characters");
    }
    const digest = await digestOf(body);
    // Whoever chooses keys must not choose the names of other records.
    const id = `${this.#kind}:${await digestOf(new TextEncoder().encode(key))}`;
    const running = this.#byKey.get(id);
    if (running) {
      if (running.digest !== digest) throw new HttpError(422, OTHER_BODY);
      return { answer: await running.answer, isRepeated: true };
    }
    const stored = this.#store.get(id, this.#kind);
    if (stored?.finishedAtMs !== undefined) {
      if (stored.request !== digest) throw new HttpError(422, OTHER_BODY);
      return { answer: stored.state, isRepeated: true };
    }
    const answer = this.#make(id, { digest, make });
    this.#byKey.set(id, { digest, answer });
    try {
      return { answer: await answer, isRepeated: false };
    } finally {
      this.#byKey.delete(id);
    }
  }

  async #make(id: string, { digest, make }: {
    digest: string;
    make: () => Promise<{ answer: string; isKept: boolean }>;
  }): Promise<string> {
    // One that an earlier server has not finished.
    this.#store.remove(id);
    const { answer, isKept } = await make();
    if (isKept) this.#keep(id, { digest, answer });
    return answer;
  }

  #keep(id: string, { digest, answer }: { digest: string; answer: string }): void {
    try {
      this.#store.add({ id, kind: this.#kind, request: digest, state: "" });
      this.#store.finish(id, answer);
    } catch (error) {
      // Then equal requests are done again.
      if (!(error instanceof StoreFullError)) throw error;
    }
  }
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
