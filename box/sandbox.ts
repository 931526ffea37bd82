/** What all boxes of a process share: kernel, waiter, configuration, and for whom they work. */

import { loadConfig } from "../config/load.ts";
import { defaultSettings, type Settings } from "../config/settings.ts";
import { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { makeDirectories } from "../host/directories.ts";
import { SandboxError, translated } from "../host/errors.ts";
import {
  callerIdentity,
  type Identity,
  needsUserNamespace,
  refuseWithoutRights,
  type Standing,
  standingOf,
} from "../host/identity.ts";
import { commandLineOf, environmentOf } from "../host/read.ts";
import { findUserByName } from "../host/names.ts";
import { isRootsAlone } from "../host/status.ts";
import type { RemoteCaller } from "./remote_caller.ts";
import type { Containment, RootlessSurroundings } from "./rootless/surroundings.ts";
import type { ReadyBoxes, ReadyUses } from "./setup/ready.ts";
import { catchSignals, type CatchSignalsOptions } from "./signals.ts";
import { buildSyscallFilter, type FilterWall, type SyscallFilter } from "./setup/syscall_filter.ts";
import type { Runs } from "./keep/runs.ts";
import { Waiter } from "./keep/waiter.ts";

const KERNEL_MIN = [5, 14] as const;

/**
 * Receives every plan before it is executed.
 *
 * @param title what the plan is for
 * @param print formats the plan's steps, one line each, in the style of strace
 */
export type PlanTrace = (title: string, print: () => string[]) => void;

/**
 * Receives what the sandbox does.
 *
 * @param level 1: what is done; 2: with which values, and what was seen; 3: the system call filter
 * @param message formats one line, or several
 */
export type Log = (level: 1 | 2 | 3, message: () => string) => void;

/** How a sandbox is opened. */
export interface SandboxOptions {
  /** The configuration. Default: that of the machine. */
  settings?: Settings | undefined;
  /** A configuration file to read instead of the usual ones. */
  configFile?: string | undefined;
  /** Act for this user: bind sources and meta-files are opened with those rights. */
  actAs?: { uid: number; gid: number } | undefined;
  /**
   * Without root's rights, execute this process again, from its beginning, as root of a user namespace:
   * see user_namespaces(7). This call does not come back then. Default: it fails.
   */
  userNamespace?: boolean | undefined;
  /** Called with every plan before it is executed, to print it. */
  trace?: PlanTrace | undefined;
  /** Receives what is done. */
  log?: Log | undefined;
}

/**
 * What all boxes of a process share.
 *
 * @example
 * ```ts
 * import { Sandbox } from "@isolate/isolate";
 *
 * const sandbox = await Sandbox.open();
 * console.log(sandbox.settings.boxRoot);
 * ```
 */
export class Sandbox {
  /**
   * The kernel.
   *
   * @internal
   */
  readonly system: System;
  /** The configuration. */
  readonly settings: Settings;
  /** The file that the configuration came from; undefined without one. */
  readonly configFile: string | undefined;
  /** Who the sandbox is. */
  readonly own: Identity;
  /** For whom it acts. */
  readonly caller: Identity;
  /** Whether this process is root of a user namespace only, on a host that is not its own. */
  readonly isRootless: boolean;
  /**
   * What is different in a user namespace; undefined: this is the initial one.
   *
   * @internal
   */
  readonly contained: Containment | undefined;
  /**
   * Reaches the caller where that is another process.
   *
   * @internal
   */
  readonly remote: RemoteCaller | undefined;
  /** Receives what is done. */
  readonly log: Log;
  #filters = new Map<string, SyscallFilter | undefined>();
  #waiter: Waiter | undefined;
  #hasRoots = false;
  #ready: ReadyBoxes | undefined;
  #runs: Runs | undefined;

  private constructor(
    parts: Pick<
      Sandbox,
      | "system"
      | "settings"
      | "configFile"
      | "own"
      | "caller"
      | "isRootless"
      | "contained"
      | "remote"
      | "log"
    >,
  ) {
    this.system = parts.system;
    this.settings = parts.settings;
    this.configFile = parts.configFile;
    this.own = parts.own;
    this.caller = parts.caller;
    this.isRootless = parts.isRootless;
    this.contained = parts.contained;
    this.remote = parts.remote;
    this.log = parts.log;
  }

  /**
   * Loads the shim and the configuration, and checks that the sandbox can work here.
   *
   * @param options the configuration and for whom to act
   * @returns the sandbox
   * @throws {SandboxError} without root rights, on an older kernel, without a shim
   * @throws {FileError} if the configuration cannot be read or understood
   */
  static open(options: SandboxOptions = {}): Promise<Sandbox> {
    return translated(async () => {
      const system = await System.load(options.trace && (await tracer(options.trace)));
      const standing = standingOf(system);
      if (options.userNamespace && needsUserNamespace(standing)) {
        const { enterUserNamespace } = await import("./rootless/enter.ts");
        enterUserNamespace(system, standing);
      }
      refuseWithoutRights(standing);
      checkKernel(system);
      const log = options.log ?? (() => {});
      const { own, isRootless, contained, ...usual } = await surroundingsOf(system, standing);
      const { settings, file: configFile } = options.settings
        ? { settings: options.settings, file: undefined }
        : await loadConfig(system, { ...usual, file: options.configFile });
      if (isRootless && options.actAs && options.actAs.uid !== own.uid) {
        throw new SandboxError("bad-option", "Only root can act for another user (--as-uid)");
      }
      if (contained) {
        const { weaknesses } = await import("./rootless/surroundings.ts");
        for (const what of weaknesses(settings, contained)) log(1, () => `Note: ${what}`);
      }
      const caller = options.actAs && !isRootless ? { ...options.actAs, groups: [] } : own;
      const parts = { system, settings, configFile, own, caller, isRootless, contained, log };
      return new Sandbox({ ...parts, remote: undefined });
    });
  }

  /**
   * Reaches files with the rights of this process, and has no boxes.
   *
   * @internal
   */
  static async withoutBoxes(): Promise<Sandbox> {
    return Sandbox.openOutside(await System.load(), defaultSettings());
  }

  /**
   * Knows the kernel and the configuration, but has no boxes: for a caller of the service, who has only
   * the rights of an ordinary user.
   *
   * @internal
   */
  static openOutside(system: System, settings: Settings): Sandbox {
    const own = callerIdentity(system, { privileged: false });
    const rest = {
      configFile: undefined,
      isRootless: false,
      contained: undefined,
      remote: undefined,
      log: () => {},
    };
    return new Sandbox({ system, settings, own, caller: own, ...rest });
  }

  /**
   * Acts for a caller in another process, with what this sandbox has loaded already.
   *
   * @internal
   */
  async actFor(
    caller: Identity,
    options: {
      remote: RemoteCaller;
      settings?: Settings;
      log?: Log | undefined;
      trace?: PlanTrace | undefined;
    },
  ): Promise<Sandbox> {
    const { settings = this.settings, log = () => {}, trace, remote } = options;
    const { own, configFile, isRootless, contained } = this;
    const system = trace ? new System(this.system.library, await tracer(trace)) : this.system;
    const parts = { system, settings, configFile, own, caller, isRootless, contained, remote, log };
    const sandbox = new Sandbox(parts);
    sandbox.#filters = this.#filters;
    sandbox.#waiter = this.waiter;
    sandbox.#ready = this.#ready;
    sandbox.#runs = this.#runs;
    sandbox.#hasRoots = this.#hasRoots && settings === this.settings;
    return sandbox;
  }

  /**
   * Makes boxes ready for their next run from now on, and counts what comes of that.
   *
   * @internal
   */
  async keepBoxesReady(uses?: ReadyUses): Promise<void> {
    // Where nothing of the host's is mounted any more the kernel lets nobody but root of the initial user
    // namespace mount a new proc.
    if (this.contained) return;
    const { ReadyBoxes } = await import("./setup/ready.ts");
    this.#ready ??= new ReadyBoxes(this.system, {
      waiter: this.waiter,
      uses: uses ?? { hits: 0, misses: 0 },
      outlivesBoxes: uses !== undefined,
    });
  }

  /**
   * The boxes that are kept ready; undefined: none are.
   *
   * @internal
   */
  get ready(): ReadyBoxes | undefined {
    return this.#ready;
  }

  /**
   * Shares what knows all runs.
   *
   * @internal
   */
  watchRuns(runs: Runs): void {
    this.#runs = runs;
  }

  /**
   * The runs of this process; undefined: nobody looks at them.
   *
   * @internal
   */
  get runs(): Runs | undefined {
    return this.#runs;
  }

  /**
   * Catches signals that are sent to the process, as a command does; a library never should.
   *
   * @param options which signals, and what to do with one that is caught
   */
  catchSignals(options: CatchSignalsOptions): void {
    catchSignals(this, options);
  }

  /**
   * Finds the directory below which control groups of boxes are made.
   *
   * @returns its path; with v1 that of the memory controller
   * @throws {SandboxError} if control groups cannot be used here, with the reason
   */
  controlGroupDirectory(): Promise<string> {
    return translated(async () => {
      const { controlGroups } = await import("./control_groups.ts");
      return controlGroups(this, { create: true }).directory;
    });
  }

  /**
   * Builds the system call filter for these flags, once; undefined if there is to be none.
   *
   * @internal
   */
  syscallFilter(flags: number, walls: readonly FilterWall[]): SyscallFilter | undefined {
    const key = `${flags} ${walls}`;
    if (!this.#filters.has(key)) {
      const arch = Deno.build.arch === "aarch64" ? "aarch64" : "x86_64";
      this.#filters.set(key, buildSyscallFilter({ flags, walls, arch }));
    }
    return this.#filters.get(key);
  }

  /**
   * The waiter of all boxes.
   *
   * @internal
   */
  get waiter(): Waiter {
    return this.#waiter ??= Waiter.create(this.system);
  }

  /**
   * Makes the directories of boxes and locks, and checks that only root can change them.
   *
   * @internal
   */
  prepareRoots(): void {
    if (this.#hasRoots) return;
    this.#prepareRoot("box_root", this.settings.boxRoot);
    this.#prepareRoot("lock_root", this.settings.lockRoot);
    this.#hasRoots = true;
  }

  #prepareRoot(key: string, path: string): void {
    const { system, own } = this;
    const status = makeDirectories({ system, own, caller: own }, path, {
      // Whatever the caller's umask is.
      mode: 0o755,
      what: `make the directory ${path} (configured as ${key})`,
    });
    if (isRootsAlone(status)) return;
    throw new SandboxError(
      "hostile-path",
      `The directory ${path} (configured as ${key}) must belong to root and not be writable by ` +
        `others: it belongs to user ${status.uid} and has mode ${status.mode.toString(8)}`,
    );
  }
}

/** What this process is in its user namespace, and what holds where no configuration is found. */
type OwnSurroundings = Partial<RootlessSurroundings> & {
  own: Identity;
  isRootless: boolean;
  contained: Containment | undefined;
};

/** Finds out whose root this process is, and what holds where it is nobody's but its own. */
export async function surroundingsOf(
  system: System,
  { identity: own, rootIsOurs, isContained }: Standing,
): Promise<OwnSurroundings> {
  if (!isContained) return { own, isRootless: false, contained: undefined };
  const { containment, rootlessSurroundings } = await import("./rootless/surroundings.ts");
  const contained = containment(system);
  if (rootIsOurs) return { own, isRootless: false, contained };
  return { ...rootlessSurroundings(system, own), isRootless: true, contained };
}

/** Loads the printer of plans, which only a trace needs. */
async function tracer(trace: PlanTrace): Promise<(plan: Plan, title: string) => void> {
  const { printPlan } = await import("../ffi/print.ts");
  return (plan, title) => trace(title, () => printPlan(plan));
}

/**
 * Reads the environment with which this process was started. This needs no permission.
 *
 * @returns variables in order; none without a shim or /proc
 *
 * @example
 * ```ts
 * import { callerEnvironment } from "@isolate/isolate";
 * import { assert } from "@std/assert";
 *
 * assert((await callerEnvironment()).has("PATH"));
 * ```
 */
export async function callerEnvironment(): Promise<Map<string, string>> {
  try {
    return environmentOf(await System.load());
  } catch {
    return new Map();
  }
}

/**
 * Finds a user of this machine by name.
 *
 * @internal
 */
export async function findUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  return findUserByName(await System.load(), name);
}

/**
 * Reads the exact arguments of this process. The runtime has put replacement characters where bytes are
 * not UTF-8.
 *
 * @param args the last arguments of the process, as the runtime gives them
 * @returns the same, with bytes that are not UTF-8 as lone surrogates
 *
 * @example
 * ```ts
 * import { exactArguments } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await exactArguments(["--run", "/bin/true"]), ["--run", "/bin/true"]);
 * ```
 */
export async function exactArguments(args: readonly string[]): Promise<readonly string[]> {
  if (!args.some((arg) => arg.includes("\ufffd"))) return args;
  try {
    return commandLineOf(await System.load()).slice(-args.length);
  } catch {
    return args;
  }
}

let shared: Promise<Sandbox> | undefined;

/**
 * Opens the sandbox with the machine's configuration, once in a process.
 *
 * @returns the same sandbox for all callers
 * @throws {SandboxError} as {@linkcode Sandbox.open}
 *
 * @example
 * ```ts
 * import { sharedSandbox } from "@isolate/isolate";
 * import { assertStrictEquals } from "@std/assert";
 *
 * assertStrictEquals(await sharedSandbox(), await sharedSandbox());
 * ```
 */
export async function sharedSandbox(): Promise<Sandbox> {
  shared ??= Sandbox.open();
  try {
    return await shared;
  } catch (error) {
    shared = undefined;
    throw error;
  }
}

/** Refuses kernels without the calls that plans use; the youngest, quotactl_fd(2), came with 5.14. */
function checkKernel(system: System): void {
  const UTS_FIELD = 65;
  const plan = new Plan();
  const names = plan.alloc(6 * UTS_FIELD);
  plan.step("uname", [names]);
  system.run(plan, "which kernel");
  const bytes = plan.content(names.part(2 * UTS_FIELD, UTS_FIELD));
  const release = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  const [major = 0, minor = 0] = release.split(".").map((part) => parseInt(part));
  if (major > KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor >= KERNEL_MIN[1])) return;
  throw new SandboxError(
    "missing-kernel-feature",
    `Needs Linux ${KERNEL_MIN.join(".")} or later, this is ${release}`,
  );
}
