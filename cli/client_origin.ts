/** A command line that a client of the service has handed over. */

import { formatMeta, type Sandbox, SandboxError, SIGNALS } from "../core.ts";
import { ClientHands } from "../service/remote.ts";
import type { Client } from "../service/server.ts";
import { UsageError } from "./complain.ts";
import type { ActAs, Origin } from "./origin.ts";

/** What is longer is written before. */
const EXIT_TEXT_MAX = 16_384;

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
  const texts: { fd: number; text: string }[] = [];
  let printed: Promise<void> = Promise.resolve();
  const writeAll = () =>
    printed = printed.then(async () => {
      for (let next; (next = texts.shift());) {
        // A reader that has gone away is no failure of the command.
        await hands.write(next.fd, next.text, "what is printed").catch(() => {});
      }
    });
  const onlyRoot = (option: string) => {
    if (peer.uid !== 0) throw new UsageError(`${option} can be used only by root.`);
  };
  let [acted, isOver] = [false, false];
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
      const last = texts.at(-1);
      if (last?.fd === fd) last.text += text;
      else texts.push({ fd, text });
      // What is printed last goes along with the exit, which follows at once.
      setImmediate(writeAll);
    },
    printed: writeAll,
    terminalWidth: () => hands.terminalWidth(),
    metrics: rules.metrics,
    async openMetaFile(path, actAs) {
      await act(actAs);
      await writeAll();
      if (path === "-") return metaFile(hands, writeAll, { fd: 1, path: "standard output" });
      return metaFile(hands, writeAll, await hands.openMetaFile(path));
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
      client.gone.listen(() => {
        if (!isOver) onSignal(SIGNALS.SIGTERM);
      });
    },
    async exit(status) {
      isOver = true;
      await printed;
      const last = texts.length === 1 && texts[0]!.text.length <= EXIT_TEXT_MAX && texts.pop();
      if (last) return await hands.writeAndExit(last.fd, last.text, status);
      await writeAll();
      await hands.exit(status);
    },
  };
}

/** What was printed before comes before what is written: both may be the same file. */
function metaFile(
  hands: ClientHands,
  writePrinted: () => Promise<void>,
  { fd, path }: { fd: number; path: string },
) {
  const write = async (text: string, what: string) => {
    await writePrinted();
    await hands.write(fd, text, what);
  };
  return {
    write: (record: Parameters<typeof formatMeta>[0]) =>
      write(formatMeta(record), `the meta-file ${path}`),
    writeText: (text: string) => write(text, `the file ${path}`),
    close: () => fd === 1 ? Promise.resolve() : hands.close(fd),
  };
}
