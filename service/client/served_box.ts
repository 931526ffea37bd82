/** A box of a caller without root rights: the service makes it and runs programs in it. */

import { BoxDirectory } from "../../box/claim/box_directory.ts";
import { type BoxPlaces, boxPlaces } from "../../box/claim/paths.ts";
import { BoxFiles } from "../../box/files/files.ts";
import type { Outcome } from "../../box/outcome/outcome.ts";
import type { RunOptions } from "../../box/run_options.ts";
import type { Sandbox } from "../../box/sandbox.ts";
import { TransferredFds } from "../../box/streams/streams.ts";
import { SandboxError, translated } from "../../host/errors.ts";
import type { ServiceCaller } from "./client_process.ts";
import { runServed } from "./served_run.ts";

/** How a box of the service is reached. */
export interface ServedBoxOptions {
  readonly sandbox: Sandbox;
  readonly caller: ServiceCaller;
  readonly boxId: number;
  readonly controlGroup: boolean;
  readonly peakMemoryIsOfBox: boolean;
  /** The CPUs on which programs run unless a run says otherwise. */
  readonly cpus?: readonly number[] | undefined;
}

/**
 * A box that the service makes and watches. While no program runs `box/` belongs to the caller, so its
 * files are put in and taken out with the caller's own rights, by nobody else.
 */
export class ServedBox {
  readonly boxId: number;
  readonly sandbox: Sandbox;
  readonly hasControlGroup: boolean;
  /** Whether the peak of memory is that of all runs since the box was made. */
  readonly peakMemoryIsOfBox: boolean;
  /** `BOX_ROOT/ID` on the host. */
  readonly directory: string;
  /** The files in `box/`. */
  readonly files: BoxFiles;
  readonly #options: ServedBoxOptions;
  readonly #places: BoxPlaces;
  #isRunning = false;
  /** Whether there may be something in it that a new one has not. */
  #isUsed = true;

  /** Names a box, which {@linkcode clear} makes. */
  constructor(options: ServedBoxOptions) {
    const { sandbox, boxId, controlGroup } = options;
    this.#options = options;
    this.#places = boxPlaces(sandbox.settings, boxId);
    this.boxId = boxId;
    this.sandbox = sandbox;
    this.hasControlGroup = controlGroup;
    this.peakMemoryIsOfBox = options.peakMemoryIsOfBox;
    this.directory = this.#places.directory;
    const directory = new BoxDirectory(sandbox, this.#places);
    this.files = new BoxFiles({
      sandbox,
      owners: [sandbox.caller.uid, this.#places.boxUser.uid],
      open: () => directory.open({ ownFileSystem: false }),
      beginChange: () => {
        this.#assertIdle("change files in");
        this.#isUsed = true;
        return () => {};
      },
      assertHeld: () => {},
    });
  }

  get #arguments(): string[] {
    return [`--box-id=${this.boxId}`, ...this.hasControlGroup ? ["--cg"] : []];
  }

  /** Runs a program in the box and waits until it and all its children are dead. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return translated(async () => {
      const { sandbox, caller, cpus } = this.#options;
      const { stdin, stdout, stderr } = options;
      const transferred = new TransferredFds(sandbox.system, [stdin, stdout, stderr]);
      try {
        this.#assertIdle("run in");
        this.#isRunning = true;
        this.#isUsed ||= leavesSomething(options);
        return await runServed({
          sandbox,
          caller,
          boxArguments: this.#arguments,
          command,
          options: { ...cpus && { cpus }, ...options },
          onPassed: () => transferred.close(),
        });
      } finally {
        this.#isRunning = false;
        transferred.close();
      }
    });
  }

  /** Makes the box, or makes it again if anything may be left in it, or it is to have a new group. */
  clear(options: { controlGroup?: boolean | "if-used" } = {}): Promise<void> {
    return translated(async () => {
      this.#assertIdle("empty");
      if (!this.#isUsed && options.controlGroup !== true) return;
      await this.#options.caller.require([...this.#arguments, "--init"]);
      this.#isUsed = false;
    });
  }

  /** Removes the box. */
  cleanup(): Promise<void> {
    return translated(async () => {
      await this.#options.caller.require([...this.#arguments, "--cleanup"]);
    });
  }

  #assertIdle(what: string): void {
    if (!this.#isRunning) return;
    throw new SandboxError("box-in-use", `Cannot ${what} box ${this.boxId}: a program runs in it`);
  }
}

/** Whether a program can write to what outlives it: directories of the box. */
function leavesSomething({ directoryRules }: RunOptions): boolean {
  return directoryRules === undefined ||
    directoryRules.some((rule) =>
      rule.kind === "temporary" || rule.kind === "bind" && rule.outside.startsWith("./")
    );
}
