/** Files of the host, opened with the rights of the user for whom a sandbox acts. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { encodeOsString } from "../text/os_string.ts";
import { makeDirectories } from "./directories.ts";
import { SandboxError, toSandboxError, translatedSync } from "./errors.ts";
import { holdDirectory } from "./held.ts";
import { asCaller, type HostAccess, withCallerRights } from "./identity.ts";
import { openFile } from "./open.ts";
import { environmentOf } from "./read.ts";
import { HostReader } from "./reader.ts";
import { openTemporary, type TemporaryDirectory } from "./temporary.ts";
import { removeTree } from "./tree.ts";
import { replaceFile } from "./write.ts";

/** A directory of the host, out of which nothing leads: neither `..` nor a link. */
export class HostDirectory extends HostReader implements Disposable {
  readonly #access: HostAccess;
  readonly #fd: number;

  /**
   * Opens a directory; {@linkcode HostFiles.directory} does.
   *
   * @param access the sandbox
   * @param path its path
   * @throws {SandboxError} if it cannot be opened
   */
  constructor(access: HostAccess, path: string) {
    const flags = linux.O_PATH | linux.O_DIRECTORY;
    const { fd } = translatedSync(() => openFile(access, path, { flags }));
    super(access, fd);
    this.#access = access;
    this.#fd = fd;
  }

  /**
   * Keeps it open for as long as an object is used: until then files below it that are opened by their
   * absolute paths, without following links, are those in this very directory, wherever it is moved to.
   *
   * @param owner the object
   * @throws {SandboxError} if it cannot be kept open
   *
   * @example
   * ```ts
   * import { HostFiles, sharedSandbox } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * const host = new HostFiles(await sharedSandbox());
   * const path = host.realPath(host.makeTemporaryDirectory());
   * host.write(`${path}/file`, "1");
   * const owner = {};
   * {
   *   using directory = host.directory(path);
   *   directory.holdFor(owner);
   * }
   * host.rename(path, `${path}-moved`);
   * const options = { limitBytes: 10, followLinks: false };
   * assertEquals([host.readText(`${path}/file`, options), owner], ["1", {}]);
   * host.removeTree(`${path}-moved`);
   * ```
   */
  holdFor(owner: object): void {
    const { system } = this.#access;
    const path = this.realPath("");
    translatedSync(() => holdDirectory(system, { fd: this.#fd, path, owner }));
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#access.system.close(this.#fd);
  }
}

/**
 * Files of the host. A sandbox that acts for a user reaches what that user reaches, and what it makes
 * belongs to that user.
 *
 * @example A report that is never seen half written
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
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
export class HostFiles extends HostReader {
  readonly #access: HostAccess;

  /**
   * Reaches the files of the host.
   *
   * @param sandbox with whose caller's rights files are opened
   */
  constructor(sandbox: HostAccess) {
    super(sandbox);
    this.#access = sandbox;
  }

  /** The user id with whose rights files are opened. */
  get callerUid(): number {
    return this.#access.caller.uid;
  }

  /**
   * The absolute form of a path. Links are not resolved, nor is `..`, which depends on them.
   *
   * @param path a path, relative to the working directory
   * @returns the same, absolute, without `.` and empty parts
   */
  absolute(path: string): string {
    const whole = path.startsWith("/") ? path : `${this.readLink("/proc/self/cwd")}/${path}`;
    return "/" + whole.split("/").filter((part) => part !== "" && part !== ".").join("/");
  }

  /**
   * Opens a directory to read what lies in it, and nothing else, whatever links there are.
   *
   * @param path its path
   * @returns the directory, to be closed by `using`; paths are relative to it
   * @throws {SandboxError} if it cannot be opened
   *
   * @example A link that leads out
   * ```ts
   * import { HostFiles, SandboxError, sharedSandbox } from "@isolate/isolate";
   * import { assertThrows } from "@std/assert";
   *
   * using proc = new HostFiles(await sharedSandbox()).directory("/proc");
   * proc.readText("sys/kernel/ostype", { limitBytes: 100 });
   * assertThrows(() => proc.realPath("self/exe"), SandboxError);
   * ```
   */
  directory(path: string): HostDirectory {
    return new HostDirectory(this.#access, path);
  }

  /**
   * Writes a file: nobody ever sees a part of it, and after a failure what was there before is still
   * there. A link, a pipe or a device is written to as it is.
   *
   * @param path its path
   * @param content text, or bytes
   * @throws {SandboxError} if it cannot be written whole
   */
  write(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? encodeOsString(content) : content;
    const { system } = this.#access;
    const kind = this.status(path, { followLink: false })?.kind ?? "file";
    translatedSync(() => {
      if (kind === "file") return replaceFile(this.#access, path, { bytes });
      const flags = linux.O_WRONLY | linux.O_TRUNC | linux.O_NOCTTY;
      const { fd } = openFile(this.#access, path, { flags, what: `write ${path}` });
      try {
        system.writeAll(fd, bytes, path);
      } finally {
        system.close(fd);
      }
    });
  }

  /**
   * Makes a directory, and those above it that are missing, with 0755 less the bits of the umask. One
   * that exists stays as it is.
   *
   * @param path its path
   * @param mode the permissions of the directory itself, whatever the umask is
   * @throws {SandboxError} if it cannot be made
   */
  makeDirectory(path: string, mode?: number): void {
    translatedSync(() => {
      // Those above it are not of this mode.
      if (mode !== undefined) makeDirectories(this.#access, path.replace(/[^/]+\/*$/, ""));
      makeDirectories(this.#access, path, { mode });
    });
  }

  /**
   * Makes a directory of a new name that nobody else can enter, in `$TMPDIR` or `/tmp`.
   *
   * @param options how its name begins (default `isolate-`)
   * @returns its absolute path
   * @throws {SandboxError} if it cannot be made
   */
  makeTemporaryDirectory(options: { prefix?: string } = {}): string {
    const { prefix = "isolate-" } = options;
    const parent = environmentOf(this.#access.system).get("TMPDIR") || "/tmp";
    const path = this.absolute(`${parent}/${prefix}${crypto.randomUUID()}`);
    const plan = new Plan();
    const what = `make the temporary directory ${path}`;
    asCaller(plan, this.#access, () => {
      plan.step("mkdirat", [linux.AT_FDCWD, plan.string(path), 0o700], { what });
    });
    translatedSync(() => this.#access.system.run(plan, what));
    return path;
  }

  /**
   * Makes a directory as {@linkcode HostFiles.makeTemporaryDirectory} does, which does not stay when this
   * process is killed: the next call with this prefix removes it.
   *
   * @param prefix how its name begins
   * @returns the directory, which `using` removes
   * @throws {SandboxError} if it cannot be made
   *
   * @example
   * ```ts
   * import { HostFiles, sharedSandbox } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * const host = new HostFiles(await sharedSandbox());
   * let path;
   * {
   *   using directory = host.temporaryDirectory("isolate-example-");
   *   path = directory.path;
   *   host.write(`${path}/file`, "content");
   * }
   * assertEquals(host.status(path), undefined);
   * ```
   */
  temporaryDirectory(prefix: string): TemporaryDirectory {
    return openTemporary(this.#access, prefix);
  }

  /**
   * Renames a file or directory, unless something has the new name already.
   *
   * @param from its path
   * @param to its new path, in the same file system
   * @returns whether it was renamed
   * @throws {SandboxError} if it cannot be renamed for another reason
   */
  rename(from: string, to: string): boolean {
    const plan = new Plan();
    const what = `rename ${from} to ${to}`;
    asCaller(plan, this.#access, () => {
      const args = [
        linux.AT_FDCWD,
        plan.string(from),
        linux.AT_FDCWD,
        plan.string(to),
        linux.RENAME_NOREPLACE,
      ];
      plan.step("renameat2", args, { what });
    });
    const failure = this.#access.system.attempt(plan, what);
    if (failure && failure.errno !== ERRNO.EEXIST) throw toSandboxError(failure);
    return failure === undefined;
  }

  /**
   * Removes a directory and everything below it; one that does not exist is not an error.
   *
   * @param path its path
   * @throws {SandboxError} if it cannot be removed, is not a directory, or is somebody else's
   */
  removeTree(path: string): void {
    const absolute = this.absolute(path);
    const status = this.status(absolute, { followLink: false });
    if (status === undefined) return;
    const { caller, own, system } = this.#access;
    if (caller.uid !== own.uid && status.uid !== caller.uid) {
      throw new SandboxError("bad-option", `Cannot remove ${path}: it belongs to somebody else`);
    }
    const cut = absolute.lastIndexOf("/");
    translatedSync(() => {
      const above = absolute.slice(0, cut) || "/";
      const { fd } = openFile(this.#access, above, { flags: linux.O_PATH | linux.O_DIRECTORY });
      try {
        withCallerRights(this.#access, () => removeTree(system, fd, absolute.slice(cut + 1)));
      } finally {
        system.close(fd);
      }
    });
  }
}
