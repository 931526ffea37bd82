/**
 * Directories that serve one lease of a box after another. Their owner could have given them more than
 * files: modes, access lists, attributes, flags, times, a generation; and a directory remembers how large
 * it was. What can be set back is set back, and where anything else differs from a new directory it is
 * not used again.
 */

import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import type { Identity } from "../../host/identity.ts";
import { readDirectory } from "../../host/list.ts";
import { planStatus, readStatus } from "../../host/status.ts";

/**
 * On these file systems an empty directory is like another one. On others, such as tmpfs and btrfs, it
 * goes on numbering its entries where it was (`d_off` of getdents64(2)), which tells how many there were.
 */
const FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext4
  0x58465342, // xfs
]);
const STATFS_BYTES = 120;
/** `struct fsxattr`: flags, a hint of sizes, extents, project. Extents are those of the content. */
const FSXATTR_BYTES = 28;
const PROJECT_AT = 12;
/** A name that no user of a box can have made beside `box/`. */
const SAMPLE = "new";

/** What a directory shows besides its entries; without it nothing is known. */
interface Traces {
  readonly status: Data;
  readonly fileSystem: Data;
  readonly attributes: Slot;
  readonly flags: Data;
  readonly more: Data;
}

/** Knows what a new directory is like. */
export class Newness {
  readonly #system: System;
  /** What a new one shows; empty: none can serve again. */
  #expected: string | undefined;

  /** Knows nothing yet. */
  constructor(system: System) {
    this.#system = system;
  }

  /** Makes an open directory like a new one of this owner; false if it has to be replaced. */
  restore(fd: number, { outer, owner }: { outer: number; owner: Identity }): boolean {
    this.#expected ??= this.#lookAtNew(outer) ?? "";
    if (this.#expected === "") return false;
    const look = new Plan();
    const traces = planTraces(look, fd);
    const listing = look.slot("listing");
    const flags = linux.O_DIRECTORY | linux.O_CLOEXEC;
    look.step("openat", [fd, look.string("."), flags, 0], { into: listing });
    const failure = this.#system.attempt(look, "look at an emptied directory");
    try {
      if (failure) return false;
      for (const entries of readDirectory(this.#system, look.result(listing))) {
        if (entries.length > 0) return false;
      }
    } finally {
      this.#system.close(look.result(listing));
    }
    if (describe(look, traces) !== this.#expected) return false;
    const plan = new Plan();
    const generation = plan.bytes(crypto.getRandomValues(new Uint8Array(8)));
    plan.step("fchmod", [fd, 0o700]);
    plan.step("fchownat", [fd, plan.string(""), owner.uid, owner.gid, linux.AT_EMPTY_PATH]);
    // Not every file system has one; there its owner cannot set it either.
    plan.step("ioctl", [fd, linux.FS_IOC_SETVERSION, generation], { ignore: "all" });
    plan.step("utimensat", [fd, 0, 0, 0]);
    this.#system.run(plan, "make a directory like a new one");
    return true;
  }

  #lookAtNew(outer: number): string | undefined {
    const plan = new Plan();
    const fd = plan.slot("new directory");
    const name = plan.string(SAMPLE);
    // One that a process which died has left.
    plan.step("unlinkat", [outer, name, linux.AT_REMOVEDIR], { ignore: "all" });
    plan.step("mkdirat", [outer, name, 0o700]);
    const flags = linux.O_DIRECTORY | linux.O_NOFOLLOW | linux.O_CLOEXEC;
    plan.step("openat", [outer, name, flags, 0], { into: fd });
    const traces = planTraces(plan, fd);
    plan.step("close", [fd], { always: true, ignore: "all" });
    plan.step("unlinkat", [outer, name, linux.AT_REMOVEDIR], { always: true, ignore: "all" });
    const failure = this.#system.attempt(plan, "look at a new directory");
    return failure ? undefined : describe(plan, traces);
  }
}

function planTraces(plan: Plan, fd: number | Slot): Traces {
  const status = planStatus(plan, fd);
  const fileSystem = plan.alloc(STATFS_BYTES);
  plan.step("fstatfs", [fd, fileSystem]);
  const attributes = plan.slot("length of the names of attributes");
  plan.step("flistxattr", [fd, plan.alloc(8), 0], { into: attributes, ignore: "all" });
  const [flags, more] = [plan.alloc(8), plan.alloc(FSXATTR_BYTES)];
  plan.step("ioctl", [fd, linux.FS_IOC_GETFLAGS, flags]);
  plan.step("ioctl", [fd, linux.FS_IOC_FSGETXATTR, more]);
  return { status, fileSystem, attributes, flags, more };
}

/** Says all that must be the same; undefined if the directory cannot serve again whatever it is like. */
function describe(
  plan: Plan,
  { status, fileSystem, attributes, flags, more }: Traces,
): string | undefined {
  const type = Number(plan.view(fileSystem).getBigUint64(0, true));
  // Whatever attributes there are, their values could be the owner's.
  if (!FILE_SYSTEMS.has(type) || plan.result(attributes) !== 0) return undefined;
  const { sizeBytes, links } = readStatus(plan.view(status));
  const view = plan.view(more);
  const [extended, hint, project, copyHint] = [0, 4, PROJECT_AT, PROJECT_AT + 4].map((at) =>
    view.getUint32(at, true)
  );
  return [sizeBytes, links, plan.view(flags).getUint32(0, true), extended, hint, project, copyHint]
    .join(" ");
}
