/** The machine as checks see it: files of the kernel, in tests below another root. */

import { translatedSync } from "../host/errors.ts";
import { nameOf, readDirectory } from "../host/list.ts";
import { statusOf, tryOpen } from "../host/open.ts";
import { readFile } from "../host/read.ts";
import type { FileStatus } from "../host/status.ts";
import type { ControlGroupRoot } from "../cgroup/types.ts";
import type { Settings } from "../config/settings.ts";
import { decodeOsString } from "../text/os_string.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, O_TRUNC, O_WRONLY } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";

/** Where control groups of boxes are made. */
export type ControlGroupPlace = Pick<ControlGroupRoot, "version" | "directory" | "reason">;

/** What checks look at. */
export interface MachineOptions {
  readonly system: System;
  readonly settings: Settings;
  /** Whether this process is root of a user namespace only. Default: no. */
  readonly isRootless?: boolean;
  /** Whether boxes can have a `/proc`. Default: yes. */
  readonly seesProc?: boolean;
  /** The environment of this process. */
  readonly environment: ReadonlyMap<string, string>;
  /** Finds where control groups of boxes are made; throws with the reason if they cannot be. */
  readonly controlGroups: () => ControlGroupPlace;
  /** Runs a command of the shell and gives its exit status. */
  readonly run: (command: string) => number;
  /** Put before every path, for tests. */
  readonly root?: string;
}

/** The machine that is checked. */
export class Machine implements MachineOptions {
  readonly system: System;
  readonly settings: Settings;
  readonly isRootless: boolean;
  readonly seesProc: boolean;
  readonly environment: ReadonlyMap<string, string>;
  readonly controlGroups: () => ControlGroupPlace;
  readonly run: (command: string) => number;
  readonly #root: string;

  constructor(options: MachineOptions) {
    this.system = options.system;
    this.settings = options.settings;
    this.isRootless = options.isRootless ?? false;
    this.seesProc = options.seesProc ?? true;
    this.environment = options.environment;
    this.controlGroups = options.controlGroups;
    this.run = options.run;
    this.#root = options.root ?? "";
  }

  /** Reads a file; gives undefined if that is not possible. */
  readBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
    try {
      return readFile(this.system, this.#root + path)?.bytes;
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  /** Reads a file of text. */
  read(path: string): string | undefined {
    const bytes = this.readBytes(path);
    return bytes && decodeOsString(bytes).trim();
  }

  /** Lists a directory; gives nothing for one that does not exist. */
  list(path: string): string[] {
    const fd = this.open(path, O_DIRECTORY);
    if (fd === undefined) return [];
    try {
      return [...readDirectory(this.system, fd)].flat().map(nameOf).sort();
    } finally {
      this.system.close(fd);
    }
  }

  exists(path: string): boolean {
    return this.status(path) !== undefined;
  }

  /** Looks at a file or directory. */
  status(path: string): FileStatus | undefined {
    return statusOf(this.system, this.#root + path);
  }

  /** Opens a handle on a file or directory, which need not be readable. */
  open(path: string, flags: number = O_PATH): number | undefined {
    return tryOpen(this.system, this.#root + path, flags);
  }

  /** Writes a file of the kernel, in one call. */
  write(path: string, value: string): void {
    const plan = new Plan();
    const fd = plan.slot("file");
    const text = plan.string(`${value}\n`);
    const what = `write ${value} to ${path}`;
    const flags = O_WRONLY | O_TRUNC | O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(this.#root + path), flags, 0], { into: fd, what });
    plan.step("write", [fd, text, text.length - 1], { what });
    plan.step("close", [fd], { always: true, ignore: "all" });
    translatedSync(() => this.system.run(plan, what));
  }
}
