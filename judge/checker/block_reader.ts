/** Reads a file in blocks. */

import type { FileBlock, HostFile } from "../../mod.ts";

/** Most files are smaller, and such a block takes no time to make. */
const FIRST_BLOCK_BYTES = 1 << 13;
/** Those of both sides fit into the cache of one processor together. */
const BLOCK_BYTES = 1 << 18;

/** Reads a regular file, or a memory file, anywhere in it; the descriptor's position stays. */
export class BlockReader {
  /** The reader's place in the block. */
  at = 0;
  /** The end of the content in the block. */
  end = 0;
  /** Whether the file ends where the block ends. */
  ended = false;
  readonly #file: HostFile;
  #block!: FileBlock;
  #ints!: Int32Array<ArrayBuffer>;
  #start = 0;
  #isLarge = false;

  /** Begins at the beginning of a file, with an empty block. */
  constructor(file: HostFile) {
    this.#file = file;
    this.#prepare(FIRST_BLOCK_BYTES);
  }

  #prepare(lengthBytes: number): void {
    this.#block = this.#file.block(lengthBytes);
    const { buffer, byteOffset } = this.#block.bytes;
    this.#ints = new Int32Array(buffer, byteOffset, lengthBytes / 4);
  }

  /** The block, whose content ends at {@linkcode end}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#block.bytes;
  }

  /** The same block, four bytes at once. */
  get ints(): Int32Array<ArrayBuffer> {
    return this.#ints;
  }

  /** The reader's place in the file. */
  get offset(): number {
    return this.#start + this.at;
  }

  /** Reads the block that begins at the reader's place. */
  fill(): void {
    this.fillFrom(this.offset);
  }

  /** Moves the reader to an offset, and reads the block that begins there. */
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
