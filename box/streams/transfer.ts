/** Descriptors that a caller hands over with a run: whatever comes of it, they are closed here. */

import type { System } from "../../ffi/system.ts";

/** A stream of a run, as far as it matters here. */
type AnyStream = string | object | undefined;

/** The descriptors that a run has been given for good. */
export class TransferredFds {
  readonly #system: System;
  #fds: readonly number[];

  /** Takes the descriptors over. */
  constructor(system: System, streams: readonly AnyStream[]) {
    this.#system = system;
    this.#fds = [...new Set(streams.flatMap(transferredFd))];
  }

  /** Closes them, once: a second call does nothing. */
  close(): void {
    const fds = this.#fds;
    this.#fds = [];
    if (fds.length > 0) this.#system.close(...fds);
  }
}

function transferredFd(stream: AnyStream): number[] {
  if (typeof stream !== "object" || !("fd" in stream) || !("transfer" in stream)) return [];
  return typeof stream.fd === "number" && stream.transfer === true ? [stream.fd] : [];
}
