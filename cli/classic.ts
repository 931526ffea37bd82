/** The classic command line: what `isolate --init`, `--run` and `--cleanup` do. */

import {
  Box,
  describeSettings,
  findUser,
  type Outcome,
  outcomeMessage,
  type RunOptions,
  type Sandbox,
  SandboxError,
  SIGNALS,
  toMeta,
} from "../core.ts";
import { checkClassic, parseClassic, runOptions } from "./classic_parser.ts";
import { ClassicRequest } from "./classic_request.ts";
import { describeError, FAILURE_STATUS, UsageError } from "./complain.ts";
import { type ActAs, INTERRUPTING, type OpenMetaFile, type Origin } from "./origin.ts";

const FOLLOW_EVERY_MS = 250;

/** Carries out a classic command line. */
export async function runClassic(origin: Origin, version: string): Promise<number> {
  const command = new ClassicCommandLine(origin);
  try {
    return await command.run(version);
  } catch (error) {
    return await command.fail(error);
  }
}

/** One classic command line while it is carried out. */
class ClassicCommandLine {
  readonly #origin: Origin;
  readonly #request = new ClassicRequest();
  /** The meta-file that is written in the end. */
  #meta: OpenMetaFile | undefined;
  readonly #abort = new AbortController();

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  async run(version: string): Promise<number> {
    const request = this.#request;
    const args = await this.#origin.args;
    const environment = await this.#origin.environment;
    try {
      parseClassic(args, { posixlyCorrect: environment.has("POSIXLY_CORRECT"), request });
    } catch (error) {
      // As long as --as-uid may still come it is not known with whose rights to open the files.
      if (!args.some((arg) => arg.startsWith("--as-"))) await this.#openMetaFiles();
      throw error;
    }
    if (request.command === "help" || request.command === "version") {
      const { usageText, versionText } = await import("./help.ts");
      this.#origin.print(
        "stdout",
        request.command === "help" ? usageText() : versionText(version),
      );
      return 0;
    }
    await this.#findUser();
    await this.#openMetaFiles();
    const sandbox = await this.#openSandbox();
    checkClassic(request, { numBoxes: sandbox.settings.numBoxes });
    this.#origin.checkBox(usesBox(request) ? request.boxId : undefined);
    return await this.#carryOut(sandbox, environment);
  }

  /** Says what went wrong, on standard error and in the meta-file. */
  async fail(error: unknown): Promise<number> {
    if (!(error instanceof UsageError) || error.isFailure) {
      const message = error instanceof Error ? error.message : String(error);
      try {
        await this.#meta?.write({ status: "XX", message });
      } catch (metaError) {
        this.#tell(describeError(metaError));
      }
    }
    this.#tell(describeError(error));
    return FAILURE_STATUS;
  }

  #tell(text: string): void {
    this.#origin.print("stderr", text + "\n");
  }

  /** Looks up who is named, not numbered, by `--as-uid`. */
  async #findUser(): Promise<void> {
    const { asName } = this.#request;
    if (asName === undefined) return;
    const user = await findUser(asName);
    if (!user) {
      throw new UsageError(
        `There is no user ${asName} in /etc/passwd (--as-uid takes a name or a number)`,
      );
    }
    this.#request.asUid = user.uid;
    this.#request.asGid ??= user.gid;
  }

  /** Opens and empties all of them; the last one is the one that is written. */
  async #openMetaFiles(): Promise<void> {
    for (const path of this.#request.metaFiles) {
      await this.#meta?.close();
      this.#meta = await this.#origin.openMetaFile(path, this.#actAs());
    }
  }

  #openSandbox(): Promise<Sandbox> {
    const { verbosity, configFile } = this.#request;
    return this.#origin.openSandbox({
      configFile,
      actAs: this.#actAs(),
      trace: verbosity >= 3
        ? (title, print) => this.#tell([`--- ${title}`, ...print()].join("\n"))
        : undefined,
      log: (level, message) => {
        if (verbosity >= level) this.#tell(message());
      },
    });
  }

  #actAs(): ActAs {
    const { asUid: uid, asGid: gid } = this.#request;
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  }

  async #carryOut(sandbox: Sandbox, environment: ReadonlyMap<string, string>): Promise<number> {
    const { command, boxId, controlGroup, wait, verbosity } = this.#request;
    const where = { sandbox, boxId, controlGroup, wait, signal: this.#abort.signal };
    if (verbosity >= 2) this.#tell(describeSettings(sandbox.settings).trimEnd());
    if (command !== "check-config") this.#catchSignals(sandbox);
    switch (command) {
      case "check-config":
        return 0;
      case "print-cg-root":
        this.#origin.print("stdout", (await sandbox.controlGroupDirectory()) + "\n");
        return 0;
      case "init": {
        const { quota, boxSize: size } = this.#request;
        if (size && sandbox.contained?.keepsMounts === false) throw sizeNeedsRoot();
        const box = await Box.init({ ...where, quota, size });
        this.#origin.print("stdout", box.directory + "\n");
        box.release();
        return 0;
      }
      case "cleanup": {
        const existed = await Box.remove(where);
        if (!existed && verbosity > 0) {
          this.#tell(`Box ${boxId} does not exist, nothing to clean up`);
        }
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
    const follow = await this.#follow();
    const outcome = await box.run(commandLine, {
      ...options,
      ...follow?.options,
      signal: this.#abort.signal,
    });
    await follow?.end();
    const record = toMeta(outcome);
    await this.#meta?.write(record);
    if (!silent) this.#tell(outcomeMessage(outcome));
    const hint = !silent && notFoundHint(outcome, this.#request, await this.#origin.args);
    if (hint) this.#tell(hint);
    if (!silent && options.crashReport) {
      const { crashLines } = await import("./crash_text.ts");
      for (const line of crashLines(outcome)) this.#tell(line);
    }
    return record.status === undefined ? 0 : 1;
  }

  /** A line each now and then, and one when all is over; that nobody reads them is no trouble. */
  async #follow() {
    const { followFile } = this.#request;
    if (followFile === undefined) return undefined;
    const file = await this.#origin.openMetaFile(followFile, this.#actAs());
    let written = Promise.resolve();
    const tell = (line: string) => {
      written = written.then(() => file.writeText(`${line}\n`)).catch(() => {});
    };
    const options: RunOptions = {
      progressEveryMs: FOLLOW_EVERY_MS,
      onProgress: ({ cpuTimeMs, wallTimeMs, peakMemoryKib }) => {
        const memory = peakMemoryKib === undefined ? "" : ` cg-mem:${peakMemoryKib}`;
        tell(`time:${seconds(cpuTimeMs)} time-wall:${seconds(wallTimeMs)}${memory}`);
      },
      onEnd: (endedMs) => tell(`end:${(endedMs / 1000).toFixed(6)}`),
    };
    const end = async () => {
      await written;
      await file.close();
    };
    return { options, end };
  }

  #catchSignals(sandbox: Sandbox): void {
    this.#origin.catchSignals(sandbox, (signal) => {
      const name = Object.entries(SIGNALS).find(([, number]) => number === signal)?.[0] ?? signal;
      this.#abort.abort(
        INTERRUPTING.has(signal)
          ? signal
          : new SandboxError("internal", `The sandbox failed because it received ${name}`),
      );
    });
  }
}

function sizeNeedsRoot(): UsageError {
  return new UsageError(
    "Option --box-size needs root, with CAP_SYS_ADMIN: else the file system of the box would be gone when " +
      "this command ends",
  );
}

function usesBox({ command }: ClassicRequest): boolean {
  return command !== "check-config" && command !== "print-cg-root";
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** What people most probably meant whose program is not there. */
function notFoundHint(
  outcome: Outcome,
  { commandLine: [program = ""] }: ClassicRequest,
  args: readonly string[],
): string | undefined {
  if (outcome.kind !== "exit" || outcome.notExecuted?.code !== "ENOENT") return undefined;
  const option = args[args.indexOf(program) - 1];
  if (/^\d+$/.test(program) && option !== undefined && /^(--proc.*|-.*p)$/.test(option)) {
    return `The program is ${program}: did you mean --processes=${program}?`;
  }
  if (program.includes("/")) return undefined;
  return `PATH is not searched: give the program's path in the box, such as /usr/bin/${program}`;
}
