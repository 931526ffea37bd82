/** A file read in blocks of constant size. */

import type { FileBlock, HostFile } from "../../mod.ts";

/** Most files end before that, and it takes no time to make. */
const FIRST_BLOCK_BYTES = 1 << 13;
/** Two of them, of both sides of a comparison, fit into the cache of one processor. */
const BLOCK_BYTES = 1 << 18;

/** Reads a regular file, or a memory file, anywhere in it; the descriptor's position stays. */
export class BlockReader {
  /** Where in the block the reader stands. */
  at = 0;
  /** Where in the block its content ends. */
  end = 0;
  /** Whether the file ends where the block ends. */
  ended = false;
  readonly #file: HostFile;
  #block!: FileBlock;
  #words!: Int32Array<ArrayBuffer>;
  #start = 0;
  #isLarge = false;

  /** Stands at the beginning of a file, with an empty block. */
  constructor(file: HostFile) {
    this.#file = file;
    this.#prepare(FIRST_BLOCK_BYTES);
  }

  #prepare(lengthBytes: number): void {
    this.#block = this.#file.block(lengthBytes);
    const { buffer, byteOffset } = this.#block.bytes;
    this.#words = new Int32Array(buffer, byteOffset, lengthBytes / 4);
  }

  /** The block; what is in it lies before {@linkcode end}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#block.bytes;
  }

  /** The same block, four bytes at once. */
  get words(): Int32Array<ArrayBuffer> {
    return this.#words;
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
      this.#prepare(BLOCK_BYTES);
      this.#isLarge = true;
    }
    this.end = this.#block.read(offset);
    this.#start = offset;
    this.at = 0;
    // Of a regular file only the last block is short.
    this.ended = this.end < this.#block.bytes.length;
  }
}
