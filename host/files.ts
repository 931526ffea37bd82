/**
 * Files of the host, for judging: packages, submissions, reports. Everything is opened with the
 * rights of whom the sandbox acts for.
 */

import type { Sandbox } from "../box/sandbox.ts";
import { SandboxError, toSandboxError } from "./errors.ts";
import { asIdentity, withIdentity } from "./identity.ts";
import { removeTree } from "./tree.ts";
import { ERRNO } from "../ffi/errno.ts";
import { decodeOsString, encodeOsString } from "../text/os_string.ts";
import { AT_FDCWD, O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_TRUNC, O_WRONLY } from "../ffi/linux.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import {
  entriesOf,
  type HostEntry,
  type HostPlace,
  type HostStatus,
  linkTarget,
  openPath,
  planHow,
  readFrom,
  realPathAt,
  statusAt,
} from "./read.ts";

export type { HostEntry, HostKind, HostStatus } from "./read.ts";

/** How much of a file is read. */
export interface HostReadOptions {
  /** The most that the file may have, in bytes. */
  readonly limitBytes: number;
}

/**
 * Files of the host.
 *
 * @example A report that is never seen half written
 * ```ts
 * import { HostFiles } from "isolate/host/files.ts";
 * import { sharedSandbox } from "isolate/box/sandbox.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.write(`${directory}/report.json`, "{}\n");
 * assertEquals(host.list(directory).map((entry) => entry.name), ["report.json"]);
 * assertEquals(host.readText(`${directory}/report.json`, { limitBytes: 100 }), "{}\n");
 * host.removeTree(directory);
 * assertEquals(host.status(directory), undefined);
 * ```
 */
export class HostFiles {
  readonly #sandbox: Sandbox;
  readonly #place: HostPlace;

  /**
   * Reaches the files of the host.
   *
   * @param sandbox for whom files are opened
   */
  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.#place = { sandbox };
  }

  /** The sandbox with whose rights files are opened. */
  get sandbox(): Sandbox {
    return this.#sandbox;
  }

  /**
   * The absolute form of a path. Links are not resolved, nor is `..`, which depends on them.
   *
   * @param path a path, relative to the working directory
   * @returns the same, absolute, without `.` and empty parts
   * @throws {SandboxError} if the working directory cannot be found
   */
  absolute(path: string): string {
    const whole = path.startsWith("/")
      ? path
      : `${linkTarget(this.#sandbox.system, "/proc/self/cwd")}/${path}`;
    return "/" + whole.split("/").filter((part) => part !== "" && part !== ".").join("/");
  }

  /**
   * The absolute path of a file or directory without links.
   *
   * @param path its path
   * @returns where it really lies
   * @throws {SandboxError} if it does not exist or cannot be reached
   */
  realPath(path: string): string {
    return realPathAt(this.#place, path);
  }

  /**
   * Lists a directory, without `.` and `..`.
   *
   * @param directory its path
   * @param options the most entries that it may have (default 100,000)
   * @returns its entries, sorted by name; links are not followed
   * @throws {SandboxError} if it cannot be listed, or has more entries
   */
  list(directory: string, options: { entriesMax?: number } = {}): HostEntry[] {
    const fd = openPath(this.#place, directory, O_DIRECTORY);
    try {
      return entriesOf(this.#place, fd, { path: directory, ...options });
    } finally {
      this.close(fd);
    }
  }

  /**
   * What is known of a file.
   *
   * @param path its path; a link is followed
   * @returns its status; undefined if it does not exist
   * @throws {SandboxError} if it cannot be reached
   */
  status(path: string): HostStatus | undefined {
    return statusAt(this.#place, path);
  }

  /**
   * Reads a whole file as text.
   *
   * @param path its path
   * @param options the most that it may have
   * @returns its text; what is no valid UTF-8 becomes lone surrogates, see `decodeOsString()`
   * @throws {SandboxError} if it cannot be read, is no regular file, or is larger
   */
  readText(path: string, options: HostReadOptions): string {
    return decodeOsString(this.readBytes(path, options));
  }

  /**
   * Reads a whole file.
   *
   * @param path its path
   * @param options the most that it may have
   * @returns its bytes
   * @throws {SandboxError} if it cannot be read, is no regular file, or is larger
   */
  readBytes(path: string, options: HostReadOptions): Uint8Array<ArrayBuffer> {
    return readFrom(this.#place, path, options.limitBytes);
  }

  /**
   * Opens a regular file for reading; close it with {@linkcode HostFiles.close}.
   *
   * @param path its path
   * @returns a descriptor at its beginning
   * @throws {SandboxError} if it cannot be opened or is no regular file
   */
  open(path: string): number {
    return openPath(this.#place, path, "regular");
  }

  /**
   * Closes descriptors.
   *
   * @param fds those of {@linkcode HostFiles.open}
   */
  close(...fds: number[]): void {
    this.#sandbox.system.close(...fds);
  }

  /**
   * Writes a file: nobody ever sees a part of it, and after a failure what was there before is still
   * there. Where the path is a link, a pipe or a device it is written to as it is.
   *
   * @param path its path
   * @param content text, or bytes
   * @throws {SandboxError} if it cannot be written whole
   */
  write(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? encodeOsString(content) : content;
    const status = statusAt(this.#place, path, { followLink: false });
    if (status === undefined || status.kind === "file") return this.#replace(path, bytes);
    const fd = this.#openToWrite(AT_FDCWD, path, { flags: O_TRUNC, path });
    try {
      this.#sandbox.system.writeAll(fd, bytes, path);
    } catch (error) {
      throw toSandboxError(error);
    } finally {
      this.close(fd);
    }
  }

  #replace(path: string, bytes: Uint8Array): void {
    const cut = path.lastIndexOf("/");
    const name = path.slice(cut + 1);
    const above = cut < 0 ? "." : path.slice(0, cut) || "/";
    const temporary = `${name}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    const folder = openPath(this.#place, above, O_PATH | O_DIRECTORY);
    let fd = -1;
    try {
      fd = this.#openToWrite(folder, temporary, { flags: O_CREAT | O_EXCL, path });
      this.#sandbox.system.writeAll(fd, bytes, path);
      this.#asCaller(`write ${path}`, (plan) => {
        const args = [folder, plan.string(temporary), folder, plan.string(name), 0];
        plan.step("renameat2", args, { what: `write ${path}` });
      });
    } catch (error) {
      if (fd >= 0) {
        this.#asCaller(`remove ${temporary}`, (plan) => {
          plan.step("unlinkat", [folder, plan.string(temporary), 0], { ignore: "all" });
        });
      }
      throw toSandboxError(error);
    } finally {
      this.close(fd, folder);
    }
  }

  /**
   * Makes a directory, and those above it that are missing. One that is there already is left as it
   * is.
   *
   * @param path its path
   * @param mode its permissions, less those of the umask (default 0755); those above get 0755
   * @throws {SandboxError} if it cannot be made
   */
  makeDirectory(path: string, mode = 0o755): void {
    const parts = this.absolute(path).split("/");
    this.#asCaller(`make ${path}`, (plan) => {
      const what = `make the directory ${path}`;
      const how = planHow(plan, this.#place, { flags: O_PATH | O_DIRECTORY, mode: 0 });
      let folder: number | Slot = AT_FDCWD;
      parts.forEach((part, i) => {
        // The first one is the name of the root.
        const name = plan.string(part || "/");
        const isLast = i === parts.length - 1;
        // Whoever may not make a directory where one is gets EACCES or EROFS on some systems.
        const ignore = isLast ? ERRNO.EEXIST : "all";
        plan.step("mkdirat", [folder, name, isLast ? mode : 0o755], { ignore, what });
        const next = plan.slot(part);
        if (!isLast) plan.step("openat2", [folder, name, how, 24], { into: next, what });
        if (folder !== AT_FDCWD) plan.step("close", [folder], { always: true, ignore: "all" });
        folder = next;
      });
    });
    const status = this.status(path);
    if (status?.kind !== "directory") {
      throw new SandboxError("bad-option", `Cannot make the directory ${path}: a file is there`);
    }
  }

  /**
   * Makes a directory of a new name that nobody else can enter, in `$TMPDIR` or `/tmp`.
   *
   * @param options how its name begins (default `isolate-`)
   * @returns its path
   * @throws {SandboxError} if it cannot be made
   */
  makeTemporaryDirectory(options: { prefix?: string } = {}): string {
    const parent = this.#sandbox.system.environment().get("TMPDIR") || "/tmp";
    const path = this.absolute(`${parent}/${options.prefix ?? "isolate-"}${crypto.randomUUID()}`);
    this.#asCaller(`make ${path}`, (plan) => {
      plan.step("mkdirat", [AT_FDCWD, plan.string(path), 0o700], {
        what: `make the temporary directory ${path}`,
      });
    });
    return path;
  }

  /**
   * Removes a directory and everything below it; one that does not exist is no error.
   *
   * @param path its path
   * @throws {SandboxError} if it cannot be removed, is no directory, or is somebody else's
   */
  removeTree(path: string): void {
    const absolute = this.absolute(path);
    const status = statusAt(this.#place, absolute, { followLink: false });
    if (status === undefined) return;
    const { caller, own, system } = this.#sandbox;
    if (caller.uid !== own.uid && status.uid !== caller.uid) {
      throw new SandboxError("bad-option", `Cannot remove ${path}: it belongs to somebody else`);
    }
    const cut = absolute.lastIndexOf("/");
    const parent = openPath(this.#place, absolute.slice(0, cut) || "/", O_PATH | O_DIRECTORY);
    try {
      const remove = () => removeTree(system, parent, absolute.slice(cut + 1));
      withIdentity(system, { identity: caller, own }, remove);
    } catch (error) {
      throw toSandboxError(error);
    } finally {
      this.close(parent);
    }
  }

  #openToWrite(
    folder: number,
    name: string,
    { flags, path }: { flags: number; path: string },
  ): number {
    const mode = flags & O_CREAT ? 0o666 : 0;
    const plan = new Plan();
    const fd = plan.slot("file");
    this.#execute(plan, `write ${path}`, () => {
      const how = planHow(plan, this.#place, { flags: flags | O_WRONLY, mode });
      plan.step("openat2", [folder, plan.string(name), how, 24], {
        into: fd,
        what: `write ${path}`,
      });
    });
    return plan.result(fd);
  }

  #asCaller(title: string, build: (plan: Plan) => void): void {
    const plan = new Plan();
    this.#execute(plan, title, () => build(plan));
  }

  #execute(plan: Plan, title: string, build: () => void): void {
    const { caller: identity, own, system } = this.#sandbox;
    asIdentity(plan, { identity, own }, build);
    const failure = system.attempt(plan, title);
    if (failure) throw toSandboxError(failure);
  }
}
