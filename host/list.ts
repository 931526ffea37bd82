/** Reads directories whose content nobody trusts. */

import {
  AT_EMPTY_PATH,
  DT_DIR,
  DT_UNKNOWN,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  STATX_BASIC_STATS,
} from "../ffi/linux.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import { readStatx, STATX_SIZE, type System } from "../ffi/system.ts";
import { openHowStrict } from "./resolve.ts";

const CHUNK_BYTES = 32768;
const SMALL_CHUNK_BYTES = 1024;

/** One entry of a directory, as getdents64(2) tells it. */
export interface Entry {
  /** Its name with the terminating NUL: bytes, for it may be no valid text. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** Whether it is a directory; undefined where the file system does not say. */
  readonly isDirectory: boolean | undefined;
}

/** Reads a directory, without `.` and `..`. */
export function* readDirectory(system: System, fd: number): Generator<Entry[]> {
  // Most directories are small: for them one call finds the entries, and that there are no more.
  for (let isFirst = true;; isFirst = false) {
    const plan = new Plan();
    const read = (isFirst ? [SMALL_CHUNK_BYTES, SMALL_CHUNK_BYTES] : [CHUNK_BYTES]).map((size) => {
      const [chunk, length] = [plan.alloc(size), plan.slot("length")];
      plan.step("getdents64", [fd, chunk, size], { into: length, what: "list a directory" });
      return { chunk, length };
    });
    system.run(plan, "list a directory");
    for (const { chunk, length } of read) {
      const end = plan.result(length);
      if (end === 0) return;
      yield parseEntries(plan.content(chunk, end));
    }
  }
}

/** Reads the kernel's `struct linux_dirent64`, one after the other. */
function parseEntries(bytes: Uint8Array<ArrayBuffer>): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint16(at + 16, true);
    const type = bytes[at + 18]!;
    const start = at + 19;
    const name = bytes.subarray(start, bytes.indexOf(0, start) + 1);
    at += size;
    const isDots = name[0] === 0x2e &&
      (name.length === 2 || (name.length === 3 && name[1] === 0x2e));
    if (isDots) continue;
    entries.push({ name, isDirectory: type === DT_UNKNOWN ? undefined : type === DT_DIR });
  }
  return entries;
}

/** Opens a directory below another: the one of that name, on the same mount, or nothing. */
export function openDirectory(
  system: System,
  parent: number,
  name: Uint8Array,
): { fd: number; identity: string } | undefined {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const status = plan.alloc(STATX_SIZE);
  const how = openHowStrict(plan, O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
  plan.step("openat2", [parent, plan.bytes(name), how, 24], { into: fd });
  planIdentity(plan, fd, status);
  if (system.attempt(plan, "open a directory")) return undefined;
  return { fd: plan.result(fd), identity: readStatx(plan.view(status)).identity };
}

/** Opens the directory above another, if it still is the one it was. */
export function openParent(system: System, child: number, identity: string): number | undefined {
  const plan = new Plan();
  const fd = plan.slot("directory");
  const status = plan.alloc(STATX_SIZE);
  const flags = O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC;
  plan.step("openat", [child, plan.string(".."), flags, 0], { into: fd });
  planIdentity(plan, fd, status);
  if (system.attempt(plan, "open the directory above")) return undefined;
  if (readStatx(plan.view(status)).identity === identity) return plan.result(fd);
  system.close(plan.result(fd));
  return undefined;
}

function planIdentity(plan: Plan, fd: Slot, status: ReturnType<Plan["alloc"]>): void {
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
}

/** Whether a file is one of the kinds that a box may leave behind: files and directories. */
export function isPlain(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFREG || type === S_IFDIR;
}
