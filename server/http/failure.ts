/** What goes wrong with a request, and how that is answered. */

import { BusyError, JobError } from "../engine/executor.ts";

/** A request is answered with this status and one sentence. */
export class HttpError extends Error {
  /** Always `"HttpError"`. */
  override readonly name = "HttpError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** Says what is wrong with the request. */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** An answer that says what is wrong. */
export interface Failure {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the server is to blame; `message` is then not for clients. */
  readonly isOurs: boolean;
}

/** Decides how an error is answered. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof HttpError) {
    return { status: error.status, message: error.message, headers: error.headers, isOurs: false };
  }
  if (error instanceof BusyError) {
    const headers = { "Retry-After": `${error.retryAfterSeconds}` };
    return { status: 503, message: error.message, headers, isOurs: false };
  }
  if (error instanceof JobError) {
    return { status: 400, message: error.message, headers: {}, isOurs: false };
  }
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return { status: 500, message, headers: {}, isOurs: true };
}
