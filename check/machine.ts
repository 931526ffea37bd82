/** The machine as checks see it: files of the kernel, in tests below another root. */

import { readDirectory } from "../host/list.ts";
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
  readonly environment: ReadonlyMap<string, string>;
  readonly controlGroups: () => ControlGroupPlace;
  readonly run: (command: string) => number;
  readonly #root: string;

  constructor(options: MachineOptions) {
    this.system = options.system;
    this.settings = options.settings;
    this.environment = options.environment;
    this.controlGroups = options.controlGroups;
    this.run = options.run;
    this.#root = options.root ?? "";
  }

  /** Reads a file; gives undefined if that is not possible. */
  readBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
    try {
      return this.system.readFile(this.#root + path)?.bytes;
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
    const plan = new Plan();
    const fd = plan.slot("directory");
    const flags = O_DIRECTORY | O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(this.#root + path), flags, 0], { into: fd });
    if (this.system.attempt(plan, `list ${path}`)) return [];
    const names: string[] = [];
    try {
      for (const entries of readDirectory(this.system, plan.result(fd))) {
        names.push(...entries.map(({ name }) => decodeOsString(name.subarray(0, -1))));
      }
    } finally {
      this.system.close(plan.result(fd));
    }
    return names.sort();
  }

  exists(path: string): boolean {
    const fd = this.open(path);
    if (fd !== undefined) this.system.close(fd);
    return fd !== undefined;
  }

  /** Opens a handle on a file or directory, which need not be readable. */
  open(path: string, flags: number = O_PATH): number | undefined {
    const plan = new Plan();
    const fd = plan.slot("file");
    const args = [AT_FDCWD, plan.string(this.#root + path), flags | O_CLOEXEC, 0];
    plan.step("openat", args, { into: fd });
    return this.system.attempt(plan, `look for ${path}`) ? undefined : plan.result(fd);
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
    this.system.run(plan, what);
  }
}
