/**
 * The files of a box: written, listed, read, copied out.
 *
 * A program may have planted everything in `box/`. So no link is followed, no mount entered, nothing
 * but regular files is read, and never more than was asked for. Paths are relative to `box/`; bytes
 * that are not UTF-8 are lone surrogates, as `encodeOsString()` writes them.
 *
 * The readers and writers are loaded when they are first used: most commands need none of them.
 */

import { translated } from "../../host/errors.ts";
import type { ReadOptions } from "../../host/reader.ts";
import type {
  CopiedFile,
  CopyItem,
  FileAccess,
  FileContent,
  FileEntry,
  WriteOptions,
} from "./file_types.ts";

/**
 * The files of a box; see {@linkcode Box.files}. While a program runs in the box its files can be listed
 * and read, which is as safe as ever, but not changed: `box/` belongs to the program then.
 *
 * @example
 * ```ts
 * import { Box } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 930 });
 * await box.files.write("double.sh", "#!/bin/sh\nread n; echo $((n + n)) > out\n", { mode: 0o755 });
 * await box.files.write("in", "21\n");
 * await box.run(["/box/double.sh"], { stdin: { path: "in" } });
 * assertEquals(await box.files.readText("out", { limitBytes: 100 }), "42\n");
 * ```
 */
export class BoxFiles {
  readonly #access: FileAccess;

  /**
   * Reaches the files; {@linkcode Box.files} does.
   *
   * @param access the box
   */
  constructor(access: FileAccess) {
    this.#access = access;
  }

  /**
   * Writes a file, in place of whatever is there except a directory. Missing directories are made. The
   * file is a new one that appears when it is complete; if anything fails the old one stays. When this
   * returns the file can be executed: nobody has it open for writing any more, not even a child that is
   * just being started elsewhere in this process.
   *
   * @param path where, relative to `box/`
   * @param content what; a file of the host is opened with the caller's rights, and must not be a
   *   symbolic link
   * @param options its mode, and the most it may have
   * @throws {SandboxError} `hostile-path` if a link or a directory is in the way, `too-large`,
   *   `box-in-use` while a program runs, `system` for example if the disk is full
   * @throws {RangeError} if an option is out of range
   *
   * @example A program that runs at once
   * ```ts
   * import { Box } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * await using box = await Box.init({ boxId: 930 });
   * await box.files.write("bin/program", { hostFile: "/bin/true" }, { mode: 0o755 });
   * assertEquals((await box.run(["/box/bin/program"])).kind, "exit");
   * ```
   */
  write(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    return translated(async () => {
      try {
        await this.#change(async () => {
          const { writeFile } = await import("./file_writer.ts");
          await writeFile(this.#access, path, { content, ...options });
        });
      } catch (error) {
        // The rest is not read.
        if (content instanceof ReadableStream) await content.cancel(error).catch(() => {});
        throw error;
      }
    });
  }

  /**
   * Makes a directory, and those above it that are missing; one that exists stays as it is.
   *
   * @param path where, relative to `box/`
   * @throws {SandboxError} `hostile-path` if something else is in the way, `box-in-use` while a program
   *   runs
   */
  makeDirectory(path: string): Promise<void> {
    return translated(() =>
      this.#change(async () => {
        const { makeDirectory } = await import("./file_writer.ts");
        makeDirectory(this.#access, path);
      })
    );
  }

  /**
   * Reads a regular file.
   *
   * @param path where, relative to `box/`
   * @param options the most that is read, whatever size the file claims to have
   * @returns its bytes
   * @throws {SandboxError} `no-file`, `too-large`, or `hostile-path` if it is not a regular file, or only
   *   a link leads to it
   */
  read(path: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    return translated(async () => {
      const { readFile } = await import("./file_reader.ts");
      return await readFile(this.#access, path, options);
    });
  }

  /**
   * Reads a regular file as text.
   *
   * @param path where, relative to `box/`
   * @param options the most it may have
   * @returns its text; bytes that are not UTF-8 have become replacement characters
   * @throws {SandboxError} as {@linkcode BoxFiles.read}
   */
  async readText(path: string, options: ReadOptions): Promise<string> {
    const bytes = await this.read(path, options);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  /**
   * Lists a directory.
   *
   * @param path which, relative to `box/`; default: `box/` itself
   * @param options the most entries that it may have; default: 100,000
   * @returns its entries, sorted by name
   * @throws {SandboxError} `no-file`, `too-large`, or `hostile-path` if it is not a directory
   */
  list(path = ".", options: { limitEntries?: number } = {}): Promise<FileEntry[]> {
    return translated(async () => {
      const { listBox } = await import("./file_reader.ts");
      return listBox(this.#access, path, options);
    });
  }

  /**
   * Copies files out of the box, one after the other. On the host they are written with the caller's
   * rights: a new file appears, complete, in place of the old one.
   *
   * @param items which files, and where to
   * @returns what became of each, in order
   * @throws {SandboxError} `no-file`, `too-large` or `hostile-path` for one that is not optional, `system`
   *   if a file of the host cannot be written; the items before it have been copied
   * @throws {RangeError} if an option is out of range
   *
   * @example
   * ```ts
   * import { Box } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * const folder = await Deno.makeTempDir();
   * await using box = await Box.init({ boxId: 930 });
   * await box.run(["/bin/sh", "-c", "echo 42 > out; ln -s /etc/passwd report"], {
   *   limits: { processes: 2 },
   *   keepSpecialFiles: true,
   * });
   * const copied = await box.files.copyOut([
   *   { path: "out", hostFile: `${folder}/out` },
   *   { path: "log", hostFile: `${folder}/log`, optional: true },
   *   { path: "report", hostFile: `${folder}/report`, optional: true },
   * ]);
   * assertEquals(copied.map((file) => file.omitted), [undefined, "no-file", "hostile-path"]);
   * assertEquals(await Deno.readTextFile(`${folder}/out`), "42\n");
   * await Deno.remove(folder, { recursive: true });
   * ```
   */
  copyOut(items: readonly CopyItem[]): Promise<CopiedFile[]> {
    return translated(async () => {
      const { copyOut } = await import("./file_reader.ts");
      return await copyOut(this.#access, items);
    });
  }

  /** Keeps programs out of the box from now on until `work` is done. */
  async #change(work: () => Promise<void>): Promise<void> {
    const end = this.#access.beginChange();
    try {
      await work();
    } finally {
      end();
    }
  }
}
