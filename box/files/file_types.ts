/** What is said of the files of a box. */

import type { FileKind } from "../../host/status.ts";
import type { Sandbox } from "../sandbox.ts";

/** What is put into a file: text, bytes, a stream of bytes, or a copy of a file of the host. */
export type FileContent =
  | string
  | Uint8Array
  | ReadableStream<Uint8Array>
  | { readonly hostFile: string };

/** How a file is put into a box. */
export interface WriteOptions {
  /** Its permission bits, 0 to 0o777. Default: 0o644. */
  mode?: number;
  /** Refuse to write more than so many bytes. Default: no limit. */
  limitBytes?: number;
}

/** How much is read. */
export interface ReadOptions {
  /** Refuse a file with more than so many bytes. */
  limitBytes: number;
}

/** A thing in a directory of a box. */
export interface FileEntry {
  /** Its name in its directory. */
  readonly name: string;
  /** What kind of thing it is. */
  readonly kind: FileKind;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Its permission bits. */
  readonly mode: number;
}

/** A file that is to be copied out of a box. */
export interface CopyItem {
  /** Where it is in the box. */
  readonly path: string;
  /** What it becomes on the host; replaced if it exists, a link itself and not what it leads to. */
  readonly hostFile: string;
  /** Whether it may be left out where it is missing, too large, or no regular file. */
  readonly optional?: boolean;
  /** How many bytes it may have. Default: 64 MiB. */
  readonly limitBytes?: number;
  /** The permission bits on the host. Default: as the umask says, 0o666 without its bits. */
  readonly mode?: number;
}

/** What became of a file that was to be copied out of a box. */
export type CopiedFile =
  | {
    readonly path: string;
    readonly hostFile: string;
    /** How many bytes it has. */
    readonly sizeBytes: number;
    readonly omitted?: undefined;
  }
  | {
    readonly path: string;
    readonly hostFile: string;
    /** Why it was left out: it does not exist, is too large, or is no regular file. */
    readonly omitted: "no-file" | "too-large" | "hostile-path";
    /** The same as a sentence. */
    readonly message: string;
  };

/** What the files of a box need of it. */
export interface FileAccess {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** Whose files are read; if root is among them, also those of others that lie nowhere else. */
  readonly owners: readonly number[];
  /** Opens `box/`. */
  open(): number;
  /** Says that files are going to be changed; gives what says that they have been. */
  beginChange(): () => void;
  /** Throws if the box is no longer held. */
  assertHeld(): void;
}
