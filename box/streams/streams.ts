/** The standard streams of a run: what they can be connected to, and what is handed over with them. */

import type { System } from "../../ffi/system.ts";
import type { Capture, Overflow } from "./capture.ts";

/** Where one of the standard streams of the program comes from or goes to. */
export type Stream =
  /** Stays what it is for the keeper. */
  | "inherit"
  /** A file, opened inside the box by the box's user. */
  | { readonly path: string }
  /**
   * An open descriptor of the keeper. With `transfer` the run closes it as soon as the box has it, or
   * when the run fails before: of a pipe, nobody but the program then has that end.
   */
  | { readonly fd: number; readonly transfer?: boolean };

/** The standard streams as the program gets them. */
export interface ProgramStreams {
  readonly stdin: Stream;
  readonly stdout: Stream;
  /** `"stdout"`: wherever that goes. */
  readonly stderr: Stream | "stdout";
}

/**
 * Where standard input comes from.
 *
 * @example
 * ```ts
 * import { Box, Capture, type Input } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 921 });
 * const inputs: Input[] = [
 *   { text: "hello" },
 *   { bytes: new Uint8Array([104, 101, 108, 108, 111]) },
 *   { stream: ReadableStream.from([new Uint8Array([104, 101]), new Uint8Array([108, 108, 111])]) },
 * ];
 * for (const stdin of inputs) {
 *   const stdout = new Capture({ limitBytes: 100 });
 *   await box.run(["/bin/cat"], { stdin, stdout });
 *   assertEquals(stdout.text(), "hello");
 * }
 * ```
 */
export type Input =
  | Stream
  /** There is nothing to read. */
  | "none"
  /** A text, in UTF-8. */
  | { readonly text: string }
  /** Bytes, of which the program gets a copy in memory. */
  | { readonly bytes: Uint8Array }
  /**
   * A file of the host, opened with the caller's rights. The program reads the file itself, and cannot
   * tell where it lies, nor change anything about it.
   */
  | { readonly file: string; readonly followLinks?: boolean }
  /**
   * A stream. It is read as the program reads, and cancelled when the program is over or reads no
   * more; if it fails, the program is killed and the run fails.
   */
  | { readonly stream: ReadableStream<Uint8Array> };

/**
 * Where standard output or standard error goes.
 *
 * @example The most that is kept
 * ```ts
 * import { Box, Capture } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 922 });
 * const stdout = new Capture({ limitBytes: 1000 });
 * const outcome = await box.run(["/usr/bin/yes"], { stdout, limits: { wallTimeMs: 10_000 } });
 * assertEquals(outcome.kind, "output-limit");
 * assertEquals(stdout.bytes.length, 1000);
 * ```
 */
export type Output =
  | Stream
  /** It is thrown away. */
  | "none"
  /** It is kept in memory. */
  | Capture
  /**
   * A file of the host, opened with the caller's rights and emptied. Without a limit the program
   * writes to the file itself.
   */
  | { readonly file: string; readonly limitBytes?: number; readonly overflow?: Overflow }
  /**
   * An open descriptor, and how much may be written to it. What its reader has not taken when the
   * wall clock limit passes, or the run is aborted, is dropped. With `transfer` the descriptor is
   * closed as soon as the run has taken it over.
   */
  | {
    readonly fd: number;
    readonly limitBytes: number;
    readonly overflow?: Overflow;
    readonly transfer?: boolean;
  };

/** The descriptors that a caller hands over with a run: whatever comes of it, they are closed here. */
export class TransferredFds {
  readonly #system: System;
  #fds: readonly number[];

  constructor(system: System, streams: readonly (Input | Output | "stdout" | undefined)[]) {
    this.#system = system;
    this.#fds = [...new Set(streams.flatMap(transferredFd))];
  }

  /** Closes them; a second call does nothing. */
  close(): void {
    const fds = this.#fds;
    this.#fds = [];
    if (fds.length > 0) this.#system.close(...fds);
  }
}

function transferredFd(stream: Input | Output | "stdout" | undefined): number[] {
  if (typeof stream !== "object" || !("fd" in stream)) return [];
  return "transfer" in stream && stream.transfer ? [stream.fd] : [];
}
