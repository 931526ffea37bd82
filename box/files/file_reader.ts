/** Reads files and directories of a box. */

import { decodeOsString } from "../../text/os_string.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  STATX_BASIC_STATS,
} from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type FileStatus, readStatx, STATX_SIZE, type System } from "../../ffi/system.ts";
import { type Entry, readDirectory } from "../../host/list.ts";
import { SandboxError } from "../../host/errors.ts";
import {
  checkLimit,
  fileKind,
  pathError,
  planOpenPath,
  splitFilePath,
  splitPath,
  tooLarge,
  wrongKind,
} from "./file_paths.ts";
import { readAll } from "./file_transfer.ts";
import type { FileAccess, FileEntry, FileKind } from "./file_types.ts";
import { belongsTo } from "../../host/tree.ts";

const LIMIT_ENTRIES = 100_000;
const BATCH = 256;

/** Something of a box that was opened, and is what it should be. */
export interface Opened {
  /** Its descriptor. */
  readonly fd: number;
  /** What is known of it. */
  readonly status: FileStatus;
}

/** Opens a regular file or a directory of a box to be read. */
export function openToRead(
  access: FileAccess,
  { parts, kind, what }: { parts: readonly string[]; kind: FileKind; what: string },
): Opened {
  const { system } = access.sandbox;
  access.assertHeld();
  const box = access.open();
  const plan = new Plan();
  // Nothing of this waits: for a writer of a FIFO, or for a program that holds a lease on its file.
  const flags = O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_NOATIME;
  const fd = planOpenPath(plan, box, { parts, flags, what });
  const status = plan.alloc(STATX_SIZE);
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
  plan.step("close", [box], { always: true });
  const failure = system.attempt(plan, what);
  if (failure) throw pathError(what, failure);
  const opened = { fd: plan.result(fd), status: readStatx(plan.view(status)) };
  const found = fileKind(opened.status.mode);
  // A caller could have linked a file of the host into the box, or moved it there with a folder of
  // his, to have it read by root.
  if (found === kind && belongsTo(access.owners, opened.status)) return opened;
  system.close(opened.fd);
  if (found !== kind) throw wrongKind(what, { found, wanted: kind });
  throw new SandboxError("hostile-path", `Cannot ${what}: it belongs to user ${opened.status.uid}`);
}

/** Reads a file; see `BoxFiles.read`. */
export async function readFile(
  access: FileAccess,
  path: string,
  options: { limitBytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const limitBytes = checkLimit("limitBytes", options.limitBytes);
  const parts = splitFilePath(path);
  const what = `read ${JSON.stringify(path)} in the box`;
  const { system } = access.sandbox;
  const { fd, status } = openToRead(access, { parts, kind: "file", what });
  try {
    const { sizeBytes } = status;
    if (sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
    const bytes = await readAll(system, fd, { sizeBytes, limitBytes, what });
    if (bytes === undefined) throw tooLarge(what, limitBytes);
    return bytes;
  } finally {
    system.close(fd);
  }
}

/** Lists a directory; see `BoxFiles.list`. */
export function listDirectory(
  access: FileAccess,
  path: string,
  options: { limitEntries?: number },
): FileEntry[] {
  const limit = checkLimit("limitEntries", options.limitEntries ?? LIMIT_ENTRIES);
  const parts = splitPath(path);
  const what = `list ${JSON.stringify(path)} in the box`;
  const { system } = access.sandbox;
  const { fd } = openToRead(access, { parts, kind: "directory", what });
  try {
    const found: FileEntry[] = [];
    let seen = 0;
    for (const entries of readDirectory(system, fd)) {
      // Those that have vanished count too, lest a program keeps us here.
      seen += entries.length;
      for (let at = 0; at < entries.length; at += BATCH) {
        found.push(...lookAt(system, fd, entries.slice(at, at + BATCH)));
      }
      if (seen > limit) {
        throw new SandboxError("too-large", `Cannot ${what}: it has more than ${limit} entries`);
      }
    }
    return found.sort((a, b) => a.name < b.name ? -1 : 1);
  } finally {
    system.close(fd);
  }
}

function lookAt(system: System, fd: number, entries: readonly Entry[]): FileEntry[] {
  const plan = new Plan();
  const looks = entries.map(({ name }) => {
    const [status, result] = [plan.alloc(STATX_SIZE), plan.slot("")];
    const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    plan.step("statx", [fd, plan.bytes(name), flags, STATX_BASIC_STATS, status], {
      into: result,
      ignore: "all",
    });
    return { name, status, result };
  });
  system.run(plan, "look at files of the box");
  return looks.flatMap(({ name, status, result }) => {
    // Gone meanwhile.
    if (plan.result(result) < 0) return [];
    const { mode, sizeBytes } = readStatx(plan.view(status));
    return [{
      name: decodeOsString(name.subarray(0, -1)),
      kind: fileKind(mode),
      sizeBytes,
      mode: mode & 0o7777,
    }];
  });
}
