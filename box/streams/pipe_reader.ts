/** Reading from a pipe that never waits. */

import { ERRNO } from "../../ffi/errno.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";

/** Reads from a pipe that never waits. */
export class PipeReader {
  readonly #system: System;
  readonly #fd: number;
  #bytes = 0;
  #read: (() => Uint8Array<ArrayBuffer> | undefined) | undefined;

  /** Prepares to read. */
  constructor(system: System, fd: number) {
    this.#system = system;
    this.#fd = fd;
  }

  /** Reads once. */
  read(bytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#read || bytes !== this.#bytes) this.#read = this.#prepare(bytes);
    return this.#read();
  }

  #prepare(bytes: number): () => Uint8Array<ArrayBuffer> | undefined {
    this.#bytes = bytes;
    const plan = new Plan();
    const buffer = plan.alloc(bytes);
    const length = plan.slot("length");
    plan.step("read", [this.#fd, buffer, bytes], { into: length, ignore: ERRNO.EAGAIN });
    const execute = this.#system.prepare(plan, "read output");
    return () => {
      const failure = execute();
      if (failure) throw failure;
      const read = plan.result(length);
      return read < 0 ? undefined : plan.content(buffer, read);
    };
  }
}
