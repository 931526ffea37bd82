/** The classic command line: what `isolate --init`, `--run` and `--cleanup` do. */

import {
  Box,
  callerEnvironment,
  defaultSettings,
  describeSettings,
  exactArguments,
  MetaFile,
  outcomeMessage,
  type PlanTrace,
  Sandbox,
  SandboxError,
  type SignalName,
  toMeta,
} from "../core.ts";
import { checkClassic, ClassicRequest, parseClassic, runOptions } from "./classic_request.ts";
import { complain, tell, UsageError, write } from "./complain.ts";

/** These end the run; the outcome names them. */
const INTERRUPTING: readonly SignalName[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];
/** These make the sandbox fail at once. */
const FATAL: readonly SignalName[] = ["SIGABRT", "SIGSEGV", "SIGILL", "SIGFPE", "SIGBUS"];

/** Carries out a classic command line. */
export async function runClassic(args: readonly string[], version: string): Promise<number> {
  const command = new ClassicCommandLine();
  try {
    return await command.run(args, version);
  } catch (error) {
    return command.fail(error);
  }
}

/** One classic command line while it is carried out. */
class ClassicCommandLine {
  readonly #request = new ClassicRequest();
  /** The meta-file that is written in the end. */
  #meta: MetaFile | undefined;
  readonly #abort = new AbortController();

  async run(givenArgs: readonly string[], version: string): Promise<number> {
    const request = this.#request;
    const args = await exactArguments(givenArgs);
    const environment = await callerEnvironment();
    try {
      parseClassic(args, { posixlyCorrect: environment.has("POSIXLY_CORRECT"), request });
    } catch (error) {
      // As long as --as-uid may still come it is not known with whose rights to open the files.
      if (!args.some((arg) => arg.startsWith("--as-"))) await this.#openMetaFiles();
      throw error;
    }
    if (request.command === "help" || request.command === "version") {
      const { usageText, versionText } = await import("./help.ts");
      write(Deno.stdout, request.command === "help" ? usageText() : versionText(version));
      return 0;
    }
    await this.#openMetaFiles();
    const sandbox = await this.#openSandbox();
    checkClassic(request, { numBoxes: sandbox.settings.numBoxes });
    return await this.#carryOut(sandbox, environment);
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
  async #openMetaFiles(): Promise<void> {
    const { metaFiles } = this.#request;
    if (metaFiles.length === 0) return;
    // What the configuration says does not matter here, not even if it is wrong.
    const sandbox = await Sandbox.open({ settings: defaultSettings(), actAs: this.#actAs() });
    for (const path of metaFiles) {
      this.#meta?.close();
      this.#meta = MetaFile.open(sandbox, path);
    }
  }

  #openSandbox(): Promise<Sandbox> {
    const { verbosity, configFile } = this.#request;
    const trace: PlanTrace = (title, print) => {
      tell([`--- ${title}`, ...print()].join("\n"));
    };
    return Sandbox.open({
      configFile,
      actAs: this.#actAs(),
      trace: verbosity >= 3 ? trace : undefined,
      log: (level, message) => {
        if (verbosity >= level) tell(message());
      },
    });
  }

  #actAs(): { uid: number; gid: number } | undefined {
    const { asUid: uid, asGid: gid } = this.#request;
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  }

  async #carryOut(sandbox: Sandbox, environment: ReadonlyMap<string, string>): Promise<number> {
    const { command, boxId, controlGroup, wait, verbosity } = this.#request;
    const where = { sandbox, boxId, controlGroup, wait, signal: this.#abort.signal };
    if (verbosity >= 2) tell(describeSettings(sandbox.settings).trimEnd());
    if (command !== "check-config") this.#catchSignals(sandbox);
    switch (command) {
      case "check-config":
        return 0;
      case "print-cg-root":
        write(Deno.stdout, (await sandbox.controlGroupDirectory()) + "\n");
        return 0;
      case "init": {
        const { quota, boxSize: size } = this.#request;
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
          return await this.#runProgram(box, environment);
        } finally {
          box.release();
        }
      }
    }
  }

  async #runProgram(box: Box, environment: ReadonlyMap<string, string>): Promise<number> {
    const { commandLine, silent } = this.#request;
    const options = runOptions(this.#request, environment);
    const outcome = await box.run(commandLine, { ...options, signal: this.#abort.signal });
    const record = toMeta(outcome);
    this.#meta?.write(record);
    if (!silent) tell(outcomeMessage(outcome));
    return record.status === undefined ? 0 : 1;
  }

  #catchSignals(sandbox: Sandbox): void {
    sandbox.catchSignals({
      caught: [...INTERRUPTING, ...FATAL],
      ignored: ["SIGUSR1", "SIGUSR2", "SIGPIPE"],
      // The caller may ignore the end of its children; we wait for ours.
      standard: ["SIGCHLD"],
      onSignal: (name, signal) => {
        const reason = INTERRUPTING.includes(name)
          ? signal
          : new SandboxError("internal", `The sandbox failed because it received ${name}`);
        this.#abort.abort(reason);
      },
    });
  }
}
