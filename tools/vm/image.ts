/** A guest's root: files of this machine, where they are here or elsewhere, and some of our own. */

import { dirname, resolve } from "node:path/posix";
import { archive, type ArchiveEntry } from "./cpio.ts";

/** Documentation, translations, and what compilers need for link-time optimisation and checkers. */
const LEFT_OUT = new RegExp([
  "^/usr/share/(doc|man|info|locale|lintian|bash-completion|bug)/",
  "/lto1$|lto-dump|/lib(asan|tsan|lsan|ubsan|gprofng)[.-]|/gprofng|-linux-gnu-(ld\\.gold|dwp)$",
  "/lib(m|mvec|m-[\\d.]+)\\.a$",
].join("|"));

/** Enough for any real chain; a symlink to itself would be followed for ever. */
const SYMLINK_DEPTH_MAX = 40;

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The files of a guest, by their absolute paths. */
export class Image {
  readonly #entries = new Map<string, ArchiveEntry>();

  /** Lists the paths in the order of the archive: each folder before what is in it. */
  paths(): string[] {
    return [...this.#entries.keys()];
  }

  /** Makes a folder, and those above it. */
  addDirectory(path: string, mode = 0o755): void {
    if (path === "/" || this.#entries.has(path)) return;
    this.addDirectory(dirname(path));
    this.#entries.set(path, { kind: "directory", mode });
  }

  /** Writes a file of our own. */
  addText(path: string, text: string, { mode = 0o644 }: { mode?: number } = {}): void {
    this.addBytes(path, new TextEncoder().encode(text), { mode });
  }

  /** Writes a file with any content. */
  addBytes(
    path: string,
    content: Uint8Array<ArrayBuffer>,
    { mode = 0o644 }: { mode?: number } = {},
  ): void {
    this.addDirectory(dirname(path));
    this.#entries.set(path, { kind: "file", mode, content });
  }

  /** Copies a file of this machine to another path, with the mode that it has here or a new one. */
  addFileAs(path: string, source: string, { mode }: { mode?: number } = {}): void {
    this.addDirectory(dirname(path));
    mode ??= (Deno.statSync(source).mode ?? 0o644) & 0o7777;
    this.#entries.set(path, { kind: "file", mode, content: source });
  }

  /** Makes a symlink. */
  addSymlink(path: string, target: string): void {
    this.addDirectory(dirname(path));
    this.#entries.set(path, { kind: "symlink", target });
  }

  /** Copies a folder of this machine, with its mode and all that is in it, to another path. */
  addFolderAs(path: string, source: string, { leftOut }: { leftOut?: RegExp } = {}): void {
    this.addDirectory(path, (Deno.statSync(source).mode ?? 0o755) & 0o7777);
    for (const { name, ...is } of Deno.readDirSync(source)) {
      const [to, from] = [`${path === "/" ? "" : path}/${name}`, `${source}/${name}`];
      if (leftOut?.test(to)) continue;
      if (is.isSymlink) this.addSymlink(to, Deno.readLinkSync(from));
      else if (is.isFile) this.addFileAs(to, from);
      else if (is.isDirectory) this.addFolderAs(to, from, leftOut ? { leftOut } : {});
    }
  }

  /**
   * Copies a path of this machine, with the symlinks on the way to it and what they lead to. Skips a
   * path that does not exist.
   */
  addHost(path: string): void {
    this.#addHost(path, 0);
  }

  #addHost(path: string, depth: number): string | undefined {
    if (path === "/") return "/";
    if (depth > SYMLINK_DEPTH_MAX) return undefined;
    const parent = this.#addHost(dirname(path), depth);
    if (parent === undefined) return undefined;
    const real = `${parent === "/" ? "" : parent}${path.slice(path.lastIndexOf("/"))}`;
    const info = lstat(real);
    if (info?.isSymlink) {
      const target = Deno.readLinkSync(real);
      this.#entries.set(real, { kind: "symlink", target });
      return this.#addHost(resolve(parent, target), depth + 1);
    }
    const mode = (info?.mode ?? 0) & 0o7777;
    if (info?.isFile) this.#entries.set(real, { kind: "file", mode, content: real });
    if (info?.isDirectory && !this.#entries.has(real)) {
      this.#entries.set(real, { kind: "directory", mode });
    }
    return info?.isFile || info?.isDirectory ? real : undefined;
  }

  /** Copies a list of paths, such as those of a package, without documentation. */
  addHostFiles(paths: readonly string[]): void {
    for (const path of paths) {
      if (!LEFT_OUT.test(path)) this.addHost(path);
    }
  }

  /** Writes the archive and returns its size in bytes. */
  async write(file: string): Promise<number> {
    using output = await Deno.open(file, { write: true, create: true, truncate: true });
    let size = 0;
    for (const piece of archive(this.#entries)) {
      size += piece.length;
      for (let at = 0; at < piece.length;) at += output.writeSync(piece.subarray(at));
    }
    return size;
  }
}
