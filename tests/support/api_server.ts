/** A running execution server for tests. */

import { FEW_LANGUAGES, SERVER_BOXES, until } from "./executor.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A server, and what it has printed. */
export class ApiServer implements AsyncDisposable {
  /** Where it listens, with a slash at the end. */
  readonly url: string;
  readonly process: Deno.ChildProcess;
  readonly #printed: { text: string; ended: Promise<void> };

  private constructor(
    process: Deno.ChildProcess,
    { url, printed }: { url: string; printed: { text: string; ended: Promise<void> } },
  ) {
    this.process = process;
    this.url = url;
    this.#printed = printed;
  }

  /** What it has printed on standard error. */
  get printed(): string {
    return this.#printed.text;
  }

  /** Starts a server with more options. */
  static async start(...options: string[]): Promise<ApiServer> {
    const listens = options.some((option) => option.startsWith("--listen"));
    // The runtime wants more for a socket of the unix kind, and for a database.
    const paths = options.flatMap((option) =>
      /^--(?:listen=unix:|results=)(.*)$/.exec(option)?.slice(1) ?? []
    );
    const args = [
      ...["run", "--quiet", "--no-prompt", "--allow-ffi", "--allow-net"],
      ...paths.flatMap((path) => [`--allow-read=${path}`, `--allow-write=${path}`]),
      ...[`${ROOT}server.ts`, ...listens ? [] : ["--listen=127.0.0.1:0"]],
      `--box-ids=${SERVER_BOXES.first}-${SERVER_BOXES.first + SERVER_BOXES.count - 1}`,
      ...options.some((option) => option.startsWith("--languages="))
        ? []
        : [`--languages=${FEW_LANGUAGES}`],
      ...options,
    ];
    const process = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
    }).spawn();
    const printed = { text: "", ended: Promise.resolve() };
    const url = await new Promise<string>((resolve, reject) => {
      printed.ended = (async () => {
        for await (const piece of process.stderr.pipeThrough(new TextDecoderStream())) {
          printed.text += piece;
          const found = /^Listening on (\S+)$/m.exec(printed.text)?.[1];
          if (found !== undefined) resolve(found);
        }
        reject(new Error(`The server ended: ${printed.text}`));
      })();
    });
    const server = new ApiServer(process, { url, printed });
    if (url.startsWith("http:")) {
      // Compilers that tell their versions are programs in boxes, too.
      await until(async () => {
        const { ok, body } = await fetch(`${url.replace("0.0.0.0", "127.0.0.1")}readyz`);
        await body?.cancel();
        return ok;
      });
    }
    return server;
  }

  /** Posts JSON. */
  async post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.url}${path}`, {
      method: "POST",
      ...init,
      headers: { "Content-Type": "application/json", ...init.headers as Record<string, string> },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** Opens a connection, for what no proper client sends. */
  async connect(): Promise<Deno.TcpConn> {
    const { hostname, port } = new URL(this.url);
    return await Deno.connect({ hostname, port: Number(port) });
  }

  /** Stops it, and gives its exit status. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    try {
      this.process.kill(signal);
    } catch {
      // It has ended.
    }
    const { code } = await this.process.status;
    await this.#printed.ended;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Reads everything that comes on a connection until it ends; with what it took, in milliseconds. */
export async function readToEnd(connection: Deno.TcpConn): Promise<{ text: string; ms: number }> {
  const sinceMs = performance.now();
  const buffer = new Uint8Array(65536);
  let text = "";
  try {
    for (;;) {
      const length = await connection.read(buffer);
      if (length === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, length));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    connection.close();
  }
  return { text, ms: performance.now() - sinceMs };
}
