/** What a dialect consists of: routes, and what their handlers are given. */

import type { Executor } from "../engine/executor.ts";
import type { ServerSettings } from "../settings.ts";

/** What all handlers share. */
export interface ServerContext {
  readonly executor: Executor;
  readonly settings: ServerSettings;
  /** The version of this program. */
  readonly version: string;
  /** Aborted when the server has to end now: what still runs is cancelled. */
  readonly ending: AbortSignal;
  /** Tells the administrator of what no client is to blame for. */
  readonly complain: (message: string) => void;
}

/** A request that has found its route. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The parts of the path that its pattern names, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Names the request in answers and messages. */
  readonly requestId: string;
  /** Who asks: an address, with which limits are counted. */
  readonly client: string;
  /** Aborted when the client has gone away, or the server has to end: nobody waits for an answer. */
  readonly signal: AbortSignal;
  /**
   * Reads the body as JSON, however the client dawdles.
   *
   * @throws {HttpError} 400, 408, 413 or 415. Rejects with it
   */
  json(): Promise<unknown>;
  /** Reads the body. @throws {HttpError} 408 or 413. Rejects with it */
  body(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Says that the connection is in use after the handler has returned, as for a stream or a socket, until
   * the returned function is called. Others are closed when nothing has been asked for a while.
   */
  hold(): () => void;
}

/** Something that can be asked for. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path, in which `{name}` stands for one part of any text: `/submissions/{token}`. */
  readonly path: string;
  /** Whether everybody may ask, also without the token. Default: false. */
  readonly isOpen?: boolean;
  /**
   * Answers. What it throws is answered as `describeFailure()` (`server/http/failure.ts`) says.
   */
  readonly handle: (call: Call) => Response | Promise<Response>;
  /** Makes the body of an answer that says what is wrong. Default: `{message}`. */
  readonly failureBody?: (message: string, status: number) => unknown;
}

/** A set of routes that clients know: the server has one for each API that it speaks. */
export type Dialect = (context: ServerContext) => readonly Route[];

/** Answers with JSON. */
export function json(value: unknown, init: ResponseInit = {}): Response {
  return Response.json(value, init);
}
