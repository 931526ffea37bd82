/** Reads files of the host with the rights of the user for whom a sandbox acts. */

import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";
import { SandboxError, toSandboxError, translatedSync } from "./errors.ts";
import type { HostAccess } from "./identity.ts";
import { type HostEntry, listDirectory } from "./list.ts";
import { openFile } from "./open.ts";
import { readAll } from "./read.ts";
import { type FileStatus, planStatus, readStatus, wrongKind } from "./status.ts";

const ENTRIES_MAX = 100_000;
const PATH_BYTES = 4096;

/** How a file is opened. */
export interface OpenFileOptions {
  /**
   * Follow symbolic links, wherever they are in the path. Default: yes. A path without links
   * can get some later: from anybody who may write to one of its directories.
   */
  readonly followLinks?: boolean | undefined;
}

/** How much of a file is read. */
export interface ReadOptions extends OpenFileOptions {
  /** The most that the file may have, in bytes; a larger one is an error. */
  readonly limitBytes: number;
}

/** A buffer that parts of a file are read into, again and again. */
export interface FileBlock {
  /** The buffer; beyond what the last reading filled, older content stays. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Fills the buffer from an offset in the file, and returns how many bytes were read: less than the
   * buffer holds only at the end of the file. Throws a {@linkcode SandboxError} if it cannot be read.
   */
  readonly read: (offset: number) => number;
}

/**
 * A file that is open for reading anywhere in it.
 *
 * @example Counting lines without keeping the file
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { assert } from "@std/assert";
 *
 * using file = new HostFiles(await sharedSandbox()).open("/etc/passwd");
 * const block = file.block(4096);
 * let [lines, offset] = [0, 0];
 * for (let count = block.read(0); count > 0; count = block.read(offset)) {
 *   lines += block.bytes.subarray(0, count).filter((byte) => byte === 10).length;
 *   offset += count;
 * }
 * assert(lines > 0);
 * ```
 */
export class HostFile implements Disposable {
  /** Its descriptor, which this object closes. */
  readonly fd: number;
  readonly #system: System;
  readonly #name: string;

  /**
   * Takes a descriptor over; {@linkcode HostFiles.open} does.
   *
   * @param access the sandbox
   * @param fd a descriptor of a regular file
   * @param name the file, for messages
   */
  constructor(access: Pick<HostAccess, "system">, fd: number, name: string) {
    this.#system = access.system;
    this.fd = fd;
    this.#name = name;
  }

  /**
   * Prepares a buffer for reading.
   *
   * @param lengthBytes its size
   * @returns the buffer, empty
   */
  block(lengthBytes: number): FileBlock {
    const plan = new Plan();
    const buffer = plan.alloc(lengthBytes);
    const [at, count] = [plan.slot("offset"), plan.slot("bytes")];
    const what = `read ${this.#name}`;
    plan.step("pread64", [this.fd, buffer, lengthBytes, at], { into: count, what });
    const execute = this.#system.prepare(plan, what);
    const read = (offset: number) => {
      plan.put(at, offset);
      const failure = execute();
      if (failure) throw toSandboxError(failure);
      return plan.result(count);
    };
    return { bytes: plan.content(buffer), read };
  }

  /**
   * Opens the file again: at its beginning, for reading only.
   *
   * @returns a descriptor that the caller closes, or a run as `{ fd, transfer: true }`
   * @throws {SandboxError} if it cannot be opened
   */
  reopen(): number {
    const plan = new Plan();
    const fd = plan.slot("copy");
    const what = `read ${this.#name}`;
    const args = [linux.AT_FDCWD, plan.string(`/proc/self/fd/${this.fd}`), linux.O_CLOEXEC, 0];
    plan.step("openat", args, { into: fd, what });
    translatedSync(() => this.#system.run(plan, what));
    return plan.result(fd);
  }

  /** Its permission bits now. */
  get mode(): number {
    const plan = new Plan();
    const status = planStatus(plan, this.fd);
    translatedSync(() => this.#system.run(plan, `look at ${this.#name}`));
    return readStatus(plan.view(status)).mode;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#system.close(this.fd);
  }
}

/** What {@linkcode HostFiles} and {@linkcode HostDirectory} have in common: they look and read. */
export class HostReader {
  readonly #access: HostAccess;
  readonly #beneathFd: number | undefined;

  /**
   * Reads files.
   *
   * @param access the sandbox
   * @param beneathFd a directory out of which no path leads; default: paths lead anywhere
   */
  constructor(access: HostAccess, beneathFd?: number) {
    this.#access = access;
    this.#beneathFd = beneathFd;
  }

  /**
   * Finds where a file or directory really lies.
   *
   * @param path its path
   * @returns its absolute path without links
   * @throws {SandboxError} if it does not exist or cannot be reached
   */
  realPath(path: string): string {
    const { fd } = this.#openAt(path, linux.O_PATH);
    try {
      return readLink(this.#access.system, linux.AT_FDCWD, `/proc/self/fd/${fd}`);
    } finally {
      this.#access.system.close(fd);
    }
  }

  /**
   * Reads a symbolic link.
   *
   * @param path its path
   * @returns what it says; undefined if there is no link
   * @throws {SandboxError} if it cannot be reached
   */
  readLink(path: string): string | undefined {
    const link = this.#find(path, linux.O_PATH | linux.O_NOFOLLOW);
    if (link === undefined) return undefined;
    try {
      return link.status.kind === "symlink"
        ? readLink(this.#access.system, link.fd, "")
        : undefined;
    } finally {
      this.#access.system.close(link.fd);
    }
  }

  /**
   * Looks at a file or directory.
   *
   * @param path its path
   * @param options `followLink`: look at what a link leads to (default), or at the link itself
   * @returns its status; undefined if it does not exist
   * @throws {SandboxError} if it cannot be reached
   */
  status(path: string, options: { followLink?: boolean } = {}): FileStatus | undefined {
    const { followLink = true } = options;
    const found = this.#find(path, followLink ? linux.O_PATH : linux.O_PATH | linux.O_NOFOLLOW);
    if (found) this.#access.system.close(found.fd);
    return found?.status;
  }

  /**
   * Lists a directory; links in it are not followed.
   *
   * @param path its path
   * @param options the most entries that it may have (default 100,000)
   * @returns its entries without `.` and `..`, sorted by name
   * @throws {SandboxError} `too-large` if it has more entries; if it cannot be listed
   */
  list(path: string, options: { entriesMax?: number } = {}): HostEntry[] {
    const { entriesMax = ENTRIES_MAX } = options;
    const { fd } = this.#openAt(path, linux.O_DIRECTORY);
    try {
      return translatedSync(() =>
        listDirectory(this.#access, fd, { entriesMax, what: `list ${path}` })
      );
    } finally {
      this.#access.system.close(fd);
    }
  }

  /**
   * Reads a whole file as text.
   *
   * @param path its path
   * @param options the most that it may have
   * @returns its text; bytes that are no UTF-8 become the lone surrogates U+DC80 to U+DCFF
   * @throws {SandboxError} as {@linkcode HostFiles.readBytes}
   */
  readText(path: string, options: ReadOptions): string {
    return decodeOsString(this.readBytes(path, options));
  }

  /**
   * Reads a whole file.
   *
   * @param path its path
   * @param options the most that it may have
   * @returns its bytes
   * @throws {SandboxError} `too-large` if it is larger, `hostile-path` if it is not a regular file; if
   *   it cannot be read
   */
  readBytes(path: string, options: ReadOptions): Uint8Array<ArrayBuffer> {
    const { limitBytes } = options;
    const { fd, status: { sizeBytes } } = this.#openRegular(path, options);
    try {
      const how = { sizeBytes, limitBytes, what: `read ${path}` };
      return translatedSync(() => readAll(this.#access.system, fd, how));
    } finally {
      this.#access.system.close(fd);
    }
  }

  /**
   * Opens a file for reading.
   *
   * @param path its path
   * @param options whether links are followed
   * @returns the file, to be closed by `using`
   * @throws {SandboxError} `hostile-path` if it is not a regular file; if it cannot be opened
   */
  open(path: string, options: OpenFileOptions = {}): HostFile {
    return new HostFile(this.#access, this.#openRegular(path, options).fd, path);
  }

  #openAt(
    path: string,
    flags: number,
    { followLinks }: OpenFileOptions = {},
  ): { fd: number; status: FileStatus } {
    return translatedSync(() =>
      openFile(this.#access, path, { flags, beneathFd: this.#beneathFd, followLinks })
    );
  }

  #openRegular(path: string, how: OpenFileOptions): { fd: number; status: FileStatus } {
    const opened = this.#openAt(path, linux.O_NONBLOCK | linux.O_NOCTTY, how);
    const { fd, status: { kind } } = opened;
    if (kind === "file") return opened;
    this.#access.system.close(fd);
    throw wrongKind(`read ${path}`, { found: kind, wanted: "file" });
  }

  #find(path: string, flags: number): { fd: number; status: FileStatus } | undefined {
    try {
      return this.#openAt(path, flags);
    } catch (error) {
      if (error instanceof SandboxError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
}

/** Reads what a link says. */
export function readLink(system: System, at: number, path: string): string {
  const plan = new Plan();
  const [length, target] = [plan.slot("length"), plan.alloc(PATH_BYTES)];
  const what = `read the link ${path}`;
  plan.step("readlinkat", [at, plan.string(path), target, PATH_BYTES], { into: length, what });
  translatedSync(() => system.run(plan, what));
  return decodeOsString(plan.content(target, plan.result(length)));
}
