/** A command line that a client of the service has handed over. */

import { formatMeta, type Sandbox, SandboxError, SIGNALS } from "../core.ts";
import { ClientHands } from "../service/remote.ts";
import type { Client } from "../service/server.ts";
import { UsageError } from "./complain.ts";
import type { ActAs, Origin } from "./origin.ts";

/** What the service decides about its clients. */
export interface ClientRules {
  /** The sandbox of the service itself, for which the clients' ones are like it. */
  readonly sandbox: Sandbox;
  /** Reads another configuration, for root's clients. */
  readonly openConfigured: (file: string) => Promise<Sandbox>;
  /** Throws one sentence if the client may not use the box. */
  readonly checkBox: (client: Client, boxId: number | undefined) => void;
  /** What the service counts. */
  readonly metrics: () => Promise<string>;
}

/** A client's command line, which ends with an exit status. */
export interface ClientOrigin extends Origin {
  /** Prints what is left to be printed, and ends the client. */
  exit(status: number): Promise<void>;
}

/** Makes the origin of a client's command line. */
export function clientOrigin(client: Client, rules: ClientRules): ClientOrigin {
  const { command, peer, surroundings } = client;
  const hands = new ClientHands(rules.sandbox.system, client);
  let printed: Promise<void> = Promise.resolve();
  const onlyRoot = (option: string) => {
    if (peer.uid !== 0) throw new UsageError(`${option} can be used only by root.`);
  };
  let acted = false;
  const act = async (actAs: ActAs) => {
    if (!actAs || acted) return;
    onlyRoot("--as-uid");
    await hands.become(actAs);
    acted = true;
  };
  return {
    args: Promise.resolve(command.args),
    environment: Promise.resolve(command.environment),
    print(stream, text) {
      const fd = stream === "stdout" ? 1 : 2;
      // A reader that has gone away is no failure of the command.
      printed = printed.then(() => hands.write(fd, text, `to ${stream}`)).catch(() => {});
    },
    printed: () => printed,
    terminalWidth: () => hands.terminalWidth(),
    metrics: rules.metrics,
    async openMetaFile(path, actAs) {
      await act(actAs);
      if (path === "-") return metaFile(hands, { fd: 1, path: "standard output" });
      return metaFile(hands, await hands.openMetaFile(path));
    },
    async openSandbox({ configFile, actAs, trace, log }) {
      if (surroundings.hasOwnUsers) {
        throw new SandboxError(
          "restricted",
          "The isolate service serves nobody in a user namespace that is not its own: " +
            "call it from outside",
        );
      }
      if (configFile !== undefined) onlyRoot("--config");
      const base = configFile === undefined
        ? rules.sandbox
        : await rules.openConfigured(configFile);
      await act(actAs);
      const { uid, gid, groups } = peer;
      const caller = actAs ? { ...actAs, groups: [] } : { uid, gid, groups };
      return await base.actFor(caller, { remote: hands.remoteCaller(), trace, log });
    },
    checkBox: (boxId) => rules.checkBox(client, boxId),
    catchSignals(_, onSignal) {
      client.signals(onSignal);
      const onGone = () => onSignal(SIGNALS.SIGTERM);
      if (client.gone.aborted) onGone();
      else client.gone.addEventListener("abort", onGone);
    },
    async exit(status) {
      await printed;
      await hands.exit(status);
    },
  };
}

function metaFile(hands: ClientHands, { fd, path }: { fd: number; path: string }) {
  return {
    write: (record: Parameters<typeof formatMeta>[0]) =>
      hands.write(fd, formatMeta(record), `the meta-file ${path}`),
    writeText: (text: string) => hands.write(fd, text, `the file ${path}`),
    close: () => fd === 1 ? Promise.resolve() : hands.close(fd),
  };
}
