/** The classic command line: what `isolate --init`, `--run` and `--cleanup` do. */

import {
  Box,
  callerEnvironment,
  defaultSettings,
  describeSettings,
  exactArguments,
  MetaFile,
  type MetaRecord,
  outcomeMessage,
  type PlanTrace,
  Sandbox,
  SandboxError,
  type SignalName,
  toMeta,
} from "../core.ts";
import { complain, tell, UsageError, write } from "./complain.ts";
import type { Subcommand } from "./help.ts";
import { checkClassic, type ClassicRequest, parseClassic } from "./options.ts";
import { runOptions } from "./run_options.ts";

/** What the command says of itself. */
export interface ClassicFacts {
  /** The version. */
  readonly version: string;
  /** The subcommands, for `--help`. */
  readonly subcommands: readonly Subcommand[];
}

/** These end the run; the outcome names them. */
const INTERRUPTING: readonly SignalName[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];
/** With these the caller says that the sandbox shall fail at once. */
const FATAL: readonly SignalName[] = ["SIGABRT", "SIGSEGV", "SIGILL", "SIGFPE", "SIGBUS"];

/** Carries out a classic command line. */
export async function runClassic(args: readonly string[], facts: ClassicFacts): Promise<number> {
  const command = new ClassicCommandLine();
  try {
    return await command.run(args, facts);
  } catch (error) {
    return command.fail(error);
  }
}

/** One classic command line while it is carried out. */
class ClassicCommandLine {
  /** The meta-file that is written in the end. */
  #meta: MetaFile | undefined;
  readonly #abort = new AbortController();

  async run(givenArgs: readonly string[], facts: ClassicFacts): Promise<number> {
    const args = await exactArguments(givenArgs);
    const environment = await callerEnvironment();
    const metaPaths: string[] = [];
    let request: ClassicRequest;
    try {
      const posixlyCorrect = environment.has("POSIXLY_CORRECT");
      const onMetaFile = (path: string) => metaPaths.push(path);
      request = parseClassic(args, { posixlyCorrect, onMetaFile });
    } catch (error) {
      // As long as --as-uid may still come it is not known with whose rights to open the files.
      if (!args.some((arg) => arg.startsWith("--as-"))) await this.#openMetaFiles(metaPaths);
      throw error;
    }
    if (request.command === "help" || request.command === "version") {
      return await printFacts(request.command, facts);
    }
    await this.#openMetaFiles(metaPaths, request);
    const sandbox = await openSandbox(request);
    checkClassic(request, { numBoxes: sandbox.settings.numBoxes });
    return await this.#carryOut(sandbox, { request, environment });
  }

  /** Says what went wrong, on standard error and in the meta-file. */
  fail(error: unknown): number {
    if (!(error instanceof UsageError)) {
      const message = error instanceof Error ? error.message : String(error);
      try {
        this.#meta?.write({ status: "XX", message });
      } catch (metaError) {
        complain(metaError);
      }
    }
    return complain(error);
  }

  /** Opens and empties all of them; the last one is the one that is written. */
  async #openMetaFiles(paths: readonly string[], request?: ClassicRequest): Promise<void> {
    if (paths.length === 0) return;
    // What the configuration says does not matter here, not even if it is wrong.
    const sandbox = await Sandbox.open({ settings: defaultSettings(), actAs: actAs(request) });
    for (const path of paths) {
      this.#meta?.close();
      this.#meta = MetaFile.open(sandbox, path);
    }
  }

  async #carryOut(sandbox: Sandbox, { request, environment }: {
    request: ClassicRequest;
    environment: ReadonlyMap<string, string>;
  }): Promise<number> {
    const { command, boxId, verbosity } = request;
    const where = {
      sandbox,
      boxId,
      controlGroup: request.controlGroup,
      wait: request.wait,
      signal: this.#abort.signal,
    };
    if (verbosity >= 2) tell(describeSettings(sandbox.settings).trimEnd());
    if (command !== "check-config") this.#catchSignals(sandbox);
    switch (command) {
      case "check-config":
        return 0;
      case "print-cg-root":
        write(Deno.stdout, (await sandbox.controlGroupDirectory()) + "\n");
        return 0;
      case "init": {
        const { blocks, inodes } = request.quota ?? {};
        const quota = blocks === undefined ? undefined : { blocksKib: blocks, inodes: inodes ?? 0 };
        const { boxSize } = request;
        const size = boxSize && { sizeKib: boxSize.kib, inodes: boxSize.inodes };
        const box = await Box.init({ ...where, quota, size });
        write(Deno.stdout, box.directory + "\n");
        box.release();
        return 0;
      }
      case "cleanup": {
        const existed = await Box.remove(where);
        if (!existed && verbosity > 0) tell(`Box ${boxId} does not exist, nothing to clean up`);
        return 0;
      }
      default: {
        const box = await Box.open(where);
        try {
          return await this.#runProgram(box, { request, environment });
        } finally {
          box.release();
        }
      }
    }
  }

  async #runProgram(box: Box, { request, environment }: {
    request: ClassicRequest;
    environment: ReadonlyMap<string, string>;
  }): Promise<number> {
    const options = runOptions(request, environment);
    const outcome = await box.run(request.commandLine, { ...options, signal: this.#abort.signal });
    const record: MetaRecord = toMeta(outcome);
    this.#meta?.write(record);
    if (!request.silent) tell(outcomeMessage(outcome));
    return record.status === undefined ? 0 : 1;
  }

  #catchSignals(sandbox: Sandbox): void {
    sandbox.catchSignals({
      caught: [...INTERRUPTING, ...FATAL],
      ignored: ["SIGUSR1", "SIGUSR2", "SIGPIPE"],
      // Whoever starts us may ignore the end of children; we wait for ours.
      standard: ["SIGCHLD"],
      onSignal: (name, signal) => {
        const reason = INTERRUPTING.includes(name)
          ? signal
          : new SandboxError("internal", `The sandbox was told to fail by signal ${name}`);
        this.#abort.abort(reason);
      },
    });
  }
}

function actAs(request: ClassicRequest | undefined): { uid: number; gid: number } | undefined {
  if (request?.asUid === undefined || request.asGid === undefined) return undefined;
  return { uid: request.asUid, gid: request.asGid };
}

function openSandbox(request: ClassicRequest): Promise<Sandbox> {
  const { verbosity, configFile } = request;
  const trace: PlanTrace = (title, print) => {
    tell([`--- ${title}`, ...print()].join("\n"));
  };
  return Sandbox.open({
    configFile,
    actAs: actAs(request),
    trace: verbosity >= 3 ? trace : undefined,
    log: (level, message) => {
      if (verbosity >= level) tell(message());
    },
  });
}

async function printFacts(command: "help" | "version", facts: ClassicFacts): Promise<number> {
  const { usageText, versionText } = await import("./help.ts");
  const denoVersion = Deno.version.deno;
  const details = [["Architecture", Deno.build.arch]] as const;
  const text = command === "help"
    ? usageText(facts.subcommands)
    : versionText({ version: facts.version, denoVersion, details });
  write(Deno.stdout, text);
  return 0;
}
