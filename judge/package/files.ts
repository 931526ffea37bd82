/**
 * The files of a package. A package is hostile: no symbolic link leads out of its folder, and names,
 * kinds, sizes, depth and number of files are checked.
 */

import { type FileKind, type HostDirectory, type HostFiles, SandboxError } from "../../mod.ts";
import { decodeOsString } from "../../text/os_string.ts";
import { sizeText } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import { parseYaml, type YamlNode } from "../../text/yaml_node.ts";
import { type Constants, replaceConstants } from "./constants.ts";
import type { Problem } from "../types.ts";
import { PackageError } from "./errors.ts";

const ENTRIES_MAX = 100_000;
const DEPTH_MAX = 32;
const YAML_BYTES_MAX = 1 << 20;
const GROUPS_MAX = 1000;
/** The largest file of a package that is used, unless the caller says otherwise. */
export const FILE_MIB_MAX = 1024;
const MIB = 1 << 20;

/** A file or folder of a package; symbolic links have been followed. */
export interface PackageEntry {
  readonly name: string;
  /** Its path in the package. */
  readonly path: string;
  readonly kind: Exclude<FileKind, "symlink">;
  readonly sizeBytes: number;
  /** Its real path on the host, absolute. */
  readonly hostFile: string;
}

/** The files of a package. */
export class PackageFiles implements Disposable {
  /** The folder as the user named it. */
  readonly given: string;
  /** The folder's real path on the host, absolute. */
  readonly directory: string;
  /** What is odd but no error, a sentence each. */
  readonly warnings: string[] = [];
  /** What is wrong but keeps nobody from judging, a sentence each. */
  readonly complaints: string[] = [];
  /** What stands for `{{name}}` in programs and in settings of tests. */
  constants: Constants | undefined;
  /** The folder in which links stay: the package, or one above it. */
  readonly #files: HostDirectory;
  /** The package's path in that folder; empty if it is the package. */
  readonly #prefix: string;
  #entries = 0;
  #groups = 0;
  readonly #fileMib: number;

  /** Opens a package. */
  constructor(
    host: HostFiles,
    directory: string,
    { fileMib = FILE_MIB_MAX, root, name = directory }: {
      fileMib?: number | undefined;
      /** A folder above, to which links may lead. */
      root?: string | undefined;
      /** What messages call it. */
      name?: string | undefined;
    } = {},
  ) {
    this.#fileMib = fileMib;
    this.given = name.replace(/(.)\/+$/, "$1");
    try {
      this.directory = host.realPath(directory);
      const top = root === undefined ? this.directory : host.realPath(root);
      const isInside = this.directory === top || this.directory.startsWith(`${top}/`);
      if (!isInside) {
        throw this.error("", `is not in ${root}, the folder that --root names`);
      }
      this.#prefix = this.directory.slice(top.length).replace(/^\//, "");
      this.#files = host.directory(top);
    } catch (error) {
      throw this.#refusal(error, "", "open the folder");
    }
  }

  /** Keeps the folder open for as long as a problem is used: its files are then those that were read. */
  holdFor(problem: Problem): void {
    // Copies of the problem share it.
    this.#files.holdFor(problem.data);
  }

  /** Closes the package. */
  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  #at(path: string): string {
    return path === "" ? this.#prefix : join(this.#prefix, path);
  }

  /** Counts a group of tests; too many are an error. */
  countGroup(path: string): void {
    if (++this.#groups > GROUPS_MAX) {
      throw this.error(path, `is in a package of more than ${GROUPS_MAX} groups of tests`);
    }
  }

  /** Names a file as the user would. */
  pathFor(path: string): string {
    return path === "" ? this.given : `${this.given.replace(/\/$/, "")}/${path}`;
  }

  /** Makes an error about a file or folder. */
  error(path: string, reason: string, options?: ErrorOptions): PackageError {
    return new PackageError(reason, { file: this.pathFor(path) }, options);
  }

  /** Warns about a file or folder. */
  warn(path: string, reason: string): void {
    this.warnings.push(this.error(path, reason).message);
  }

  /** Looks at a path. */
  find(path: string): PackageEntry | undefined {
    try {
      const status = this.#files.status(this.#at(path));
      if (status === undefined) return undefined;
      const { kind, sizeBytes } = status;
      if (kind === "symlink") throw new TypeError("A link was not followed");
      return {
        name: nameOf(path),
        path,
        kind,
        sizeBytes,
        hostFile: this.#files.realPath(this.#at(path)),
      };
    } catch (error) {
      throw this.#refusal(error, path, "look at it");
    }
  }

  /** Lists a folder; undefined if there is none. */
  list(path: string): PackageEntry[] | undefined {
    if (path.split("/").length > DEPTH_MAX) {
      const reason = `is more than ${DEPTH_MAX} folders deep; is there a link to a folder above?`;
      throw this.error(path, reason);
    }
    const folder = this.find(path);
    if (folder === undefined) return undefined;
    if (folder.kind !== "directory") throw this.error(path, "must be a folder");
    return this.#read(path).map(({ name, kind, sizeBytes }) => {
      const below = join(path, name);
      if (visibleText(name) !== name) {
        const reason = "has invisible characters or invalid UTF-8 in its name; rename it";
        throw this.error(below, reason);
      }
      if (kind !== "symlink") {
        return { name, path: below, kind, sizeBytes, hostFile: `${folder.hostFile}/${name}` };
      }
      const target = this.find(below);
      if (target === undefined) throw this.error(below, "is a broken symbolic link");
      return target;
    });
  }

  #read(path: string) {
    try {
      const entries = this.#files.list(this.#at(path), { entriesMax: ENTRIES_MAX });
      this.#entries += entries.length;
      if (this.#entries <= ENTRIES_MAX) return entries;
    } catch (error) {
      throw this.#refusal(error, path, "list it");
    }
    throw this.error(path, `is in a package of more than ${ENTRIES_MAX} files`);
  }

  /** Reads a text. */
  readText(path: string, options: { limitBytes: number }): string {
    const text = decodeOsString(this.readBytes(path, options));
    if (!text.isWellFormed()) throw this.error(path, "is not valid UTF-8");
    return text.replace(/^\ufeff/, "");
  }

  /** Reads a YAML file with its constants; unknown keys in it are errors or warnings. */
  readYaml(path: string, { unknownKeys }: { unknownKeys: "refuse" | "warn" }): Promise<YamlNode> {
    const text = this.readText(path, { limitBytes: YAML_BYTES_MAX });
    const warn = ({ message }: Error) => void this.warnings.push(message);
    return parseYaml({
      file: this.pathFor(path),
      text: this.constants ? replaceConstants(text, this.constants) : text,
      ErrorClass: PackageError,
      // As other judges do: they take the last of two keys, and go on.
      ...unknownKeys === "warn" && { onUnknownKey: warn, onDuplicateKey: warn },
    });
  }

  /** Reads a file. */
  readBytes(path: string, options: { limitBytes: number }): Uint8Array<ArrayBuffer> {
    const { sizeBytes } = this.mustBeFile(path, this.find(path));
    if (sizeBytes > options.limitBytes) {
      throw this.error(path, `is larger than ${options.limitBytes} bytes`);
    }
    try {
      return this.#files.readBytes(this.#at(path), options);
    } catch (error) {
      throw this.#refusal(error, path, "read it");
    }
  }

  /** Refuses what is not a regular file, and one that is too large, however little of it is there. */
  mustBeFile(path: string, entry: PackageEntry | undefined): PackageEntry {
    if (entry?.kind !== "file") throw this.error(path, notAFile(entry));
    if (entry.sizeBytes <= this.#fileMib * MIB) return entry;
    const size = sizeText(Math.ceil(entry.sizeBytes / 1024));
    const most = sizeText(this.#fileMib * 1024);
    throw this.error(path, `has ${size}; a file may have ${most} (--file-size=MIB)`);
  }

  #refusal(error: unknown, path: string, what: string): unknown {
    if (!(error instanceof SandboxError)) return error;
    return this.error(path, refusalReason(error, what), { cause: error });
  }
}

/** Says why the kernel refuses something. */
export function refusalReason({ code, reason, message }: SandboxError, what: string): string {
  switch (code) {
    case undefined:
      return message;
    case "EXDEV":
      return "is a symbolic link that leads out of the package; only relative links that stay " +
        "inside are followed, or with --root=FOLDER in a folder above it";
    case "ELOOP":
      return "is a symbolic link to itself";
    default:
      return `cannot ${what}: ${reason}`;
  }
}

/** Says why something is not a file to be read. */
export function notAFile(entry: PackageEntry | undefined): string {
  if (entry === undefined) return "is missing";
  if (entry.kind === "directory") return "must be a file, not a folder";
  return "must be a regular file, not a pipe, a socket or a device";
}

/** Gives the last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Puts a name behind the path of a folder, which is empty for the package itself. */
export function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Tells files of an editor, of a version control system and of Python from those of the package. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || name.endsWith("~") || name === "__pycache__";
}
