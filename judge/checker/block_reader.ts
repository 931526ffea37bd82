/** Reads a file in blocks. */

import type { FileBlock, HostFile } from "../../mod.ts";

/** Most files are smaller, and such a block takes no time to make. */
const FIRST_BLOCK_BYTES = 1 << 13;
/** Those of both sides fit into the cache of one processor together. */
const BLOCK_BYTES = 1 << 18;

/** What can be read in blocks: a file, or something that behaves like one. */
export type BlockSource = Pick<HostFile, "block">;

/** Reads a file from any place in it. */
export class BlockReader {
  /** The block, whose content ends at {@linkcode end}. */
  bytes!: FileBlock["bytes"];
  /** The same block, four bytes at once. */
  ints!: Int32Array<ArrayBuffer>;
  /** The reader's place in the block. */
  at = 0;
  end = 0;
  /** Whether the file ends where the block ends. */
  ended = false;
  readonly #file: BlockSource;
  #read!: FileBlock["read"];
  #start = 0;

  /** Begins at the beginning of a file, with an empty block. */
  constructor(file: BlockSource) {
    this.#file = file;
    this.#allocate(FIRST_BLOCK_BYTES);
  }

  /** The reader's place in the file. */
  get offset(): number {
    return this.#start + this.at;
  }

  /** Moves the reader to an offset, and reads the block that begins there. */
  fillFrom(offset: number): void {
    // A full block tells that the file is longer.
    if (this.end === FIRST_BLOCK_BYTES && this.end === this.bytes.length) {
      this.#allocate(BLOCK_BYTES);
    }
    this.end = this.#read(offset);
    this.#start = offset;
    this.at = 0;
    // Only the last block of a regular file is short.
    this.ended = this.end < this.bytes.length;
  }

  #allocate(lengthBytes: number): void {
    const { bytes, read } = this.#file.block(lengthBytes);
    this.bytes = bytes;
    this.ints = new Int32Array(bytes.buffer, bytes.byteOffset, lengthBytes / 4);
    this.#read = read;
  }
}
