/**
 * Which boxes the judges of one user have: their own word among themselves, as the service locks a box only
 * for as long as it works on it. The kernel frees what a judge that died had.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { planStatus, readStatus } from "../../host/status.ts";

const DIRECTORY = "/tmp/isolate-boxes-";
/** Written while the box is ours, so that after a crash nobody takes it for one that somebody made. */
const MARK = 0x31;

/** The lock on one box. */
export class LeaseLock {
  readonly #system: System;
  readonly #fd: number;
  /** Whether a judge that died has left the box. */
  readonly wasLeft: boolean;

  private constructor(system: System, { fd, wasLeft }: { fd: number; wasLeft: boolean }) {
    this.#system = system;
    this.#fd = fd;
    this.wasLeft = wasLeft;
  }

  /** Takes the lock if nobody has it. */
  static take(system: System, { uid, boxId }: { uid: number; boxId: number }) {
    const path = `${DIRECTORY}${uid}`;
    const plan = new Plan();
    const [directory, fd, locked] = ["directory", "lock", "locked"].map((name) => plan.slot(name));
    const length = plan.slot("length");
    const flags = linux.O_DIRECTORY | linux.O_NOFOLLOW | linux.O_CLOEXEC;
    plan.step("mkdirat", [linux.AT_FDCWD, plan.string(path), 0o700], { ignore: "all" });
    plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0], {
      into: directory!,
      what: `open ${path}, where your judges tell each other which boxes they have`,
    });
    const status = planStatus(plan, directory!);
    const open = linux.O_RDWR | linux.O_CREAT | linux.O_NOFOLLOW | linux.O_CLOEXEC;
    plan.step("openat", [directory!, plan.string(`${boxId}`), open, 0o600], { into: fd! });
    plan.step("flock", [fd!, linux.LOCK_EX | linux.LOCK_NB], { into: locked!, ignore: "all" });
    plan.step("pread64", [fd!, plan.alloc(8), 8, 0], { into: length });
    plan.step("close", [directory!], { always: true, ignore: "all" });
    const failure = system.attempt(plan, "take a box");
    const owner = plan.result(directory!) < 0 ? undefined : readStatus(plan.view(status));
    const isOurs = owner?.uid === uid && (owner.mode & 0o022) === 0;
    if (!failure && isOurs && plan.result(locked!) === 0) {
      return new LeaseLock(system, { fd: plan.result(fd!), wasLeft: plan.result(length) > 0 });
    }
    system.close(plan.result(fd!));
    if (owner && !isOurs) {
      throw new SandboxError(
        "hostile-path",
        `${path} must belong to user ${uid} and not be writable by others`,
      );
    }
    if (failure) throw failure;
    return undefined;
  }

  /** Says that the box is ours. */
  mark(): void {
    const plan = new Plan();
    plan.step("pwrite64", [this.#fd, plan.bytes(new Uint8Array([MARK])), 1, 0]);
    this.#system.run(plan, "take a box");
  }

  /** Says that it is not, or, if somebody is to look into it, that it is nobody's of ours. */
  release(): void {
    const plan = new Plan();
    plan.step("ftruncate", [this.#fd, 0], { ignore: "all" });
    // A client that is just being started has a copy of the descriptor.
    plan.step("flock", [this.#fd, linux.LOCK_UN], { ignore: "all" });
    plan.step("close", [this.#fd], { ignore: "all" });
    this.#system.run(plan, "give a box back");
  }

  /** Leaves the mark: the box could not be removed. */
  abandon(): void {
    this.#system.close(this.#fd);
  }
}
