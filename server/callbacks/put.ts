/** One request to an address that is already known: no name is resolved, no redirection followed. */

import { ExpectedError } from "../../text/errors.ts";

/** What is sent, and where to. */
export interface PutOptions {
  readonly url: URL;
  /** The address that the host of the URL has. */
  readonly address: string;
  /** JSON. */
  readonly body: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Certificates of authorities that are trusted besides the usual ones. Default: none. */
  readonly caCerts?: readonly string[];
}

/** The first line of an answer is not longer. */
const STATUS_LINE_BYTES = 1024;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |\r|\n)/;

/**
 * Puts JSON, and returns the status of the answer; nothing else of the answer is looked at.
 *
 * @throws an error if there is no connection or no answer of HTTP, or the signal is aborted. Rejects with it
 */
export async function put(options: PutOptions): Promise<number> {
  const { signal } = options;
  signal.throwIfAborted();
  const connection = await connect(options);
  const end = () => close(connection);
  signal.addEventListener("abort", end);
  try {
    // An abort between the connection and the listener.
    signal.throwIfAborted();
    await writeAll(connection, requestOf(options));
    return await readStatus(connection);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", end);
    close(connection);
  }
}

async function connect({ url, address, signal, caCerts = [] }: PutOptions): Promise<Deno.Conn> {
  const isSecure = url.protocol === "https:";
  const port = Number(url.port) || (isSecure ? 443 : 80);
  const plain = await Deno.connect({ hostname: address, port, signal });
  if (!isSecure) return plain;
  const end = () => close(plain);
  signal.addEventListener("abort", end);
  try {
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const secure = await Deno.startTls(plain, { hostname, caCerts: [...caCerts] });
    try {
      await secure.handshake();
      return secure;
    } catch (error) {
      close(secure);
      throw error;
    }
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function requestOf({ url, body }: PutOptions): Uint8Array {
  const bytes = new TextEncoder().encode(body);
  const head = new TextEncoder().encode([
    `PUT ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Content-Type: application/json",
    `Content-Length: ${bytes.length}`,
    "User-Agent: isolate",
    "Connection: close",
    "\r\n",
  ].join("\r\n"));
  const request = new Uint8Array(head.length + bytes.length);
  request.set(head);
  request.set(bytes, head.length);
  return request;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function readStatus(connection: Deno.Conn): Promise<number> {
  const bytes = new Uint8Array(STATUS_LINE_BYTES);
  let length = 0;
  while (length < bytes.length) {
    const count = await connection.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    const [, status] = STATUS_LINE.exec(text) ?? [];
    if (status !== undefined) return Number(status);
    if (text.includes("\n")) break;
  }
  throw new ExpectedError("The answer is not one of HTTP");
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
