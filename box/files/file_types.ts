/** The shapes in which files of a box are written, listed and copied. */

import type { FileKind } from "../../host/status.ts";
import type { Sandbox } from "../sandbox.ts";

/** The content of a new file: text, bytes, a stream of bytes, or a copy of a file of the host. */
export type FileContent =
  | string
  | Uint8Array
  | ReadableStream<Uint8Array>
  | { readonly hostFile: string; readonly followLinks?: boolean };

/** How a file is put into a box. */
export interface WriteOptions {
  /** Its permission bits, 0 to 0o777. Default: 0o644. */
  mode?: number;
  /** The most that is written, in bytes; more is an error. Default: no limit. */
  limitBytes?: number;
}

/** An entry of a directory in a box. */
export interface FileEntry {
  /** Its name in its directory. */
  readonly name: string;
  /** What it is. */
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
  /** Where it goes on the host. A file there is replaced; of a link, the link itself. */
  readonly hostFile: string;
  /** Leave it out, instead of failing, if it is missing, too large, or not a regular file. */
  readonly optional?: boolean;
  /** The most that it may have, in bytes. Default: 64 MiB. */
  readonly limitBytes?: number;
  /** Its permission bits on the host. Default: 0o666 less the bits of the umask. */
  readonly mode?: number;
}

/** What became of a file that was to be copied out of a box. */
export type CopiedFile =
  | {
    readonly path: string;
    readonly hostFile: string;
    /** Its size in bytes. */
    readonly sizeBytes: number;
    readonly omitted?: undefined;
  }
  | {
    readonly path: string;
    readonly hostFile: string;
    /** Why it was left out: it does not exist, is too large, or is not a regular file. */
    readonly omitted: "no-file" | "too-large" | "hostile-path";
    /** The same as a sentence. */
    readonly message: string;
  };

/** The box, as its files need it. */
export interface FileAccess {
  readonly sandbox: Sandbox;
  /** Whose files are read; if root is among them, also those of others that lie nowhere else. */
  readonly owners: readonly number[];
  /** Opens `box/`. */
  open(): number;
  /** Keeps programs out of the box until what it returns is called. */
  beginChange(): () => void;
  /** Throws if the box is no longer held. */
  assertHeld(): void;
}
