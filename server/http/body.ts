/** Reads the body of a request: never more than is allowed, and never for longer than it should take. */

import { joinBytes } from "../../text/bytes.ts";
import { HttpError } from "./failure.ts";

/** How a body is read. */
export interface BodyOptions {
  readonly limitBytes: number;
  /** How long the client may send nothing. */
  readonly pauseMs: number;
  /** How long it may take besides what the slowest rate explains. */
  readonly graceMs: number;
  /** The slowest rate that is waited for in the long run, in bytes each second. */
  readonly bytesPerSecond: number;
  /** Told how much more has come; it may throw. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What any client over a bad line can keep up with. */
export const PATIENCE: Pick<BodyOptions, "graceMs" | "bytesPerSecond"> = {
  graceMs: 20_000,
  bytesPerSecond: 16 << 10,
};

/** Reads the whole body. */
export async function readBody(
  request: Request,
  options: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { limitBytes } = options;
  const announced = Number(request.headers.get("Content-Length") ?? 0);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const sinceMs = performance.now();
  try {
    for (;;) {
      const dueMs = sinceMs + options.graceMs + 1000 * length / options.bytesPerSecond;
      const waitMs = Math.min(options.pauseMs, dueMs - performance.now());
      const { done, value } = await orTimeout(reader.read(), waitMs);
      if (done) return joinBytes(pieces, length);
      length += value.length;
      if (length > limitBytes) throw tooLarge(limitBytes);
      options.onBytes?.(value.length);
      pieces.push(value);
    }
  } catch (error) {
    // Whatever else is sent is not wanted; a broken connection cannot be told.
    void reader.cancel().catch(() => {});
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "the body of the request could not be read to its end");
  }
}

/**
 * Tells whether the client says that it sends JSON. One that names no other type may still do so, as a
 * published client does; but not a page in a browser, which can send these types to any server unasked.
 */
export function saysJson({ headers }: Request): boolean {
  const type = headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || type.endsWith("+json")) return true;
  if (type !== "" && type !== "text/plain" || headers.has("Origin")) throw notJson();
  return false;
}

/** Checks that the client says that it sends JSON. */
export function checkJsonType(request: Request): void {
  if (!saysJson(request)) throw notJson();
}

/** Makes the error about a body of another type. */
export function notJson(): HttpError {
  return new HttpError(415, "requests must be of type application/json");
}

/** Reads JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, "the body of the request must be UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, `the body of the request must be JSON: ${reason}`);
  }
}

async function orTimeout<T>(promise: Promise<T>, waitMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        const late = () =>
          reject(
            new HttpError(408, "the body of the request came too slowly", { Connection: "close" }),
          );
        timer = setTimeout(late, Math.max(0, waitMs));
      }),
    ]);
  } finally {
    clearTimeout(timer);
    // If it lost the race it may still fail, and nobody else looks.
    promise.catch(() => {});
  }
}

function tooLarge(limitBytes: number): HttpError {
  return new HttpError(413, `the body of a request must have at most ${limitBytes} bytes`, {
    Connection: "close",
  });
}
