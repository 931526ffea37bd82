/**
 * The files of a package. Nothing is opened that lies outside of its folder, whatever links there
 * are, and nothing is trusted: names, kinds, sizes, depth, number.
 */

import { O_DIRECTORY, O_PATH } from "../../ffi/linux.ts";
import { SandboxError } from "../../host/errors.ts";
import { ERRNO, errnoText } from "../../ffi/errno.ts";
import { decodeOsString } from "../../text/os_string.ts";
import type { HostFiles } from "../../host/files.ts";
import {
  entriesOf,
  type HostKind,
  type HostPlace,
  openPath,
  readFrom,
  realPathAt,
  statusAt,
} from "../../host/read.ts";
import { PackageError } from "./errors.ts";
import { visibleText } from "../../text/visible.ts";

const ENTRIES_MAX = 100_000;
const DEPTH_MAX = 32;

/** A file or folder of a package; links have been followed. */
export interface PackageEntry {
  /** Its name. */
  readonly name: string;
  /** Its path in the package. */
  readonly path: string;
  /** What it is, or what the link leads to. */
  readonly kind: Exclude<HostKind, "link">;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Where it really lies on the host, absolute. */
  readonly hostFile: string;
}

/** The files of a package. */
export class PackageFiles implements Disposable {
  /** The folder as it was given, for messages. */
  readonly given: string;
  /** The folder on the host, absolute and without links. */
  readonly directory: string;
  readonly #host: HostFiles;
  readonly #place: HostPlace & { readonly beneathFd: number };
  #entries = 0;

  /** Opens a package. */
  constructor(host: HostFiles, directory: string) {
    this.given = directory.replace(/(.)\/+$/, "$1");
    this.#host = host;
    const place = { sandbox: host.sandbox };
    try {
      this.directory = realPathAt(place, directory);
      const fd = openPath(place, this.directory, O_PATH | O_DIRECTORY);
      this.#place = { ...place, beneathFd: fd };
    } catch (error) {
      throw this.#refusal(error, "", "open the folder");
    }
  }

  /** Closes the package. */
  [Symbol.dispose](): void {
    this.#host.close(this.#place.beneathFd);
  }

  /** The path of a file for people. */
  pathFor(path: string): string {
    return path === "" ? this.given : `${this.given.replace(/\/$/, "")}/${path}`;
  }

  /** Complains about a file or folder. */
  error(path: string, reason: string): PackageError {
    return new PackageError(reason, { file: this.pathFor(path) });
  }

  /** What there is at a path. */
  find(path: string): PackageEntry | undefined {
    try {
      const status = statusAt(this.#place, path);
      if (status === undefined) return undefined;
      const name = path.slice(path.lastIndexOf("/") + 1);
      const { kind, sizeBytes } = status;
      if (kind === "link") throw new TypeError("A link was not followed");
      return { name, path, kind, sizeBytes, hostFile: realPathAt(this.#place, path) };
    } catch (error) {
      throw this.#refusal(error, path, "look at it");
    }
  }

  /** Lists a folder. */
  list(path: string): PackageEntry[] | undefined {
    if (path.split("/").length > DEPTH_MAX) {
      const reason = `is more than ${DEPTH_MAX} folders deep; is there a link to a folder above?`;
      throw this.error(path, reason);
    }
    const folder = path === "" ? undefined : this.find(path);
    if (path !== "" && folder === undefined) return undefined;
    if (folder && folder.kind !== "directory") throw this.error(path, "must be a folder");
    const base = folder?.hostFile ?? this.directory;
    const entries = this.#read(path);
    this.#entries += entries.length;
    if (this.#entries > ENTRIES_MAX) {
      throw this.error(path, `has more files than can be looked at, ${ENTRIES_MAX}`);
    }
    return entries.map(({ name, kind, sizeBytes }) => {
      const below = path === "" ? name : `${path}/${name}`;
      if (visibleText(name) !== name) {
        const reason = "has invisible characters or invalid UTF-8 in its name; rename it";
        throw this.error(below, reason);
      }
      if (kind !== "link") {
        return { name, path: below, kind, sizeBytes, hostFile: `${base}/${name}` };
      }
      const target = this.find(below);
      if (target === undefined) throw this.error(below, "is a link that leads nowhere");
      return target;
    });
  }

  #read(path: string) {
    let fd = -1;
    try {
      fd = openPath(this.#place, path, O_DIRECTORY);
      return entriesOf(this.#place, fd, { path: this.pathFor(path), entriesMax: ENTRIES_MAX });
    } catch (error) {
      throw this.#refusal(error, path, "list it");
    } finally {
      if (fd >= 0) this.#host.close(fd);
    }
  }

  /** Reads a text. */
  readText(path: string, options: { limitBytes: number }): string {
    const text = decodeOsString(this.readBytes(path, options));
    if (!text.isWellFormed()) throw this.error(path, "is not valid UTF-8");
    return text.replace(/^\ufeff/, "");
  }

  /** Reads a file. */
  readBytes(path: string, options: { limitBytes: number }): Uint8Array<ArrayBuffer> {
    const file = this.find(path);
    if (file?.kind !== "file") throw this.error(path, notAFile(file));
    if (file.sizeBytes > options.limitBytes) {
      throw this.error(path, `is larger than ${options.limitBytes} bytes`);
    }
    try {
      return readFrom(this.#place, path, options.limitBytes);
    } catch (error) {
      throw this.#refusal(error, path, "read it");
    }
  }

  #refusal(error: unknown, path: string, what: string): unknown {
    if (!(error instanceof SandboxError)) return error;
    const place = { file: this.pathFor(path) };
    const reason = refusalReason(error, what);
    return new PackageError(reason, place, { cause: error });
  }
}

/** Why the kernel refuses something. */
export function refusalReason({ errno, message }: SandboxError, what: string): string {
  switch (errno) {
    case undefined:
      return message;
    case ERRNO.EXDEV:
      return "is a link that leads out of the package; only relative links that stay inside are " +
        "followed";
    case ERRNO.ELOOP:
      return "is a link that leads to itself";
    default:
      return `cannot ${what}: ${errnoText(errno)}`;
  }
}

/** Why something is no file to be read. */
export function notAFile(entry: PackageEntry | undefined): string {
  if (entry === undefined) return "is missing";
  if (entry.kind === "directory") return "must be a file, but is a folder";
  return "must be a regular file, but is a pipe, a socket or a device";
}
