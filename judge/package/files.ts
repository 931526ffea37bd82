/**
 * The files of a package. Nothing is opened that lies outside of its folder, whatever links there
 * are, and nothing is trusted: names, kinds, sizes, depth, number.
 */

import {
  type FileKind,
  type HostDirectory,
  type HostEntry,
  type HostFiles,
  SandboxError,
} from "../../mod.ts";
import { decodeOsString } from "../../text/os_string.ts";
import { visibleText } from "../../text/visible.ts";
import { PackageError } from "./errors.ts";

const ENTRIES_MAX = 100_000;
const DEPTH_MAX = 32;

/** A file or folder of a package; links have been followed. */
export interface PackageEntry {
  /** Its name. */
  readonly name: string;
  /** Its path in the package. */
  readonly path: string;
  /** What it is, or what the link leads to. */
  readonly kind: Exclude<FileKind, "symlink">;
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
  readonly #files: HostDirectory;
  #entries = 0;

  /** Opens a package. */
  constructor(host: HostFiles, directory: string) {
    this.given = directory.replace(/(.)\/+$/, "$1");
    try {
      this.directory = host.realPath(directory);
      this.#files = host.directory(this.directory);
    } catch (error) {
      throw this.#refusal(error, "", "open the folder");
    }
  }

  /** Closes the package. */
  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
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
      const status = this.#files.status(path);
      if (status === undefined) return undefined;
      const name = path.slice(path.lastIndexOf("/") + 1);
      const { kind, sizeBytes } = status;
      if (kind === "symlink") throw new TypeError("A link was not followed");
      return { name, path, kind, sizeBytes, hostFile: this.#files.realPath(path) };
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
      if (kind !== "symlink") {
        return { name, path: below, kind, sizeBytes, hostFile: `${base}/${name}` };
      }
      const target = this.find(below);
      if (target === undefined) throw this.error(below, "is a link that leads nowhere");
      return target;
    });
  }

  #read(path: string): HostEntry[] {
    try {
      return this.#files.list(path, { entriesMax: ENTRIES_MAX });
    } catch (error) {
      throw this.#refusal(error, path, "list it");
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
      return this.#files.readBytes(path, options);
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
export function refusalReason({ code, reason, message }: SandboxError, what: string): string {
  switch (code) {
    case undefined:
      return message;
    case "EXDEV":
      return "is a link that leads out of the package; only relative links that stay inside are " +
        "followed";
    case "ELOOP":
      return "is a link that leads to itself";
    default:
      return `cannot ${what}: ${reason}`;
  }
}

/** Whether something can be part of a program. */
export function isFileOrFolder({ kind }: PackageEntry): boolean {
  return kind === "file" || kind === "directory";
}

/** Why something is no file to be read. */
export function notAFile(entry: PackageEntry | undefined): string {
  if (entry === undefined) return "is missing";
  if (entry.kind === "directory") return "must be a file, but is a folder";
  return "must be a regular file, but is a pipe, a socket or a device";
}
