/** `isolate serve`: the resident service. */

import { type Configured, runService } from "../service/resident.ts";
import type { Client } from "../service/server.ts";
import { Sandbox } from "../core.ts";
import { runClassic } from "./classic.ts";
import { type ClientOrigin, clientOrigin } from "./client_origin.ts";
import { describeError, FAILURE_STATUS, tell } from "./complain.ts";
import type { ServiceRequest } from "./commands.ts";
import type { Origin } from "./origin.ts";
import { STEERING } from "./steering_table.ts";

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
      withOrigin(client, configured, (origin) => runCommand(origin, version)),
    refuse: (client, configured, sentence) =>
      withOrigin(client, configured, (origin) => {
        origin.print("stderr", `${sentence}\n`);
        return Promise.resolve(FAILURE_STATUS);
      }),
  });
  return 0;
}

async function runCommand(origin: Origin, version: string): Promise<number> {
  const [name, ...args] = await origin.args;
  const command = STEERING.find((known) => known.name === name);
  return await (command ? command.main(args, version, origin) : runClassic(origin, version));
}

/** A client that goes away in the middle is no trouble of the service. */
async function withOrigin(
  client: Client,
  { sandbox, access, metrics }: Configured,
  work: (origin: ClientOrigin) => Promise<number>,
): Promise<void> {
  const origin = clientOrigin(client, {
    sandbox,
    openConfigured: (file) => Sandbox.open({ configFile: file }),
    checkBox: ({ peer }, boxId) => access.checkBox(peer, boxId),
    metrics: () => metrics.text(),
  });
  const began = performance.now();
  try {
    const status = await work(origin);
    const [name] = await origin.args;
    metrics.commandEnded({
      // What has entered a box can exit as it likes.
      isError: status === FAILURE_STATUS && name !== "enter",
      durationMs: performance.now() - began,
    });
    await origin.exit(status);
  } catch (error) {
    if (!client.gone.hasHappened) tell(describeError(error));
  }
}
