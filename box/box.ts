/** Boxes: the life of one from init to cleanup. */

import type { ControlGroup } from "../cgroup/types.ts";
import { BoxActivity } from "./claim/box_activity.ts";
import {
  type BoxTaken,
  checkOwner,
  groupOf,
  type InitOptions,
  isForeign,
  type OpenOptions,
  prepareInit,
  takeLock,
  translated,
} from "./claim/box_claim.ts";
import { BoxDirectory, noBox } from "./claim/box_directory.ts";
import { SandboxError } from "../host/errors.ts";
import { BoxFiles } from "./files/files.ts";
import type { BoxLock } from "./claim/lock.ts";
import type { Outcome } from "./outcome/outcome.ts";
import { type BoxPlaces, boxPlaces } from "./claim/paths.ts";
import { runProgram } from "./run.ts";
import type { RunOptions } from "./run_options.ts";
import { type Sandbox, sharedSandbox } from "./sandbox.ts";
import { TransferredFds } from "./streams/transfer.ts";
import { giveTree } from "../host/tree.ts";

/**
 * A box, locked for this process until it is released or cleaned up.
 *
 * @example Running a program
 * ```ts
 * import { Box } from "isolate/box/box.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 900 });
 * const outcome = await box.run(["/bin/true"], { limits: { wallTimeMs: 5000 } });
 * assertEquals(outcome.kind, "exit");
 * ```
 */
export class Box {
  readonly #sandbox: Sandbox;
  readonly #places: BoxPlaces;
  readonly #controlGroup: ControlGroup | undefined;
  readonly #directory: BoxDirectory;
  readonly #files: BoxFiles;
  readonly #activity: BoxActivity;
  #lock: BoxLock | undefined;
  #isPooled = false;
  #ownFileSystem = false;
  #cpus: readonly number[] | undefined;

  private constructor(sandbox: Sandbox, options: {
    places: BoxPlaces;
    lock: BoxLock;
    controlGroup: ControlGroup | undefined;
  }) {
    this.#sandbox = sandbox;
    this.#controlGroup = options.controlGroup;
    this.#places = options.places;
    this.#lock = options.lock;
    this.#activity = new BoxActivity(options.places.boxId);
    this.#directory = new BoxDirectory(sandbox, options.places);
    this.#files = new BoxFiles({
      sandbox,
      owners: [sandbox.caller.uid, options.places.boxUser.uid],
      open: () => this.#openFiles(),
      beginChange: () => this.#beginChange(),
      assertHeld: () => this.#assertHeld(),
    });
  }

  /**
   * Takes a box, removes what was in it, and makes it anew.
   *
   * @param options which box
   * @returns the box, locked
   * @throws {SandboxError} if it is in use, belongs to somebody else, or cannot be made
   * @throws {RangeError} if there is no such box
   */
  static init(options: InitOptions = {}): Promise<Box> {
    return translated(async () => {
      const { sandbox, places } = await prepareInit(options);
      const lock = await takeLock(sandbox, { places, options, create: true });
      try {
        checkOwner(sandbox, lock!);
        return await Box.#init(sandbox, { places, lock: lock!, options, isPooled: false });
      } catch (error) {
        lock!.release();
        throw error;
      }
    });
  }

  /**
   * Makes a box if it is free: nobody works on it, and nobody has initialised it and not cleaned it
   * up. Unlike any other, it is free again when this process dies, until it is released on purpose.
   * {@linkcode BoxPool} takes its boxes so.
   *
   * @param options which box; there is no waiting
   * @returns the box, locked, or why it is not free
   * @throws {SandboxError} if it cannot be made
   * @throws {RangeError} if there is no such box
   */
  static initIfFree(
    options: Omit<InitOptions, "wait" | "signal"> = {},
  ): Promise<Box | BoxTaken> {
    return translated(async () => {
      const { sandbox, places } = await prepareInit(options);
      let lock;
      try {
        lock = await takeLock(sandbox, { places, options: {}, create: true });
      } catch (error) {
        if (error instanceof SandboxError && error.kind === "box-in-use") return "in-use";
        throw error;
      }
      try {
        const record = lock!.read();
        const isFree = record === undefined || record.pooled;
        const taken = !isFree ? "initialised" : isForeign(sandbox, lock!) ? "foreign" : undefined;
        if (taken) {
          lock!.release();
          return taken;
        }
        return await Box.#init(sandbox, { places, lock: lock!, options, isPooled: true });
      } catch (error) {
        lock!.release();
        throw error;
      }
    });
  }

  static async #init(sandbox: Sandbox, { places, lock, options, isPooled }: {
    places: BoxPlaces;
    lock: BoxLock;
    options: InitOptions;
    isPooled: boolean;
  }): Promise<Box> {
    const controlGroup = options.controlGroup ? await groupOf(sandbox, places, true) : undefined;
    const box = new Box(sandbox, { places, lock, controlGroup });
    box.#isPooled = isPooled;
    await box.#make(options);
    return box;
  }

  /**
   * Takes a box that was made by an earlier process.
   *
   * @param options which box
   * @returns the box, locked
   * @throws {SandboxError} if it does not exist, is in use, or belongs to somebody else
   * @throws {RangeError} if there is no such box
   */
  static open(options: OpenOptions = {}): Promise<Box> {
    return translated(async () => {
      const sandbox = options.sandbox ?? await sharedSandbox();
      const places = boxPlaces(sandbox.settings, options.boxId ?? 0);
      const lock = await takeLock(sandbox, { places, options, create: false });
      if (!lock) throw noBox(options.controlGroup);
      try {
        checkOwner(sandbox, lock);
        const record = lock.read();
        if (!record) throw noBox(options.controlGroup);
        if (options.controlGroup !== undefined && options.controlGroup !== record.controlGroup) {
          throw new SandboxError(
            "incompatible-box",
            "This box was initialized with an incompatible control group mode (it was initialised " +
              `${record.controlGroup ? "with" : "without"} a control group, --cg)`,
          );
        }
        if (!record.initialised) {
          throw new SandboxError(
            "uninitialised-box",
            "This box was not initialized properly (initialise it again)",
          );
        }
        const controlGroup = record.controlGroup
          ? await groupOf(sandbox, places, false)
          : undefined;
        const box = new Box(sandbox, { places, lock, controlGroup });
        box.#ownFileSystem = record.ownFileSystem;
        return box;
      } catch (error) {
        lock.release();
        throw error;
      }
    });
  }

  /**
   * Cleans up a box that an earlier process has made; see {@linkcode Box.cleanup}.
   *
   * @param options which box
   * @returns whether there was anything to clean up
   * @throws {SandboxError} if it is in use, or belongs to somebody else
   * @throws {RangeError} if there is no such box
   */
  static remove(options: OpenOptions = {}): Promise<boolean> {
    return translated(async () => {
      const sandbox = options.sandbox ?? await sharedSandbox();
      const places = boxPlaces(sandbox.settings, options.boxId ?? 0);
      const found = new BoxDirectory(sandbox, places).exists();
      if (found) sandbox.prepareRoots();
      const lock = await takeLock(sandbox, { places, options, create: found });
      if (!lock) return false;
      try {
        checkOwner(sandbox, lock);
        const existed = found || lock.read() !== undefined;
        const hasGroup = options.controlGroup || lock.read()?.controlGroup;
        const controlGroup = hasGroup ? await groupOf(sandbox, places, false) : undefined;
        const box = new Box(sandbox, { places, lock, controlGroup });
        box.#unmake();
        return existed;
      } finally {
        lock.release();
      }
    });
  }

  /** Which box it is. */
  get boxId(): number {
    return this.#places.boxId;
  }

  /** Whether it has a control group, which can limit the memory of all its processes together. */
  get hasControlGroup(): boolean {
    return this.#controlGroup !== undefined;
  }

  /**
   * Whether the peak memory that is told of a run is that of all runs since the control group was
   * made: so it is with cgroup v2 before Linux 6.12. Known after the first run.
   */
  get peakMemoryIsOfBox(): boolean {
    return this.#controlGroup?.peakIsOfBox ?? false;
  }

  /** What it shares with the other boxes of the process. */
  get sandbox(): Sandbox {
    return this.#sandbox;
  }

  /** `BOX_ROOT/ID` on the host; the program's files are in `box/` below it. */
  get directory(): string {
    return this.#places.directory;
  }

  /** The files in `box/`. */
  get files(): BoxFiles {
    return this.#files;
  }

  /** Whether the box is locked for this object: neither released nor cleaned up nor handed over. */
  get isHeld(): boolean {
    return this.#lock !== undefined;
  }

  /**
   * Runs a program in the box and waits until it and all its children are dead.
   *
   * @param command the program's path inside the box, and its arguments
   * @param options limits, rules, streams
   * @returns what became of the program
   * @throws {SandboxError} if the sandbox could not do its work; the message names the option or rule
   */
  run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return translated(async () => {
      const { stdin, stdout, stderr } = options;
      const transferred = new TransferredFds(this.#sandbox.system, [stdin, stdout, stderr]);
      try {
        if (command.length === 0) throw new TypeError("Cannot run an empty command");
        if (!this.#lock) throw new SandboxError("no-box", "Cannot run in a box that was released");
        const pinned = this.#cpus && { cpus: this.#cpus };
        return await this.#activity.run(options.signal, (signal) =>
          this.#runWithFiles({
            command,
            options: { ...pinned, ...options, signal },
            transferred,
          }));
      } finally {
        transferred.close();
      }
    });
  }

  /** While the program runs, box/ and what is in it belongs to the user of the box. */
  async #runWithFiles({ command, options, transferred }: {
    command: readonly string[];
    options: RunOptions;
    transferred: TransferredFds;
  }): Promise<Outcome> {
    const { system, caller } = this.#sandbox;
    const { boxUser } = this.#places;
    const files = this.#openFiles();
    const common = {
      from: [caller.uid, boxUser.uid],
      keepSpecialFiles: options.keepSpecialFiles ?? false,
    };
    try {
      const mode = giveTree(system, files, { ...common, to: boxUser });
      try {
        return await runProgram({
          sandbox: this.#sandbox,
          places: this.#places,
          controlGroup: this.#controlGroup,
          command,
          options,
          transferred,
        });
      } finally {
        giveTree(system, files, { ...common, to: caller, mode });
      }
    } finally {
      system.close(files);
    }
  }

  /**
   * Breaks off the run that is going on, if there is one, and waits until everything in the box is
   * dead. Whoever started it gets the outcome `interrupted`.
   */
  async stop(): Promise<void> {
    await this.#activity.stop();
  }

  /**
   * Makes the box as empty as it was: removes what is in `box/` and in the temporary directories of
   * earlier runs. `box/` is a new directory then: one that was opened before is gone.
   *
   * @param options `controlGroup`: make its control group anew, too, if it has one: files of earlier
   *   runs that the kernel has kept in memory then count no more
   * @throws {SandboxError} if a program runs in the box or a file is being written, or if it fails
   *
   * @example
   * ```ts
   * import { Box } from "isolate/box/box.ts";
   * import { assertEquals } from "@std/assert";
   *
   * await using box = await Box.init({ boxId: 933 });
   * await box.files.write("notes.txt", "from the first run");
   * await box.clear();
   * assertEquals(await box.files.list(), []);
   * ```
   */
  clear(options: { controlGroup?: boolean } = {}): Promise<void> {
    return translated(() => {
      if (!this.#lock) throw new SandboxError("no-box", "Cannot empty a box that was released");
      this.#activity.assertIdle("still");
      if (options.controlGroup) this.#controlGroup?.create();
      this.#directory.clear({ ownFileSystem: this.#ownFileSystem });
      return Promise.resolve();
    });
  }

  /**
   * Gives the box to a new holder as if it had just been made: stops what runs, empties it, and makes
   * its control group anew. This object is then as one that was released.
   *
   * @param options `cpus`: the CPUs on which programs run unless a run says otherwise; default: all
   * @returns the same box for its new holder, locked
   * @throws {SandboxError} if that fails; the box is then still this object's, and locked
   */
  handOver(options: { cpus?: readonly number[] | undefined } = {}): Promise<Box> {
    return translated(async () => {
      await this.stop();
      const lock = this.#lock;
      if (!lock) throw new SandboxError("no-box", "Cannot hand over a box that was released");
      this.#controlGroup?.create();
      this.#directory.clear({ ownFileSystem: this.#ownFileSystem });
      this.#lock = undefined;
      const box = new Box(this.#sandbox, {
        places: this.#places,
        lock,
        controlGroup: this.#controlGroup,
      });
      box.#isPooled = this.#isPooled;
      box.#ownFileSystem = this.#ownFileSystem;
      box.#cpus = options.cpus;
      return box;
    });
  }

  /**
   * Removes the box and everything in it, and frees it for others.
   *
   * @throws {SandboxError} if that fails; the box is then still locked
   */
  cleanup(): Promise<void> {
    return translated(() => {
      if (!this.#lock) return Promise.resolve();
      this.#activity.assertNoRun("still");
      this.#unmake();
      this.#lock.release();
      this.#lock = undefined;
      return Promise.resolve();
    });
  }

  /** Unlocks the box and keeps what is in it, for {@linkcode Box.open} in this or another process. */
  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    if (!lock) return;
    try {
      const record = this.#isPooled ? lock.read() : undefined;
      if (record) lock.write({ ...record, pooled: false });
    } finally {
      lock.release();
    }
  }

  /** Cleans up, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup();
  }

  async #make({ quota, size, cpus }: InitOptions): Promise<void> {
    const { caller } = this.#sandbox;
    const { directory } = this.#places;
    const lock = this.#lock!;
    this.#ownFileSystem = size !== undefined;
    this.#cpus = cpus;
    const record = {
      ownerUid: caller.uid,
      controlGroup: this.#controlGroup !== undefined,
      initialised: false,
      quota: quota !== undefined,
      ownFileSystem: this.#ownFileSystem,
      pooled: this.#isPooled,
    };
    // A group of an earlier box that its keeper did not live to remove.
    if (!this.#controlGroup && lock.read()?.controlGroup) {
      (await groupOf(this.#sandbox, this.#places, false)).remove();
    }
    this.#unmake();
    lock.write(record);
    this.#controlGroup?.create();
    try {
      this.#directory.make({ quota, size });
    } catch (error) {
      this.#unmake();
      throw error;
    }
    lock.write({ ...record, initialised: true });
    this.#sandbox.log(1, () => `Made box ${this.boxId} in ${directory} for user ${caller.uid}`);
  }

  #unmake(): void {
    // First the processes, then the files they could still change.
    this.#controlGroup?.remove();
    this.#directory.remove({ quota: this.#lock!.read()?.quota ?? false });
    this.#lock!.clear();
  }

  #openFiles(): number {
    return this.#directory.open({ ownFileSystem: this.#ownFileSystem });
  }

  #beginChange(): () => void {
    this.#assertHeld();
    return this.#activity.beginChange();
  }

  #assertHeld(): void {
    if (!this.#lock) throw new SandboxError("no-box", `Box ${this.boxId} was released`);
  }
}
