/**
 * The lock file of a box, `LOCK_ROOT/ID`: who may work on the box, and in which state it is.
 *
 * It is never unlinked, and locked with flock(2) for as long as a command works on the box. It holds four little-endian words: a magic number, the owner's uid, flags, and
 * the owner's gid. An empty file is a free box.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { Routine } from "../../ffi/routine.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Waiter } from "../keep/waiter.ts";
import { lockHolder } from "./lock_holder.ts";

const MAGIC = 0x6b6c7369;
const RECORD_BYTES = 16;
const FLAG = { initialised: 1, controlGroup: 2, quota: 4, ownFileSystem: 8, pooled: 16 } as const;
const FLAG_NAMES = Object.keys(FLAG) as (keyof typeof FLAG)[];

type BoxFlags = Record<keyof typeof FLAG, boolean>;

/** What a lock file says about its box. */
export interface BoxRecord extends BoxFlags {
  ownerUid: number;
  ownerGid: number;
  /** Whether its initialisation was completed. */
  initialised: boolean;
  controlGroup: boolean;
  /** Whether its user has a disk quota. */
  quota: boolean;
  /** Whether `box/` is a file system of its own. */
  ownFileSystem: boolean;
  /**
   * Whether a pool has made it and nobody has decided to keep it. A pool holds the lock for as long
   * as it uses the box: when the box is not locked its pool is dead, and anybody may take it.
   */
  pooled: boolean;
}

/** How to take a lock. */
export interface LockOptions {
  lockRoot: string;
  boxId: number;
  /** Make the lock file if it is missing. */
  create: boolean;
  /** Wait with this for a box that is in use. */
  waiter?: Waiter | undefined;
  /** Gives up waiting. */
  abort?: AbortSignal | undefined;
}

/** Reads what a lock file says. */
export function parseBoxRecord(bytes: Uint8Array): BoxRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < RECORD_BYTES || view.getUint32(0, true) !== MAGIC) return undefined;
  const flags = view.getUint32(8, true);
  const set = FLAG_NAMES.map((name) => [name, (flags & FLAG[name]) !== 0]);
  const [ownerUid, ownerGid] = [view.getUint32(4, true), view.getUint32(12, true)];
  return { ownerUid, ownerGid, ...Object.fromEntries(set) as BoxFlags };
}

/** The lock of a box, held until {@linkcode BoxLock.release}. */
export class BoxLock {
  readonly #system: System;
  readonly #fd: number;
  #record: BoxRecord | undefined;

  private constructor(system: System, fd: number) {
    this.#system = system;
    this.#fd = fd;
  }

  /** Locks a box. */
  static async take(system: System, options: LockOptions): Promise<BoxLock | undefined> {
    const { lockRoot, boxId, create, waiter, abort } = options;
    const path = `${lockRoot}/${boxId}`;
    const fd = openLockFile(system, path, { create });
    if (fd === undefined) return undefined;
    const lock = new BoxLock(system, fd);
    try {
      for (let pauseMs = 2; !lock.#tryLock(); pauseMs = Math.min(2 * pauseMs, 50)) {
        if (!waiter) {
          throw inUse(boxId, lockHolder(system, lock.#fd));
        }
        abort?.throwIfAborted();
        await waiter.sleep(pauseMs);
      }
    } catch (error) {
      lock.release();
      throw error;
    }
    return lock;
  }

  #tryLock(): boolean {
    const { plan, parts: { record, length }, failure } = LOCK.attempt(this.#system, this.#fd);
    if (failure?.errno === ERRNO.EAGAIN) return false;
    if (failure) throw failure;
    this.#record = parseBoxRecord(plan.content(record, Math.max(0, plan.result(length))));
    return true;
  }

  /** Says what the file says; while it is locked only we write it. */
  read(): BoxRecord | undefined {
    return this.#record;
  }

  /** Writes the record. */
  write(record: BoxRecord): void {
    const { ownerUid, ownerGid, ...set } = record;
    const flags = FLAG_NAMES.reduce((sum, name) => set[name] ? sum | FLAG[name] : sum, 0);
    const plan = new Plan();
    const words = plan.struct([MAGIC, ownerUid, flags, ownerGid]);
    const what = "write the lock file";
    plan.step("pwrite64", [this.#fd, words, RECORD_BYTES, 0], { what });
    this.#system.run(plan, what);
    this.#record = record;
  }

  /** Empties the file: the box is free. */
  clear(): void {
    CLEAR.run(this.#system, this.#fd);
    this.#record = undefined;
  }

  /** Unlocks the box. */
  release(): void {
    RELEASE.run(this.#system, this.#fd);
  }
}

const LOCK = new Routine("lock the box", ["lock"], (plan, fd) => {
  const [record, length] = [plan.alloc(RECORD_BYTES), plan.slot("length")];
  plan.step("flock", [fd!, linux.LOCK_EX | linux.LOCK_NB], { what: "lock the lock file" });
  plan.step("pread64", [fd!, record, RECORD_BYTES, 0], {
    into: length,
    what: "read the lock file",
  });
  return { record, length };
});

const CLEAR = new Routine("empty the lock file", ["lock"], (plan, fd) => {
  plan.step("ftruncate", [fd!, 0], { what: "empty the lock file" });
});

const RELEASE = new Routine("unlock the box", ["lock"], (plan, fd) => {
  // A child that is just being started has a copy of the descriptor until it executes its program, and
  // with that the lock.
  plan.step("flock", [fd!, linux.LOCK_UN], { ignore: "all" });
  plan.step("close", [fd!], { ignore: "all" });
});

function inUse(boxId: number, pid: number | undefined): SandboxError {
  const who = `(box ${boxId}${pid === undefined ? "" : `, process ${pid}`})`;
  return new SandboxError("box-in-use", `This box is currently in use by another process ${who}`);
}

/** Opens a lock file; undefined: it is not there and was not to be made. */
export function openLockFile(
  system: System,
  path: string,
  { create }: { create: boolean },
): number | undefined {
  const found = openKnown(system, path, { create });
  if (found !== undefined) return found;
  // A failure is told with the path, and a long path has no place there.
  const plan = new Plan();
  const fd = plan.slot("lock");
  const flags = linux.O_RDWR | linux.O_CLOEXEC | linux.O_NOFOLLOW | (create ? linux.O_CREAT : 0);
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0o600], {
    into: fd,
    what: `open the lock file ${path}`,
  });
  const failure = system.attempt(plan, "open the lock file");
  if (failure?.errno === ERRNO.ENOENT && !create) return undefined;
  if (failure) throw failure;
  return plan.result(fd);
}

/** Longer paths are rare. */
const PATH_BYTES = 128;
const encoder = new TextEncoder();

const opening = (create: boolean) =>
  new Routine("open the lock file", [], (plan) => {
    const [fd, file] = [plan.slot("lock"), plan.alloc(PATH_BYTES)];
    const flags = linux.O_RDWR | linux.O_CLOEXEC | linux.O_NOFOLLOW | (create ? linux.O_CREAT : 0);
    plan.step("openat", [linux.AT_FDCWD, file, flags, 0o600], { into: fd });
    return { fd, file };
  });

const OPEN = { orMake: opening(true), known: opening(false) };

function openKnown(
  system: System,
  path: string,
  { create }: { create: boolean },
): number | undefined {
  const bytes = encoder.encode(`${path}\0`);
  if (bytes.length > PATH_BYTES || system.trace) return undefined;
  const open = create ? OPEN.orMake : OPEN.known;
  const { plan, parts, failure } = open.attemptWith(system, [], (plan, { file }) => {
    plan.content(file).set(bytes);
  });
  return failure ? undefined : plan.result(parts.fd);
}
