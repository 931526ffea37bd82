/**
 * Boxes: the life of one from init to cleanup.
 *
 * @module
 */

import { O } from "../ffi/abi.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { AT_EMPTY_PATH, AT_FDCWD, STATX_BASIC, STATX_SIZE } from "../ffi/system.ts";
import type { ControlGroup } from "../cgroup/types.ts";
import { SandboxError, toSandboxError } from "./errors.ts";
import { BoxLock } from "./lock.ts";
import type { Outcome } from "./outcome.ts";
import { type BoxPlaces, boxPlaces } from "./paths.ts";
import {
  type BoxSize,
  isMountRoot,
  planOwnFileSystem,
  unmountOwnFileSystem,
} from "./own_file_system.ts";
import { clearDiskQuota, type DiskQuota, setDiskQuota } from "./quota.ts";
import { openHowMounted, openHowStrict } from "./resolve.ts";
import { type RunOptions, runProgram } from "./run.ts";
import { type Sandbox, sharedSandbox } from "./sandbox.ts";
import { giveTree, removeTree } from "./tree.ts";

/** Which box, and how to get hold of it. */
export interface BoxOptions {
  /** Which box: 0 to `numBoxes - 1`. Default: 0. */
  boxId?: number;
  /** The sandbox; default: the one with the machine's configuration. */
  sandbox?: Sandbox | undefined;
  /** If another process works on the box, wait until it is free instead of failing. */
  wait?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
}

/** How a box that exists is taken. */
export interface OpenOptions extends BoxOptions {
  /** Whether the box must have a control group, or must not; default: either. */
  controlGroup?: boolean;
}

/** How a box is made. */
export interface InitOptions extends BoxOptions {
  /** Make a control group for the box. */
  controlGroup?: boolean;
  /** The disk quota of the box's user. */
  quota?: DiskQuota | undefined;
  /** Put `box/` on a file system of its own, of this size, in memory; default: it has none. */
  size?: BoxSize | undefined;
}

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
  #lock: BoxLock | undefined;
  #running = false;

  private constructor(sandbox: Sandbox, options: {
    places: BoxPlaces;
    lock: BoxLock;
    controlGroup: ControlGroup | undefined;
  }) {
    this.#sandbox = sandbox;
    this.#controlGroup = options.controlGroup;
    this.#places = options.places;
    this.#lock = options.lock;
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
      const sandbox = options.sandbox ?? await sharedSandbox();
      const { settings, caller } = sandbox;
      const places = boxPlaces(settings, options.boxId ?? 0);
      if (settings.restrictedInit && caller.uid !== 0) {
        throw new SandboxError("restricted", "New sandboxes can be created only by root");
      }
      sandbox.prepareRoots();
      const lock = await takeLock(sandbox, { places, options, create: true });
      try {
        checkOwner(sandbox, lock!);
        const controlGroup = options.controlGroup ? groupOf(sandbox, places, true) : undefined;
        const box = new Box(sandbox, { places, lock: lock!, controlGroup });
        box.#make(options);
        return box;
      } catch (error) {
        lock!.release();
        throw error;
      }
    });
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
        const controlGroup = record.controlGroup ? groupOf(sandbox, places, false) : undefined;
        return new Box(sandbox, { places, lock, controlGroup });
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
      const found = directoryExists(sandbox, places.directory);
      if (found) sandbox.prepareRoots();
      const lock = await takeLock(sandbox, { places, options, create: found });
      if (!lock) return false;
      try {
        checkOwner(sandbox, lock);
        const existed = found || lock.read() !== undefined;
        const hasGroup = options.controlGroup || lock.read()?.controlGroup;
        const controlGroup = hasGroup ? groupOf(sandbox, places, false) : undefined;
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

  /** `BOX_ROOT/ID` on the host; the program's files are in `box/` below it. */
  get directory(): string {
    return this.#places.directory;
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
      if (command.length === 0) throw new TypeError("Cannot run an empty command");
      if (!this.#lock) throw new SandboxError("no-box", "Cannot run in a box that was released");
      if (this.#running) {
        throw new SandboxError("box-in-use", `Box ${this.boxId} runs a program already`);
      }
      this.#running = true;
      try {
        return await this.#runWithFiles(command, options);
      } finally {
        this.#running = false;
      }
    });
  }

  /** While the program runs, box/ and what is in it belongs to the user of the box. */
  async #runWithFiles(command: readonly string[], options: RunOptions): Promise<Outcome> {
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
        });
      } finally {
        giveTree(system, files, { ...common, to: caller, mode });
      }
    } finally {
      system.close(files);
    }
  }

  /**
   * Removes the box and everything in it, and frees it for others.
   *
   * @throws {SandboxError} if that fails; the box is then still locked
   */
  cleanup(): Promise<void> {
    return translated(() => {
      if (!this.#lock) return Promise.resolve();
      if (this.#running) {
        throw new SandboxError("box-in-use", `Box ${this.boxId} still runs a program`);
      }
      this.#unmake();
      this.release();
      return Promise.resolve();
    });
  }

  /** Unlocks the box and keeps what is in it, for {@linkcode Box.open} in this or another process. */
  release(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Cleans up, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup();
  }

  #make({ quota, size }: InitOptions): void {
    const { system, caller } = this.#sandbox;
    const { directory, boxUser } = this.#places;
    const lock = this.#lock!;
    const record = {
      ownerUid: caller.uid,
      controlGroup: this.#controlGroup !== undefined,
      initialised: false,
      quota: quota !== undefined,
      ownFileSystem: size !== undefined,
    };
    // A group of an earlier box that its keeper did not live to remove.
    if (!this.#controlGroup && lock.read()?.controlGroup) {
      groupOf(this.#sandbox, this.#places, false).remove();
    }
    this.#unmake();
    lock.write(record);
    this.#controlGroup?.create();
    const plan = new Plan();
    const outer = plan.slot("box directory");
    const inner = plan.slot("box");
    const flags = O.O_DIRECTORY | O.O_NOFOLLOW | O.O_CLOEXEC;
    plan.step("mkdirat", [AT_FDCWD, plan.string(directory), 0o755], { what: `make ${directory}` });
    plan.step("openat", [AT_FDCWD, plan.string(directory), flags, 0], { into: outer });
    plan.step("mkdirat", [outer, plan.string("box"), 0o700]);
    plan.step("openat", [outer, plan.string("box"), flags, 0], { into: inner });
    // Whatever the caller's umask is.
    plan.step("fchmod", [outer, 0o755]);
    plan.step("fchmod", [inner, 0o700]);
    if (size) planOwnFileSystem(plan, { at: inner, size, owner: caller });
    else plan.step("fchownat", [inner, plan.string(""), caller.uid, caller.gid, AT_EMPTY_PATH]);
    plan.step("close", [inner], { always: true, ignore: "all" });
    try {
      system.run(plan, "make the box");
      if (quota) setDiskQuota(system, { fd: plan.result(outer), uid: boxUser.uid, quota });
    } catch (error) {
      this.#unmake();
      throw error;
    } finally {
      system.close(plan.result(outer));
    }
    lock.write({ ...record, initialised: true });
    this.#sandbox.log(1, () => `Made box ${this.boxId} in ${directory} for user ${caller.uid}`);
  }

  #unmake(): void {
    // First the processes, then the files they could still change.
    this.#controlGroup?.remove();
    const { system, settings } = this.#sandbox;
    const { boxUser, boxId, directory } = this.#places;
    const plan = new Plan();
    const root = plan.slot("box root");
    const flags = O.O_DIRECTORY | O.O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(settings.boxRoot), flags, 0], { into: root });
    const failure = system.attempt(plan, "open the directory of boxes");
    if (failure && failure.errno !== ERRNO.ENOENT) throw failure;
    if (!failure) {
      const fd = plan.result(root);
      try {
        unmountOwnFileSystem(system, directory);
        removeTree(system, fd, String(boxId));
        this.#sandbox.log(1, () => `Removed what was in box ${boxId}`);
        if (this.#lock!.read()?.quota) {
          clearDiskQuota(system, { fd, uid: boxUser.uid });
        }
      } finally {
        system.close(fd);
      }
    }
    this.#lock!.clear();
  }

  /** Opens box/, which must be what the sandbox has made. */
  #openFiles(): number {
    const { system, settings } = this.#sandbox;
    const { boxId, directory } = this.#places;
    const plan = new Plan();
    const [root, outer, inner] = ["box root", "box directory", "box"].map((name) =>
      plan.slot(name)
    );
    const how = openHowStrict(plan, O.O_DIRECTORY);
    const isMounted = this.#lock!.read()?.ownFileSystem ?? false;
    const howInner = isMounted ? openHowMounted(plan, O.O_DIRECTORY) : how;
    const status = plan.room(STATX_SIZE);
    const flags = O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(settings.boxRoot), flags, 0], { into: root! });
    plan.step("openat2", [root!, plan.string(String(boxId)), how, 24], {
      into: outer!,
      what: `open ${directory}`,
    });
    plan.step("openat2", [outer!, plan.string("box"), howInner, 24], {
      into: inner!,
      what: `open ${directory}/box, which must be a real directory`,
    });
    plan.step("statx", [inner!, plan.string(""), AT_EMPTY_PATH, STATX_BASIC, status]);
    plan.step("close", [root!], { always: true, ignore: "all" });
    plan.step("close", [outer!], { always: true, ignore: "all" });
    const failure = system.attempt(plan, "open the box");
    if (failure?.errno === ERRNO.ENOENT && failure.step?.args[0] === root) throw noBox();
    if (failure) throw failure;
    if (isMounted && !isMountRoot(plan.view(status))) {
      system.close(plan.result(inner!));
      throw new SandboxError(
        "uninitialised-box",
        `The file system of ${directory}/box (--box-size) is gone: initialise the box again`,
      );
    }
    return plan.result(inner!);
  }
}

function noBox(controlGroup = false): SandboxError {
  const init = controlGroup ? "isolate --cg --init" : "isolate --init";
  return new SandboxError("no-box", `Box not found, did you run \`${init}'?`);
}

function groupOf(sandbox: Sandbox, places: BoxPlaces, create: boolean): ControlGroup {
  return sandbox.controlGroups({ create }).group(`box-${places.boxId}`);
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSandboxError(error);
  }
}

function takeLock(sandbox: Sandbox, { places, options, create }: {
  places: BoxPlaces;
  options: BoxOptions;
  create: boolean;
}): Promise<BoxLock | undefined> {
  return BoxLock.take(sandbox.system, {
    lockRoot: sandbox.settings.lockRoot,
    boxId: places.boxId,
    create,
    waiter: options.wait ? sandbox.waiter : undefined,
    abort: options.signal,
  });
}

function checkOwner({ caller }: Sandbox, lock: BoxLock): void {
  const owner = lock.read()?.ownerUid;
  if (owner === undefined || owner === caller.uid || caller.uid === 0) return;
  throw new SandboxError("foreign-box", `This box belongs to a different user (uid ${owner})`);
}

function directoryExists({ system }: Sandbox, path: string): boolean {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const flags = O.O_PATH | O.O_NOFOLLOW | O.O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(path), flags, 0], { into: fd });
  plan.step("close", [fd]);
  const failure = system.attempt(plan, "look for the box");
  if (failure && failure.errno !== ERRNO.ENOENT && failure.errno !== ERRNO.ENOTDIR) throw failure;
  return failure === undefined;
}
