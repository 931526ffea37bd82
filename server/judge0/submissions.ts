/** Submissions from their beginning to their end: stored, executed, called back. */

import type { CallbackSender } from "../callbacks/callback_sender.ts";
import { decode, encode } from "../engine/codec.ts";
import type { Executor } from "../engine/executor.ts";
import type { JobFile, StageLimits } from "../engine/types.ts";
import type { ResultStore, StoredResult } from "../store/result_store.ts";
import type { Attributes } from "./attributes.ts";
import { failed, type Findings, findingsOf, jobOf, NO_FINDINGS } from "./job.ts";
import { STATUS } from "./statuses.ts";
import type { StoredSubmission } from "./submission_fields.ts";

const KIND = "judge0";

/** A submission that is ready to be executed. */
export interface NewSubmission {
  readonly attributes: Attributes;
  /** The id of its language in the table of languages. */
  readonly language: string;
  /** The additional files. */
  readonly files: readonly JobFile[];
}

/** A submission that waits or runs. */
export interface BegunSubmission {
  readonly token: string;
  /** Resolves when it is finished, whatever its fate is. */
  readonly finished: Promise<void>;
}

/** What submissions need. */
export interface SubmissionsOptions {
  readonly executor: Executor;
  readonly store: ResultStore;
  readonly callbacks: CallbackSender;
  /** What compilers may use. */
  readonly compileLimits: StageLimits;
  /** Writes what is sent to a callback. */
  readonly callbackBody: (submission: StoredSubmission) => string;
}

/** All submissions of the server. */
export class Submissions {
  readonly #options: SubmissionsOptions;

  /** Those that an earlier server has not finished end as internal errors: their jobs are lost. */
  constructor(options: SubmissionsOptions) {
    this.#options = options;
    const findings = failed("The server ended before the submission was executed");
    for (const { id, request } of options.store.unfinished(KIND)) {
      this.#finish(id, { attributes: decode<Attributes>(request), findings });
    }
  }

  /**
   * Begins a submission, and returns once it has its place in the queue.
   *
   * @throws {BusyError} if there is no place. Rejects with it
   * @throws {StoreFullError} if it cannot be stored. Rejects with it
   * @throws {JobError} if it cannot be executed as it is. Rejects with it
   */
  async begin(submission: NewSubmission, signal?: AbortSignal): Promise<BegunSubmission> {
    const { store } = this.#options;
    const token = crypto.randomUUID();
    const request = encode(submission.attributes);
    store.add({ id: token, kind: KIND, request, state: encode(NO_FINDINGS) });
    const { promise: accepted, resolve: accept } = Promise.withResolvers<void>();
    const executed = this.#execute(token, { submission, accept, signal });
    const finished = executed.catch(() => {});
    try {
      await Promise.race([accepted, executed]);
    } catch (error) {
      store.remove(token);
      throw error;
    }
    return { token, finished };
  }

  /** Finds a submission. */
  find(token: string): StoredSubmission | undefined {
    const stored = this.#options.store.get(token, KIND);
    return stored && submissionOf(stored);
  }

  /** Lists submissions, the newest first. */
  list(page: { offset: number; limit: number }): StoredSubmission[] {
    return this.#options.store.list(KIND, page).map(submissionOf);
  }

  get count(): number {
    return this.#options.store.count(KIND);
  }

  /** Forgets a submission that is finished. */
  remove(token: string): void {
    this.#options.store.remove(token);
  }

  async #execute(token: string, { submission, accept, signal }: {
    submission: NewSubmission;
    accept: () => void;
    signal: AbortSignal | undefined;
  }): Promise<void> {
    const { executor, store, compileLimits } = this.#options;
    const { attributes } = submission;
    let isAccepted = false;
    let hasBegun = false;
    try {
      const result = await executor.execute(jobOf({ id: token, ...submission, compileLimits }), {
        signal,
        onAccepted: () => {
          isAccepted = true;
          accept();
        },
        onEvent: ({ kind }) => {
          if (kind !== "begin" || hasBegun) return;
          hasBegun = true;
          store.update(token, encode({ ...NO_FINDINGS, status_id: STATUS.processing }));
        },
      });
      this.#finish(token, { attributes, findings: findingsOf(result) });
    } catch (error) {
      if (!isAccepted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      this.#finish(token, { attributes, findings: failed(message) });
    }
  }

  #finish(
    token: string,
    { attributes: { callback_url: url }, findings }: Pick<
      StoredSubmission,
      "attributes" | "findings"
    >,
  ): void {
    const { store, callbacks, callbackBody } = this.#options;
    if (!store.finish(token, encode(findings)) || url === null) return;
    callbacks.send(url, () => {
      const submission = this.find(token);
      return submission && callbackBody(submission);
    });
  }
}

function submissionOf(stored: StoredResult): StoredSubmission {
  return {
    token: stored.id,
    attributes: decode<Attributes>(stored.request),
    findings: decode<Findings>(stored.state),
    createdAtMs: stored.createdAtMs,
    finishedAtMs: stored.finishedAtMs,
  };
}
