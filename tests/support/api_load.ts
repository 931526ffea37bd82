/** Many clients of the execution server at once, with slow and half-open ones beside them. */

import type { ApiServer } from "./api_server.ts";

/** What clients were told. */
export interface ApiLoadReport {
  readonly answered: number;
  /** Told to come back: 429 and 503. */
  readonly refused: number;
  /** What no client should see. */
  readonly failures: readonly string[];
}

const PAUSE_MS = 100;
const FAILURES_MAX = 20;

/** Lets clients work for some seconds, each one request after the other; others say next to nothing. */
export async function loadApi(
  server: ApiServer,
  { clients, silent, seconds }: { clients: number; silent: number; seconds: number },
): Promise<ApiLoadReport> {
  const untilMs = performance.now() + 1000 * seconds;
  const failures: string[] = [];
  const quiet = await Promise.all(Array.from({ length: silent }, (_, i) => halfOpen(server, i)));
  let answered = 0;
  let refused = 0;
  const work = async (client: number) => {
    for (let i = 0; performance.now() < untilMs && failures.length < FAILURES_MAX; i++) {
      const said = `${client}-${i}`;
      const files = [{ content: `print("${said}")` }];
      try {
        const response = await server.post("api/v2/execute", {
          language: "python",
          version: "*",
          files,
        });
        const body = await response.json();
        if (response.status === 429 || response.status === 503) {
          refused++;
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        } else if (response.status === 200 && body.run.stdout === `${said}\n`) answered++;
        else failures.push(`${response.status}: ${JSON.stringify(body)}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
  for (const connection of quiet) connection.close();
  return { answered, refused, failures };
}

/** Connects, and says nothing, a part of a head, or a part of a body. */
async function halfOpen(server: ApiServer, i: number): Promise<Deno.TcpConn> {
  const connection = await server.connect();
  const head = "POST /api/v2/execute HTTP/1.1\r\nHost: localhost\r\n";
  const parts = ["", head, `${head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{`];
  await connection.write(new TextEncoder().encode(parts[i % parts.length]!));
  return connection;
}
