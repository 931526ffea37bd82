/** Where a command line comes from: this process, or a client of the service. */

import {
  callerEnvironment,
  defaultSettings,
  exactArguments,
  MetaFile,
  type MetaRecord,
  Sandbox,
  type SandboxOptions,
  SIGNALS,
} from "../core.ts";
import { write } from "./complain.ts";

/** A meta-file that was opened and emptied. */
export interface OpenMetaFile {
  write(record: MetaRecord): Promise<void> | void;
  writeText(text: string): Promise<void> | void;
  close(): Promise<void> | void;
}

/** The user for whom a command acts, if that is not its caller. */
export type ActAs = { readonly uid: number; readonly gid: number } | undefined;

/** Gives a command what it has to know, and takes what it has to say. */
export interface Origin {
  /** The arguments, with bytes that are not UTF-8 as lone surrogates. */
  readonly args: Promise<readonly string[]>;
  readonly environment: Promise<ReadonlyMap<string, string>>;
  /** Prints text. What is printed comes out in the order of the calls. */
  print(stream: "stdout" | "stderr", text: string): void;
  /** Resolves once everything is printed, or nobody reads it. */
  printed(): Promise<void>;
  /** How many columns the terminal on standard output has; infinite if it is none. */
  terminalWidth(): Promise<number>;
  /** What the service counts, in the text format of Prometheus; undefined without a service. */
  readonly metrics: (() => Promise<string>) | undefined;
  /** Opens and empties a meta-file with the rights of whom the command acts for. */
  openMetaFile(path: string, actAs: ActAs): Promise<OpenMetaFile>;
  openSandbox(options: SandboxOptions): Promise<Sandbox>;
  /** Checks that the caller may use a box; undefined: any. */
  checkBox(boxId: number | undefined): void;
  /** Hands on the signals that are sent to the command. */
  catchSignals(sandbox: Sandbox, onSignal: (signal: number) => void): void;
}

/** These end a run; the outcome names them. */
export const INTERRUPTING: ReadonlySet<number> = new Set([
  SIGNALS.SIGHUP,
  SIGNALS.SIGINT,
  SIGNALS.SIGQUIT,
  SIGNALS.SIGTERM,
]);

/** A command line of this process. */
export function ownProcess(args: readonly string[]): Origin {
  return {
    args: exactArguments(args),
    environment: callerEnvironment(),
    print: (stream, text) => write(Deno[stream], text),
    printed: () => Promise.resolve(),
    terminalWidth: () =>
      Promise.resolve(Deno.stdout.isTerminal() ? Deno.consoleSize().columns || Infinity : Infinity),
    metrics: undefined,
    async openMetaFile(path, actAs) {
      // What the configuration says does not matter here, not even if it is wrong.
      const options = { settings: defaultSettings(), actAs, userNamespace: true };
      return MetaFile.open(await Sandbox.open(options), path);
    },
    openSandbox: (options) => Sandbox.open({ ...options, userNamespace: true }),
    checkBox: () => {},
    catchSignals(sandbox, onSignal) {
      sandbox.catchSignals({
        // Besides those that interrupt, those that make the sandbox fail at once.
        caught: [
          "SIGHUP",
          "SIGINT",
          "SIGQUIT",
          "SIGTERM",
          "SIGABRT",
          "SIGSEGV",
          "SIGILL",
          "SIGFPE",
          "SIGBUS",
        ],
        ignored: ["SIGUSR1", "SIGUSR2", "SIGPIPE"],
        // The caller may ignore the end of its children; we wait for ours.
        standard: ["SIGCHLD"],
        onSignal: (_, signal) => onSignal(signal),
      });
    },
  };
}
