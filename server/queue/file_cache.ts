/** Keeps the large files that a worker has read last, so that it reads each from the queue once. */

import type { Bytes } from "../engine/types.ts";
import { hashOf } from "./packing.ts";
import type { QueueStore } from "./queue_store.ts";

/** Large files by hash, up to a number of bytes. */
export class FileCache {
  readonly #store: Pick<QueueStore, "file">;
  readonly #limitBytes: number;
  /** In the order of their last use. */
  readonly #files = new Map<string, Bytes>();
  readonly #reading = new Map<string, Promise<Bytes>>();
  #bytes = 0;

  constructor({ store, limitBytes }: { store: Pick<QueueStore, "file">; limitBytes: number }) {
    this.#store = store;
    this.#limitBytes = limitBytes;
  }

  /**
   * Reads files.
   *
   * @throws if one is missing or damaged. Rejects with it
   */
  async read(hashes: readonly string[]): Promise<ReadonlyMap<string, Bytes>> {
    const contents = hashes.map(async (hash) => [hash, await this.#file(hash)] as const);
    return new Map(await Promise.all(contents));
  }

  async #file(hash: string): Promise<Bytes> {
    const known = this.#files.get(hash);
    if (known) {
      this.#files.delete(hash);
      this.#files.set(hash, known);
      return known;
    }
    const reading = this.#reading.get(hash) ?? this.#read(hash);
    this.#reading.set(hash, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(hash);
    }
  }

  async #read(hash: string): Promise<Bytes> {
    const content = await this.#store.file(hash);
    if (!content) throw new Error(`the queue no longer has the file ${hash} of a job`);
    if (await hashOf(content) !== hash) {
      throw new Error(`the file ${hash} of a job is damaged in the queue`);
    }
    this.#files.set(hash, content);
    this.#bytes += content.length;
    for (const [oldest, { length }] of this.#files) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#files.delete(oldest);
      this.#bytes -= length;
    }
    return content;
  }
}
