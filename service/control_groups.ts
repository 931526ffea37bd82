/** Makes the control group of all boxes before the first box does: once, or as a service that keeps it. */

import { callerEnvironment, type Log, Sandbox } from "../box/sandbox.ts";
import { toSandboxError } from "../host/errors.ts";
import { makeNamedGroup, takeDelegatedGroup } from "../cgroup/delegation.ts";
import { findControlGroupRoot } from "../cgroup/root.ts";
import { ControlGroupError } from "../cgroup/types.ts";
import type { System } from "../ffi/system.ts";
import { DELEGATED_GROUP_FILE } from "../config/settings.ts";
import { removeGroupFile, writeGroupFile } from "./group_file.ts";
import { notify } from "./notify.ts";

export interface SetupOptions {
  /** The configuration; default: that of the machine. */
  readonly configFile: string | undefined;
  /** Receives what is done. */
  readonly log: Log;
}

export interface ServiceOptions extends SetupOptions {
  /** Receives why the configuration could not be reloaded. */
  readonly onReloadFailure: (error: unknown) => void;
}

/**
 * Makes the control group of all boxes, moving no process, and gives its directory. If the configuration
 * says that a file names it, writes the file.
 */
export async function setUpControlGroups({ configFile, log }: SetupOptions): Promise<string> {
  try {
    const sandbox = await Sandbox.open({ configFile, log });
    const { system, settings: { cgRoot } } = sandbox;
    const named = cgRoot.kind === "directory" ? cgRoot.directory : undefined;
    if (named !== undefined) makeNamedGroup(system, { directory: named, log });
    const { directory } = findControlGroupRoot(system, { directory: named, create: true, log });
    if (cgRoot.kind === "fromFile") writeGroupFile(sandbox, cgRoot.file, directory);
    return directory;
  } catch (error) {
    throw toSandboxError(error);
  }
}

/** The file by which a service says where control groups are made, and the directory in it. */
export interface Published {
  readonly file: string;
  readonly directory: string;
}

/**
 * Runs the service: takes over the group that the service manager made for it, names it in the file, and
 * keeps it until SIGTERM or SIGINT. SIGHUP reads the configuration again.
 */
export async function keepControlGroups(options: ServiceOptions): Promise<void> {
  const { configFile, log } = options;
  try {
    const socket = (await callerEnvironment()).get("NOTIFY_SOCKET");
    const sandbox = await Sandbox.open({ configFile, log });
    const { system, waiter } = sandbox;
    const tell = (...lines: string[]) => notify(system, { socket, lines });
    const signals: string[] = [];
    let wake = () => {};
    sandbox.catchSignals({
      caught: ["SIGTERM", "SIGINT", "SIGHUP"],
      ignored: ["SIGPIPE"],
      standard: [],
      onSignal: (name) => {
        signals.push(name);
        wake();
      },
    });
    // Signals arrive only while something is waited for.
    void waiter.readable([], Infinity);
    let published = publish(sandbox, { log, delegated: undefined });
    const ready = () =>
      tell("READY=1", `STATUS=Groups of boxes are made in ${published.directory}`);
    ready();
    for (;;) {
      const signal = signals.shift();
      if (signal === "SIGTERM" || signal === "SIGINT") break;
      if (signal === "SIGHUP") {
        tell("RELOADING=1", `MONOTONIC_USEC=${Math.floor(system.nowMs() * 1000)}`);
        published = await reload(options, published);
        ready();
      }
      if (signals.length === 0) await new Promise<void>((resolve) => wake = resolve);
    }
    tell("STOPPING=1");
    removeGroupFile(system, published.file, published.directory);
  } catch (error) {
    throw toSandboxError(error);
  }
}

/** Makes the group and writes the file. */
function publish(
  sandbox: Sandbox,
  { log, delegated }: { log: Log; delegated: string | undefined },
): Published {
  const { system, settings: { cgRoot } } = sandbox;
  if (cgRoot.kind === "directory") {
    throw new ControlGroupError(
      `Nothing to keep: the configuration says cg_root = ${cgRoot.directory} (cg-keeper works with ` +
        `cg_root = auto and cg_root = auto:FILE; cg-setup makes a group that is named)`,
    );
  }
  const file = cgRoot.kind === "fromFile" ? cgRoot.file : DELEGATED_GROUP_FILE;
  const { directory, reason } = findControlGroupRoot(system, {
    directory: delegated ?? takeDelegatedGroup(system, { log }),
    create: true,
    log,
  });
  writeGroupFile(sandbox, file, directory);
  log(1, () => `Control groups are made in ${directory}: ${reason}; ${file} says so`);
  return { file, directory };
}

/**
 * Makes the place for the resident service. A directory that the configuration names is made, and says
 * itself where it is.
 */
export function publishGroups(
  sandbox: Sandbox,
  options: { log: Log; delegated: string | undefined },
): Published | undefined {
  const { system, settings: { cgRoot } } = sandbox;
  if (cgRoot.kind !== "directory") return publish(sandbox, options);
  makeNamedGroup(system, { directory: cgRoot.directory, log: options.log });
  return undefined;
}

/** Takes back what was published. */
export function withdrawGroups(system: System, published: Published | undefined): void {
  if (published) removeGroupFile(system, published.file, published.directory);
}

/** Reads the configuration again; a wrong one changes nothing. */
async function reload(options: ServiceOptions, published: Published): Promise<Published> {
  try {
    const sandbox = await Sandbox.open(options);
    const { file, directory } = published;
    const fresh = publish(sandbox, { log: options.log, delegated: directory });
    if (fresh.file !== file) removeGroupFile(sandbox.system, file, directory);
    return fresh;
  } catch (error) {
    options.onReloadFailure(toSandboxError(error));
    return published;
  }
}
