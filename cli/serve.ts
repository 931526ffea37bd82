/** `isolate serve`: the resident service. */

import { type Configured, runService } from "../service/resident.ts";
import type { Client } from "../service/server.ts";
import { Sandbox } from "../core.ts";
import { runClassic } from "./classic.ts";
import { type ClientOrigin, clientOrigin } from "./client_origin.ts";
import { describeError, FAILURE_STATUS, tell } from "./complain.ts";
import type { ServiceRequest } from "./commands.ts";

/** `isolate serve`. */
export async function serve(request: ServiceRequest, version: string): Promise<number> {
  const { configFile, verbosity } = request;
  await runService({
    configFile,
    log: (level, message) => {
      if (verbosity >= level) tell(message());
    },
    complain: tell,
    serve: (client, configured) =>
      withOrigin(client, configured, (origin) => runClassic(origin, version)),
    refuse: (client, configured, sentence) =>
      withOrigin(client, configured, (origin) => {
        origin.print("stderr", `${sentence}\n`);
        return Promise.resolve(FAILURE_STATUS);
      }),
  });
  return 0;
}

/** A client that goes away in the middle is no trouble of the service. */
async function withOrigin(
  client: Client,
  { sandbox, access }: Configured,
  work: (origin: ClientOrigin) => Promise<number>,
): Promise<void> {
  const origin = clientOrigin(client, {
    sandbox,
    openConfigured: (file) => Sandbox.open({ configFile: file }),
    checkBox: ({ peer }, boxId) => access.checkBox(peer, boxId),
  });
  try {
    await origin.exit(await work(origin));
  } catch (error) {
    if (!client.gone.aborted) tell(describeError(error));
  }
}
