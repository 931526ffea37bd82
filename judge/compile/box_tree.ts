/**
 * Lists the files that a compiler has left in its box. They are hostile: only regular files count, and
 * their number, size and depth are limited.
 */

import { type BoxFiles, SandboxError } from "../../mod.ts";

const ENTRIES_MAX = 20_000;
const DEPTH_MAX = 32;
const EXECUTABLE = 0o111;
const LOOK_EVERY_MS = 200;

/** The largest size of all files of a compiled program together. */
export const PROGRAM_BYTES_MAX: number = 512 << 20;

/** A regular file in a box. */
export interface BoxTreeFile {
  /** Its path in the box. */
  readonly name: string;
  readonly sizeBytes: number;
  /** 0755 if anybody could execute it, otherwise 0644. */
  readonly mode: number;
}

/** Lists all regular files of a box. */
export async function filesOfBox(files: BoxFiles): Promise<BoxTreeFile[]> {
  const found: BoxTreeFile[] = [];
  const folders = ["."];
  let total = 0;
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const listed = await files.list(folder, { limitEntries: ENTRIES_MAX });
    entries += listed.length;
    for (const { name, kind, sizeBytes, mode } of listed) {
      const path = folder === "." ? name : `${folder}/${name}`;
      if (kind === "directory") folders.push(path);
      if (kind !== "file") continue;
      found.push({ name: path, sizeBytes, mode: mode & EXECUTABLE ? 0o755 : 0o644 });
      total += sizeBytes;
    }
    if (entries > ENTRIES_MAX) throw tooMuch(`more than ${ENTRIES_MAX} files`);
    if (total > PROGRAM_BYTES_MAX) throw tooMuch(`more than ${PROGRAM_BYTES_MAX >> 20} MiB`);
    if (folders.some((path) => path.split("/").length > DEPTH_MAX)) {
      throw tooMuch(`folders more than ${DEPTH_MAX} deep`);
    }
  }
  return found.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** Watches what a program writes to its box while it runs: a limit on each file is none on their sum. */
export class TreeWatch implements AsyncDisposable {
  readonly #tooLarge = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #looking = Promise.resolve();

  /** Begins to watch. */
  constructor(files: BoxFiles) {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(async () => {
        if (await treeIsTooLarge(files)) this.#tooLarge.abort();
      });
    }, LOOK_EVERY_MS);
  }

  /** Is aborted when there is too much. */
  get signal(): AbortSignal {
    return this.#tooLarge.signal;
  }

  /** Whether there was too much. */
  get isTooLarge(): boolean {
    return this.#tooLarge.signal.aborted;
  }

  /** Ends watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}

async function treeIsTooLarge(files: BoxFiles): Promise<boolean> {
  try {
    await filesOfBox(files);
    return false;
  } catch (error) {
    return error instanceof SandboxError && error.kind === "too-large";
  }
}

function tooMuch(what: string): SandboxError {
  return new SandboxError("too-large", `The compiler has made ${what}`);
}
