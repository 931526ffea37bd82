/** Files with a line more than they should have: what reads them to the end must refuse them. */

import type { HostFiles, TemporaryDirectory } from "../../mod.ts";

const TRAILING = new TextEncoder().encode("trailing -1\n");
const FILE_BYTES = 1 << 20;

/** Writes such files into a temporary directory. */
export class TrailingFiles implements Disposable {
  readonly #host: HostFiles;
  #folder: TemporaryDirectory | undefined;
  #count = 0;

  constructor(host: HostFiles) {
    this.#host = host;
  }

  /** Tells whether a file is small enough to be copied. */
  isSmall(file: string): boolean {
    return (this.#host.status(file)?.sizeBytes ?? Infinity) <= FILE_BYTES;
  }

  /** Writes a file with a line more, and gives its path. */
  extend(file: string): string {
    this.#folder ??= this.#host.temporaryDirectory("isolate-check-");
    const bytes = this.#host.readBytes(file, { limitBytes: FILE_BYTES, followLinks: false });
    const longer = new Uint8Array(bytes.length + TRAILING.length);
    longer.set(bytes);
    longer.set(TRAILING, bytes.length);
    const path = `${this.#host.realPath(this.#folder.path)}/${++this.#count}`;
    this.#host.write(path, longer);
    return path;
  }

  /** Removes them. */
  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]();
  }
}
