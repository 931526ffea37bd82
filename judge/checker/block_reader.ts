/** A file read in blocks of constant size, by plans that are written down once. */

import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";

/** Most files end before that, and it takes no time to make. */
const FIRST_BLOCK_BYTES = 1 << 13;
/** Two of them, of both sides of a comparison, fit into the cache of one processor. */
const BLOCK_BYTES = 1 << 18;

/** What is read, and from where. */
interface Source {
  readonly fd: number;
  readonly what: string;
}

/** A place for a block, with the plan that fills it. */
class Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #plan = new Plan();
  readonly #offset: Slot;
  readonly #count: Slot;
  readonly #execute: () => SystemError | undefined;

  constructor(system: System, { fd, what }: Source, length: number) {
    const plan = this.#plan;
    const room = plan.alloc(length);
    this.#offset = plan.slot("offset");
    this.#count = plan.slot("bytes");
    plan.step("pread64", [fd, room, length, this.#offset], {
      into: this.#count,
      what: `read ${what}`,
    });
    this.#execute = system.prepare(plan, `read ${what}`);
    this.bytes = plan.content(room);
    this.words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, length / 4);
  }

  /** Returns how many bytes there were. */
  read(offset: number): number {
    this.#plan.put(this.#offset, offset);
    const failure = this.#execute();
    if (failure) throw failure;
    return this.#plan.result(this.#count);
  }
}

/** Reads a regular file, or a memory file, anywhere in it; the descriptor's position stays. */
export class BlockReader {
  /** Where in the block the reader stands. */
  at = 0;
  /** Where in the block its content ends. */
  end = 0;
  /** Whether the file ends where the block ends. */
  ended = false;
  #system: System;
  #source: Source;
  #block: Block;
  #start = 0;
  #isLarge = false;

  /** Stands at the beginning of a file, with an empty block. */
  constructor(system: System, source: { readonly fd: number; readonly what: string }) {
    this.#system = system;
    this.#source = source;
    this.#block = new Block(system, source, FIRST_BLOCK_BYTES);
  }

  /** The block; what is in it lies before {@linkcode end}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#block.bytes;
  }

  /** The same block, four bytes at once. */
  get words(): Int32Array<ArrayBuffer> {
    return this.#block.words;
  }

  /** Where in the file the reader stands. */
  get offset(): number {
    return this.#start + this.at;
  }

  /** Reads the block that begins where the reader stands. */
  fill(): void {
    this.fillFrom(this.offset);
  }

  /** Reads the block that begins at an offset; the reader stands there then. */
  fillFrom(offset: number): void {
    // A full block tells that the file is longer than it.
    if (!this.#isLarge && this.end === FIRST_BLOCK_BYTES) {
      this.#block = new Block(this.#system, this.#source, BLOCK_BYTES);
      this.#isLarge = true;
    }
    this.end = this.#block.read(offset);
    this.#start = offset;
    this.at = 0;
    // Of a regular file only the last block is short.
    this.ended = this.end < this.#block.bytes.length;
  }
}
