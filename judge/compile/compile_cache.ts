/**
 * Keeps compiled programs by the content that they were made from.
 *
 * Each entry is a folder with the program's files and a record of them. An entry appears whole, by a
 * rename, and is used only if its files match its record: neither a crash, nor another judge at work,
 * nor foreign files in the place of ours can make a wrong program.
 */

import { type HostFiles, SandboxError, type TemporaryDirectory } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { type BoxTreeFile, filesOfBox } from "./box_tree.ts";

const FORMAT = 1;
const OPEN_TO_OTHERS = 0o077;
const RECORD_BYTES = 4 << 20;
const RECORD = "record.json";
const FILES = "files";
/** How the names of unfinished entries begin; a killed judge leaves one. */
const TEMPORARY = "new-";
const HOUR_MS = 3_600_000;
/** How long a used entry stays at least: a judge may still run it. */
const KEPT_MS = 6 * HOUR_MS;
const LIMIT_BYTES = 1 << 30;
const BLOCK_BYTES = 4096;
/** The digest of no files. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A program that is kept. */
export interface Kept {
  /** The directory of the host with its files. */
  readonly directory: string;
  readonly note: unknown;
  /** Says that nobody uses it any more; only then can it be removed. Undefined: it stays for hours. */
  readonly release: (() => void) | undefined;
}

/** An entry of a temporary directory, in which nobody else changes anything. */
interface OwnEntry {
  readonly entry: string;
  readonly note: unknown;
  readonly sizeBytes: number;
  users: number;
}

/** The record of an entry. */
interface Record {
  readonly format: number;
  readonly key: string;
  readonly note: unknown;
  readonly files: readonly BoxTreeFile[];
  /** Covers the names, modes and bytes of all files. */
  readonly sha256: string;
}

/** How programs are kept. */
export interface CompileCacheOptions {
  /** Where; undefined: in a temporary directory, until {@linkcode CompileCache.close}. */
  readonly directory?: string | undefined;
  /** The size beyond which the least recently used entries are removed. Default: 1 GiB. */
  readonly limitBytes?: number | undefined;
}

/** Keeps compiled programs. */
export class CompileCache {
  readonly #host: HostFiles;
  readonly #given: string | undefined;
  readonly #limitBytes: number;
  #directory: string | undefined;
  #temporary: TemporaryDirectory | undefined;
  #hasStored = false;
  /** All entries of a temporary directory, the least recently used first. */
  readonly #own = new Map<string, OwnEntry>();

  /** Makes a cache; nothing is touched before it is used. */
  constructor(host: HostFiles, options: CompileCacheOptions = {}) {
    this.#host = host;
    this.#given = options.directory;
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES;
  }

  /** Whether it keeps anything beyond {@linkcode CompileCache.close}. */
  get isLasting(): boolean {
    return this.#given !== undefined;
  }

  /** Finds a program. */
  async find(key: string): Promise<Kept | undefined> {
    if (this.#given === undefined) return this.#use(key);
    const entry = `${this.#open()}/${key}`;
    const status = this.#host.status(entry);
    if (status === undefined) return undefined;
    const record = this.#readRecord(entry, key);
    const isWhole = record !== undefined &&
      await this.#digest(`${entry}/${FILES}`, record.files).catch(() => "") === record.sha256;
    if (!isWhole) {
      this.#host.removeTree(entry);
      return undefined;
    }
    // A new file makes the folder's time of change the time of its last use.
    if (Date.now() - status.modifiedAtMs > HOUR_MS) this.#host.write(`${entry}/used`, "");
    return { directory: `${entry}/${FILES}`, note: record.note, release: undefined };
  }

  /** Takes an entry of a temporary directory. */
  #use(key: string): Kept | undefined {
    const own = this.#own.get(key);
    if (!own) return undefined;
    this.#own.delete(key);
    this.#own.set(key, own);
    own.users++;
    let isUsed = true;
    const release = () => {
      if (isUsed) own.users--;
      isUsed = false;
      this.#trim();
    };
    return { directory: `${own.entry}/${FILES}`, note: own.note, release };
  }

  /** Removes what is too much in a temporary directory, unless it is used. */
  #trim(): void {
    let total = 0;
    for (const { sizeBytes } of this.#own.values()) total += sizeBytes;
    for (const [key, { entry, sizeBytes, users }] of this.#own) {
      if (total <= this.#limitBytes) break;
      if (users > 0) continue;
      this.#own.delete(key);
      this.#host.removeTree(entry);
      total -= sizeBytes;
    }
  }

  /** Keeps the regular files of a box. If another judge was faster, its entry is taken. */
  async store(key: string, { box, note }: { box: JudgeBox; note: unknown }): Promise<Kept> {
    const directory = this.#open();
    const files = await filesOfBox(box.files);
    const temporary = `${directory}/${TEMPORARY}${crypto.randomUUID()}`;
    try {
      const folders = new Set(files.flatMap(({ name }) => foldersOf(name)));
      const below = ["", ...[...folders].sort().map((folder) => `/${folder}`)];
      for (const path of [temporary, ...below.map((folder) => `${temporary}/${FILES}${folder}`)]) {
        // Boxes see them as other users: with these permissions whatever the umask is.
        this.#host.makeDirectory(path, 0o755);
      }
      await box.files.copyOut(files.map(({ name, sizeBytes, mode }) => ({
        path: name,
        hostFile: `${temporary}/${FILES}/${name}`,
        limitBytes: sizeBytes,
        mode,
      })));
      const sha256 = await this.#digest(`${temporary}/${FILES}`, files);
      const record: Record = { format: FORMAT, key, note, files, sha256 };
      this.#host.write(`${temporary}/${RECORD}`, JSON.stringify(record));
      const entry = `${directory}/${key}`;
      const isFirst = this.#host.rename(temporary, entry);
      this.#hasStored = true;
      if (isFirst && this.#given !== undefined) {
        return { directory: `${entry}/${FILES}`, note, release: undefined };
      }
      if (isFirst) {
        const sizeBytes = files.reduce((sum, file) => sum + diskBytes(file), 0);
        this.#own.set(key, { entry, note, sizeBytes, users: 0 });
      }
      if (!isFirst) this.#host.removeTree(temporary);
      const found = await this.find(key);
      if (found !== undefined) return found;
    } catch (error) {
      this.#host.removeTree(temporary);
      throw error;
    }
    // The other entry was not whole, and has been removed.
    return await this.store(key, { box, note });
  }

  /** Finds what was noted without any files; undefined where nothing is kept for long. */
  async recall(key: string): Promise<unknown> {
    return this.#given === undefined ? undefined : (await this.find(key))?.note;
  }

  /** Notes something without any files. */
  remember(key: string, note: unknown): void {
    if (this.#given === undefined) return;
    const directory = this.#open();
    const temporary = `${directory}/${TEMPORARY}${crypto.randomUUID()}`;
    for (const path of [temporary, `${temporary}/${FILES}`]) this.#host.makeDirectory(path, 0o755);
    const record: Record = { format: FORMAT, key, note, files: [], sha256: EMPTY_SHA256 };
    this.#host.write(`${temporary}/${RECORD}`, JSON.stringify(record));
    this.#hasStored = true;
    if (!this.#host.rename(temporary, `${directory}/${key}`)) this.#host.removeTree(temporary);
  }

  /** Removes the temporary directory, or what is too much in a lasting one. */
  close(): void {
    const directory = this.#directory;
    this.#directory = undefined;
    this.#own.clear();
    if (directory === undefined) return;
    if (this.#given === undefined) this.#temporary?.[Symbol.dispose]();
    else if (this.#hasStored) this.#prune(directory);
  }

  #open(): string {
    if (this.#directory !== undefined) return this.#directory;
    if (this.#given === undefined) {
      this.#temporary = this.#host.temporaryDirectory("isolate-programs-");
      return this.#directory = this.#temporary.path;
    }
    this.#host.makeDirectory(this.#given, 0o700);
    // The owner of a link to it cannot lead us elsewhere later.
    const directory = this.#host.realPath(this.#given);
    const { uid, mode } = this.#host.status(directory)!;
    // Programs from here are run without being compiled again.
    if (uid !== this.#host.callerUid || (mode & OPEN_TO_OTHERS) !== 0) {
      throw new SandboxError(
        "hostile-path",
        `The directory ${directory} for compiled programs must belong to user ` +
          `${this.#host.callerUid} alone, with mode 700: it belongs to user ${uid} and ` +
          `has mode ${(mode & 0o7777).toString(8)}`,
      );
    }
    return this.#directory = directory;
  }

  #readRecord(entry: string, key: string): Record | undefined {
    try {
      const text = this.#host.readText(`${entry}/${RECORD}`, { limitBytes: RECORD_BYTES });
      const record = JSON.parse(text);
      return record.format === FORMAT && record.key === key ? record : undefined;
    } catch {
      return undefined;
    }
  }

  async #digest(directory: string, files: readonly BoxTreeFile[]): Promise<string> {
    const digests: string[] = [];
    for (const { name, sizeBytes, mode } of files) {
      const bytes = this.#host.readBytes(`${directory}/${name}`, { limitBytes: sizeBytes });
      digests.push(JSON.stringify([name, mode, await sha256(bytes)]));
    }
    return await sha256(new TextEncoder().encode(digests.join("\n")));
  }

  #prune(directory: string): void {
    const now = Date.now();
    const entries = this.#host.list(directory)
      .filter(({ kind, name }) => kind === "directory" && /^(new-|[0-9a-f]{64}$)/.test(name))
      .map((entry) => ({ ...entry, sizeBytes: this.#sizeOf(`${directory}/${entry.name}`) }))
      .sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
    let total = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const { name, sizeBytes, modifiedAtMs } of entries) {
      if (now - modifiedAtMs < KEPT_MS) break;
      if (total <= this.#limitBytes && !name.startsWith(TEMPORARY)) continue;
      this.#host.removeTree(`${directory}/${name}`);
      total -= sizeBytes;
    }
  }

  #sizeOf(entry: string): number {
    const key = entry.slice(entry.lastIndexOf("/") + 1);
    const files = this.#readRecord(entry, key)?.files ?? [];
    return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}

/** Estimates what a file takes on the disk: many small ones count, too. */
function diskBytes({ sizeBytes }: BoxTreeFile): number {
  return sizeBytes + BLOCK_BYTES;
}

/** Lists the folders above a file: `a` and `a/b` for `a/b/c`. */
function foldersOf(name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** Computes the SHA-256 of bytes in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
