/** The life of a box, from init to cleanup. */

import type { ControlGroup } from "../cgroup/types.ts";
import { leaveBridge } from "./claim/bridge_lock.ts";
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
  unmakeBox,
} from "./claim/box_claim.ts";
import { BoxDirectory, noBox } from "./claim/box_directory.ts";
import { SandboxError, translated } from "../host/errors.ts";
import type { ReadyBox } from "./setup/ready_box.ts";
import { BoxFiles } from "./files/files.ts";
import type { BoxLock, BoxRecord } from "./claim/lock.ts";
import type { LiveRun } from "./keep/runs.ts";
import { signalAll, signalOne } from "./keep/signal_all.ts";
import type { Outcome } from "./outcome/outcome.ts";
import { type BoxPlaces, boxPlaces } from "./claim/paths.ts";
import { runProgram } from "./run.ts";
import type { RunOptions } from "./run_options.ts";
import { prepareBox } from "./setup/spawn.ts";
import { checkOpen, checkRun } from "./option_forms.ts";
import { type Sandbox, sharedSandbox } from "./sandbox.ts";
import { TransferredFds } from "./streams/streams.ts";
import { giveTreeSteps } from "../host/give_tree.ts";
import { inSlices } from "../text/slices.ts";

/** SIGRTMAX. */
const SIGNAL_MAX = 64;
/** What an empty group, or one with a box that is ready, holds at most. */
const HELD_KIB = 1024;

/** What a box is made of, for as long as it is locked. */
interface Claim {
  readonly places: BoxPlaces;
  readonly lock: BoxLock;
  readonly controlGroup: ControlGroup | undefined;
  /** The box is free again when this process dies. */
  readonly isPooled: boolean;
  /** `box/` is a file system of its own. */
  readonly ownFileSystem: boolean;
  /** The CPUs on which programs run unless a run says otherwise. */
  readonly cpus: readonly number[] | undefined;
  /** Keeps a box ready for the next run. */
  readonly ready: ReadyBox | undefined;
}

/**
 * A box, locked for this process until it is released or cleaned up.
 *
 * @example Running a program
 * ```ts
 * import { Box } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 900 });
 * const outcome = await box.run(["/bin/true"], { limits: { wallTimeMs: 5000 } });
 * assertEquals(outcome.kind, "exit");
 * ```
 */
export class Box {
  readonly #sandbox: Sandbox;
  readonly #claim: Claim;
  readonly #directory: BoxDirectory;
  readonly #files: BoxFiles;
  readonly #activity: BoxActivity;
  /** What runs, as long as it can be reached. */
  #live: LiveRun | undefined;
  #lock: BoxLock | undefined;

  private constructor(sandbox: Sandbox, claim: Claim) {
    const { places } = claim;
    this.#sandbox = sandbox;
    this.#claim = claim;
    this.#lock = claim.lock;
    this.#activity = new BoxActivity(places.boxId);
    this.#directory = new BoxDirectory(sandbox, places);
    this.#files = new BoxFiles({
      sandbox,
      owners: [sandbox.caller.uid, places.boxUser.uid],
      open: () => this.#directory.open(claim),
      beginChange: () => {
        this.#held("change files in");
        return this.#activity.beginChange();
      },
      assertHeld: () => this.#held("read files of"),
    });
  }

  /**
   * Takes a box, removes what was in it, and makes it again.
   *
   * @param options which box
   * @returns the box, locked
   * @throws {SandboxError} if it is in use, belongs to somebody else, or cannot be made
   * @throws {RangeError} if there is no such box
   * @throws {TypeError} if an option is unknown, or is not of its type
   */
  static init(options: InitOptions = {}): Promise<Box> {
    return translated(async () => {
      const { sandbox, places } = await prepareInit(options);
      const lock = await takeLock(sandbox, { places, options, create: true });
      return await orRelease(lock!, async () => {
        checkOwner(sandbox, lock!);
        return await Box.#make(sandbox, { places, lock: lock!, options, isPooled: false });
      });
    });
  }

  /**
   * Makes a box if it is free: not in use, and not initialised without having been cleaned up. It is
   * free again when this process dies, unless it was released on purpose before.
   * {@linkcode BoxPool} takes its boxes so.
   *
   * @param options which box; this never waits for it
   * @returns the box, locked, or why it is not free
   * @throws {SandboxError} if it cannot be made
   * @throws {RangeError} if there is no such box
   * @throws {TypeError} if an option is unknown, or is not of its type
   */
  static initIfFree(
    options: Omit<InitOptions, "wait" | "signal"> = {},
  ): Promise<Box | BoxTaken> {
    return translated(async () => {
      const { sandbox, places } = await prepareInit(options);
      let lock: BoxLock;
      try {
        lock = (await takeLock(sandbox, { places, options: {}, create: true }))!;
      } catch (error) {
        if (error instanceof SandboxError && error.kind === "box-in-use") return "in-use";
        throw error;
      }
      return await orRelease(lock, async () => {
        const record = lock.read();
        const isFree = record === undefined || record.pooled;
        if (isFree && !isForeign(sandbox, lock)) {
          return await Box.#make(sandbox, { places, lock, options, isPooled: true });
        }
        lock.release();
        return isFree ? "foreign" : "initialised";
      });
    });
  }

  static async #make(sandbox: Sandbox, { places, lock, options, isPooled }: {
    places: BoxPlaces;
    lock: BoxLock;
    options: InitOptions;
    isPooled: boolean;
  }): Promise<Box> {
    const { quota, size, cpus } = options;
    if (options.ready) await sandbox.keepBoxesReady();
    const ready = sandbox.ready?.of(places.boxId);
    const ownFileSystem = size !== undefined;
    const controlGroup = options.controlGroup ? await groupOf(sandbox, places, true) : undefined;
    // A group of an earlier box that its keeper did not live to remove.
    if (!controlGroup && lock.read()?.controlGroup) {
      (await groupOf(sandbox, places, false)).remove();
    }
    const box = new Box(sandbox, {
      places,
      lock,
      controlGroup,
      isPooled,
      ownFileSystem,
      cpus,
      ready,
    });
    await box.#unmake();
    const record = {
      ownerUid: sandbox.caller.uid,
      ownerGid: sandbox.caller.gid,
      controlGroup: controlGroup !== undefined,
      initialised: false,
      quota: quota !== undefined,
      ownFileSystem,
      pooled: isPooled,
    };
    lock.write(record);
    controlGroup?.create();
    try {
      box.#directory.make({ quota, size });
    } catch (error) {
      await box.#unmake();
      throw error;
    }
    lock.write({ ...record, initialised: true });
    if (ready) prepareBox(sandbox, { places, ready, controlGroup: controlGroup !== undefined });
    const { directory, boxId } = places;
    sandbox.log(1, () => `Made box ${boxId} in ${directory} for user ${record.ownerUid}`);
    return box;
  }

  /**
   * Takes a box that was made by an earlier process.
   *
   * @param options which box
   * @returns the box, locked
   * @throws {SandboxError} if it does not exist, is in use, or belongs to somebody else
   * @throws {RangeError} if there is no such box
   * @throws {TypeError} if an option is unknown, or is not of its type
   */
  static open(options: OpenOptions = {}): Promise<Box> {
    return translated(async () => {
      checkOpen(options);
      const sandbox = options.sandbox ?? await sharedSandbox();
      const places = boxPlaces(sandbox.settings, options.boxId ?? 0);
      const lock = await takeLock(sandbox, { places, options, create: false });
      if (!lock) throw noBox(places.boxId, options);
      return await orRelease(lock, async () => {
        checkOwner(sandbox, lock);
        const record = checkRecord(lock.read(), options);
        const { ownFileSystem } = record;
        const controlGroup = record.controlGroup
          ? await groupOf(sandbox, places, false)
          : undefined;
        const rest = { isPooled: false, cpus: undefined, ready: sandbox.ready?.of(places.boxId) };
        return new Box(sandbox, { places, lock, controlGroup, ownFileSystem, ...rest });
      });
    });
  }

  /**
   * Cleans up a box that an earlier process has made; see {@linkcode Box.cleanup}.
   *
   * @param options which box
   * @returns whether there was anything to clean up
   * @throws {SandboxError} if it is in use, or belongs to somebody else
   * @throws {RangeError} if there is no such box
   * @throws {TypeError} if an option is unknown, or is not of its type
   */
  static remove(options: OpenOptions = {}): Promise<boolean> {
    return translated(async () => {
      checkOpen(options);
      const sandbox = options.sandbox ?? await sharedSandbox();
      const places = boxPlaces(sandbox.settings, options.boxId ?? 0);
      const found = new BoxDirectory(sandbox, places).exists();
      if (found) sandbox.prepareRoots();
      const lock = await takeLock(sandbox, { places, options, create: found });
      if (!lock) return false;
      try {
        checkOwner(sandbox, lock);
        const record = lock.read();
        const hasGroup = options.controlGroup || record?.controlGroup;
        const controlGroup = hasGroup ? await groupOf(sandbox, places, false) : undefined;
        const rest = {
          isPooled: false,
          ownFileSystem: false,
          cpus: undefined,
          ready: sandbox.ready?.of(places.boxId),
        };
        await new Box(sandbox, { places, lock, controlGroup, ...rest }).#unmake();
        return found || record !== undefined;
      } finally {
        lock.release();
      }
    });
  }

  /** Which box it is. */
  get boxId(): number {
    return this.#claim.places.boxId;
  }

  /** Whether it has a control group, which can limit the memory of all its processes together. */
  get hasControlGroup(): boolean {
    return this.#claim.controlGroup !== undefined;
  }

  /**
   * Whether the peak memory reported for a run is that of all runs since the control group was made.
   * It is with cgroup v2 before Linux 6.12. Known after the first run.
   */
  get peakMemoryIsOfBox(): boolean {
    return this.#claim.controlGroup?.peakIsOfBox ?? false;
  }

  /** What it shares with the other boxes of the process. */
  get sandbox(): Sandbox {
    return this.#sandbox;
  }

  /** `BOX_ROOT/ID` on the host; the program's files are in `box/` below it. */
  get directory(): string {
    return this.#claim.places.directory;
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
   * @throws {TypeError} if an option or limit is unknown, or is not of its type
   */
  run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return translated(async () => {
      const { stdin, stdout, stderr } = options;
      const transferred = new TransferredFds(this.#sandbox.system, [stdin, stdout, stderr]);
      try {
        checkRun(command, options);
        this.#held("run in");
        const { cpus } = this.#claim;
        return await this.#activity.run(options.signal, (signal) =>
          this.#runWithFiles({
            command,
            options: { ...cpus && { cpus }, ...options, signal },
            transferred,
          }));
      } finally {
        transferred.close();
      }
    });
  }

  /**
   * Sends a signal to what runs in the box.
   *
   * @param signal its number; `SIGNALS` names them
   * @param options `to`: all processes at once, or only the program itself; default: all
   * @returns whether a program runs: until it is executed, and when it has ended, nothing is sent
   * @throws {RangeError} if there is no such signal
   *
   * @example
   * ```ts
   * import { Box, Capture, SIGNALS } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * await using box = await Box.init({ boxId: 937 });
   * const stdout = new Capture({ limitBytes: 100 });
   * const script = "trap 'echo told; exit 3' TERM; while :; do sleep 0.01; done";
   * const run = box.run(["/bin/sh", "-c", script], { stdout, limits: { processes: 2 } });
   * const timer = setInterval(() => box.signal(SIGNALS.SIGTERM), 50);
   * const outcome = await run;
   * clearInterval(timer);
   * assertEquals([outcome.kind, stdout.text()], ["exit", "told\n"]);
   * ```
   */
  signal(signal: number, { to = "all" }: { to?: "all" | "program" } = {}): boolean {
    if (!Number.isInteger(signal) || signal < 1 || signal > SIGNAL_MAX) {
      throw new RangeError(`Cannot send signal ${signal}: signals are 1 to ${SIGNAL_MAX}`);
    }
    const { system } = this.#sandbox;
    const program = this.#live?.programFd();
    if (!this.#live || program === undefined) return false;
    if (to === "program") signalOne(system, program, signal);
    else signalAll(system, this.#live.initFd, signal);
    return true;
  }

  /** While the program runs, box/ and what is in it belongs to the user of the box. */
  async #runWithFiles({ command, options, transferred }: {
    command: readonly string[];
    options: RunOptions;
    transferred: TransferredFds;
  }): Promise<Outcome> {
    const sandbox = this.#sandbox;
    const { system, caller } = sandbox;
    const { places, controlGroup } = this.#claim;
    const files = this.#directory.openForRun(this.#claim);
    const common = {
      from: [caller.uid, places.boxUser.uid],
      keepSpecialFiles: options.keepSpecialFiles ?? false,
    };
    try {
      const given = inSlices(giveTreeSteps(system, files, { ...common, to: places.boxUser }));
      // Where there is little to give the box is started at once.
      const before = given instanceof Promise ? await given : given;
      try {
        return await runProgram({
          sandbox,
          places,
          controlGroup,
          command,
          options,
          transferred,
          ready: this.#claim.ready,
          onLive: (live) => this.#live = live,
        });
      } finally {
        const { mode, accessLists: accessListsBefore } = before;
        const back = { ...common, to: caller, mode, accessListsBefore, itselfLast: true };
        await inSlices(giveTreeSteps(system, files, back));
      }
    } finally {
      this.#directory.endRun(files);
    }
  }

  /**
   * Ends the current run, if there is one, and waits until everything in the box is dead. Its caller
   * gets the outcome `interrupted`.
   */
  async stop(): Promise<void> {
    await this.#activity.stop();
  }

  /**
   * Makes the box as empty as it was: removes what is in `box/` and in the temporary directories of
   * earlier runs. Those are then like new ones: where a program has changed more about one than can be set
   * back, such as access lists and attributes, it is replaced.
   *
   * @param options `controlGroup`: also replace its control group, if it has one, so that files of
   *   earlier runs that the kernel keeps in memory no longer count; `"if-used"`: only if it still holds
   *   more than 1 MiB
   * @throws {SandboxError} if a program runs in the box or a file is being written, or if it fails
   *
   * @example
   * ```ts
   * import { Box } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * await using box = await Box.init({ boxId: 933 });
   * await box.files.write("notes.txt", "from the first run");
   * await box.clear();
   * assertEquals(await box.files.list(), []);
   * ```
   */
  clear(options: { controlGroup?: boolean | "if-used" } = {}): Promise<void> {
    return translated(async () => {
      this.#held("empty");
      this.#activity.assertIdle("still");
      const end = this.#activity.beginChange();
      try {
        const group = this.#claim.controlGroup;
        const isWanted = options.controlGroup === "if-used"
          ? (group?.heldKib() ?? 0) > HELD_KIB
          : options.controlGroup;
        if (isWanted) group?.create();
        await this.#empty();
      } finally {
        end();
      }
    });
  }

  /**
   * Gives the box to a new holder as if it had just been made: stops what runs, empties it, and
   * replaces its control group. This object then behaves like one that was released.
   *
   * @param options `cpus`: the CPUs on which programs run unless a run says otherwise; default: all
   * @returns the same box for its new holder, locked
   * @throws {SandboxError} if that fails; the box then still belongs to this object, locked
   */
  handOver(options: { cpus?: readonly number[] | undefined } = {}): Promise<Box> {
    return translated(async () => {
      await this.stop();
      this.#held("hand over");
      const end = this.#activity.beginChange();
      try {
        this.#claim.controlGroup?.create();
        await this.#empty();
      } finally {
        end();
      }
      this.#lock = undefined;
      return new Box(this.#sandbox, { ...this.#claim, cpus: options.cpus });
    });
  }

  /**
   * Removes the box and everything in it, and frees it for others.
   *
   * @throws {SandboxError} if that fails; the box is then still locked
   */
  cleanup(): Promise<void> {
    return translated(async () => {
      const lock = this.#lock;
      if (!lock) return;
      this.#activity.assertNoRun("still");
      this.#lock = undefined;
      try {
        await this.#unmake();
      } catch (error) {
        this.#lock = lock;
        throw error;
      }
      lock.release();
    });
  }

  /** Unlocks the box and keeps what is in it, for {@linkcode Box.open} in this or another process. */
  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    if (!lock) return;
    try {
      const record = this.#claim.isPooled ? lock.read() : undefined;
      if (record) lock.write({ ...record, pooled: false });
    } finally {
      lock.release();
    }
  }

  /** Cleans up, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup();
  }

  async #unmake(): Promise<void> {
    const { lock, controlGroup, ready, places } = this.#claim;
    ready?.closeBox();
    this.#sandbox.runs?.forget(this.boxId);
    await unmakeBox({
      sandbox: this.#sandbox,
      places,
      lock,
      controlGroup,
      directory: this.#directory,
    });
    await leaveBridge(this.#sandbox);
  }

  async #empty(): Promise<void> {
    const { lock, ownFileSystem } = this.#claim;
    const ownerUid = lock.read()?.ownerUid ?? this.#sandbox.caller.uid;
    await this.#directory.clear({ ownFileSystem, ownerUid });
  }

  #held(to: string): void {
    if (this.#lock) return;
    throw new SandboxError("no-box", `Cannot ${to} box ${this.boxId}: it was released`);
  }
}

/** Refuses a box that was not made, or not as it is wanted. */
function checkRecord(
  record: BoxRecord | undefined,
  { boxId = 0, controlGroup }: OpenOptions,
): BoxRecord {
  if (!record) throw noBox(boxId, { controlGroup });
  if (controlGroup !== undefined && controlGroup !== record.controlGroup) {
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
  return record;
}

/** Gives a lock back if the work with it fails. */
async function orRelease<T>(lock: BoxLock, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    lock.release();
    throw error;
  }
}
