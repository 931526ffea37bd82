/**
 * Keeps what became of jobs until somebody asks: for some time, and never more than a number of
 * records and bytes. Each record is written once and finished once, whoever tries again.
 */

import { DatabaseSync } from "node:sqlite";
import { ExpectedError } from "../../text/errors.ts";
import { STATEMENTS, type Statements, TABLE } from "./statements.ts";

/** What is kept of a job; its texts are what a dialect makes of them. */
export interface StoredResult {
  /** What the client asks for; nobody can guess it. */
  readonly id: string;
  /** The dialect; each sees only its own. */
  readonly kind: string;
  /** What the client wanted. */
  readonly request: string;
  /** Where the job is; of a finished one, what became of it. */
  readonly state: string;
  readonly createdAtMs: number;
  /** Undefined: not finished. */
  readonly finishedAtMs: number | undefined;
}

/** Where results are kept, and how many. */
export interface ResultStoreOptions {
  /** A file; undefined: in memory, until the server ends. */
  readonly file?: string | undefined;
  /** How long a finished one is kept. */
  readonly keptMs: number;
  readonly countMax: number;
  /** All texts together. */
  readonly bytesMax: number;
  /** Tells the time; default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** There is no room for another result: too many jobs are not finished. */
export class StoreFullError extends ExpectedError {
  /** Always `"StoreFullError"`. */
  override readonly name = "StoreFullError";
}

/** A page of a list. */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** Results in a database. */
export class ResultStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #options: ResultStoreOptions;
  readonly #now: () => number;
  #count: number;
  #bytes: number;

  /**
   * Opens or makes a store.
   *
   * @throws {ExpectedError} if the file cannot be used; the message says why
   */
  constructor(options: ResultStoreOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { file = ":memory:" } = options;
    try {
      this.#database = openDatabase(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ExpectedError(`Cannot keep results in ${file}: ${reason}`, { cause: error });
    }
    const prepared = Object.entries(STATEMENTS)
      .map(([name, text]) => [name, this.#database.prepare(text)]);
    this.#statements = Object.fromEntries(prepared);
    const sums = this.#statements.measure.get()!;
    [this.#count, this.#bytes] = [Number(sums.count), Number(sums.bytes)];
  }

  /**
   * Keeps a job that begins; one with this id that is there already stays as it is.
   *
   * @returns whether it was not there
   * @throws {StoreFullError} if there is no room, and nothing finished that could make some
   */
  add({ id, kind, request, state }: Pick<StoredResult, "id" | "kind" | "request" | "state">) {
    const sizeBytes = sizeOf(request, state);
    this.#makeRoom({ count: 1, bytes: sizeBytes });
    const { changes } = this.#statements.add.run(id, kind, request, state, sizeBytes, this.#now());
    if (changes === 0) return false;
    this.#count++;
    this.#bytes += sizeBytes;
    return true;
  }

  /** Notes where a job is that is not finished. */
  update(id: string, state: string): void {
    this.#change(id, state, undefined);
  }

  /** Notes what became of a job, once: returns whether it was not finished before. */
  finish(id: string, state: string): boolean {
    return this.#change(id, state, this.#now());
  }

  /** Finds a result; those that are too old are not there any more. */
  get(id: string, kind: string): StoredResult | undefined {
    const row = this.#statements.get.get(id, kind);
    const result = row && resultOf(row);
    return result && this.#isKept(result) ? result : undefined;
  }

  /** Lists results, the newest first. */
  list(kind: string, { offset, limit }: Page): StoredResult[] {
    this.#removeOld();
    return this.#statements.list.all(kind, limit, offset).map(resultOf);
  }

  /** Lists those that are not finished: when the server starts, nobody works on them. */
  unfinished(kind: string): StoredResult[] {
    return this.#statements.unfinished.all(kind).map(resultOf);
  }

  /** Counts the results of a dialect. */
  count(kind: string): number {
    this.#removeOld();
    return Number(this.#statements.count.get(kind)!.count);
  }

  /** Forgets a result; tells whether it was there. */
  remove(id: string): boolean {
    return this.#removed(this.#statements.remove.all(id)) > 0;
  }

  /** Closes the file. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #change(id: string, state: string, finishedAtMs: number | undefined): boolean {
    const row = this.#statements.size.get(id);
    if (!row) return false;
    const sizeBytes = Number(row.requestBytes) + sizeOf(state);
    const { changes } = this.#statements.change.run(state, sizeBytes, finishedAtMs ?? null, id);
    if (changes === 0) return false;
    this.#bytes += sizeBytes - Number(row.sizeBytes);
    // The newest one stays, even if it is too large: somebody waits for it.
    while (this.#bytes > this.#options.bytesMax && this.#removeOldest(id)) { /* one at a time */ }
    return true;
  }

  #makeRoom(more: { count: number; bytes: number }): void {
    this.#removeOld();
    const { countMax, bytesMax } = this.#options;
    const isFull = () => this.#count + more.count > countMax || this.#bytes + more.bytes > bytesMax;
    while (isFull()) {
      if (this.#removeOldest("")) continue;
      throw new StoreFullError("Too many results wait to be finished: try again later");
    }
  }

  #isKept({ finishedAtMs }: StoredResult): boolean {
    return finishedAtMs === undefined || finishedAtMs + this.#options.keptMs > this.#now();
  }

  #removeOld(): void {
    this.#removed(this.#statements.removeOld.all(this.#now() - this.#options.keptMs));
  }

  #removeOldest(exceptId: string): boolean {
    return this.#removed(this.#statements.removeOldest.all(exceptId)) > 0;
  }

  #removed(rows: readonly Row[]): number {
    this.#count -= rows.length;
    this.#bytes -= rows.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0);
    return rows.length;
  }
}

type Row = Readonly<Record<string, unknown>>;

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  // A lost result after a power failure is better than a slow server; after a crash none is lost.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec(TABLE);
  return database;
}

function resultOf(row: Row): StoredResult {
  return {
    id: String(row.id),
    kind: String(row.kind),
    request: String(row.request),
    state: String(row.state),
    createdAtMs: Number(row.createdAtMs),
    finishedAtMs: row.finishedAtMs === null ? undefined : Number(row.finishedAtMs),
  };
}

const ENCODER = new TextEncoder();

function sizeOf(...texts: string[]): number {
  return texts.reduce((sum, text) => sum + ENCODER.encode(text).length, 0);
}
