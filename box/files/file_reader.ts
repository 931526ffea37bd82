/** Reads files and directories of a box, and copies files out of it. */

import { O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { SandboxError } from "../../host/errors.ts";
import { listDirectory } from "../../host/list.ts";
import { readAside } from "../../host/read.ts";
import {
  type FileKind,
  type FileStatus,
  planStatus,
  readStatus,
  wrongKind,
} from "../../host/status.ts";
import { belongsTo } from "../../host/give_tree.ts";
import { copyAside, createFile } from "../../host/write.ts";
import {
  checkLimit,
  checkMode,
  pathError,
  planOpenPath,
  splitFilePath,
  splitPath,
} from "./file_paths.ts";
import type { CopiedFile, CopyItem, FileAccess, FileEntry } from "./file_types.ts";

const LIMIT_ENTRIES = 100_000;
const COPY_LIMIT_BYTES = 64 << 20;

/** Opens a regular file or a directory of a box to be read. */
function openToRead(
  access: FileAccess,
  { parts, kind, what }: { parts: readonly string[]; kind: FileKind; what: string },
): { fd: number; status: FileStatus } {
  const { system } = access.sandbox;
  access.assertHeld();
  const box = access.open();
  const plan = new Plan();
  // Nothing of this waits: for a writer of a FIFO, or for a program that holds a lease on its file.
  const flags = O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_NOATIME;
  const slot = planOpenPath(plan, box, { parts, flags, what });
  const found = planStatus(plan, slot);
  plan.step("close", [box], { always: true });
  const failure = system.attempt(plan, what);
  if (failure) throw pathError(what, failure);
  const [fd, status] = [plan.result(slot), readStatus(plan.view(found))];
  // A caller could have linked a file of the host into the box, or moved it there with a folder, to
  // have it read by root.
  if (status.kind === kind && belongsTo(access.owners, status)) return { fd, status };
  system.close(fd);
  if (status.kind !== kind) throw wrongKind(what, { found: status.kind, wanted: kind });
  throw new SandboxError("hostile-path", `Cannot ${what}: it belongs to user ${status.uid}`);
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
  const { fd, status: { sizeBytes } } = openToRead(access, { parts, kind: "file", what });
  try {
    return await readAside(system, fd, { sizeBytes, limitBytes, what });
  } finally {
    system.close(fd);
  }
}

/** Lists a directory; see `BoxFiles.list`. */
export function listBox(
  access: FileAccess,
  path: string,
  options: { limitEntries?: number },
): FileEntry[] {
  const entriesMax = checkLimit("limitEntries", options.limitEntries ?? LIMIT_ENTRIES);
  const parts = splitPath(path);
  const what = `list ${JSON.stringify(path)} in the box`;
  const { system, own } = access.sandbox;
  const { fd } = openToRead(access, { parts, kind: "directory", what });
  try {
    return listDirectory({ system, own, caller: own }, fd, { entriesMax, what })
      .map(({ name, kind, sizeBytes, mode }) => ({ name, kind, sizeBytes, mode }));
  } finally {
    system.close(fd);
  }
}

/** Copies files out of a box; see `BoxFiles.copyOut`. */
export async function copyOut(
  access: FileAccess,
  items: readonly CopyItem[],
): Promise<CopiedFile[]> {
  for (const { limitBytes, mode } of items) {
    if (limitBytes !== undefined) checkLimit("limitBytes", limitBytes);
    if (mode !== undefined) checkMode(mode);
  }
  const copied: CopiedFile[] = [];
  for (const item of items) copied.push(await copyOrOmit(access, item));
  return copied;
}

async function copyOrOmit(access: FileAccess, item: CopyItem): Promise<CopiedFile> {
  const { path, hostFile, optional = false } = item;
  try {
    return { path, hostFile, sizeBytes: await copyFile(access, item) };
  } catch (error) {
    if (!optional || !(error instanceof SandboxError)) throw error;
    const { kind: omitted, message } = error;
    if (omitted !== "no-file" && omitted !== "too-large" && omitted !== "hostile-path") throw error;
    return { path, hostFile, omitted, message };
  }
}

async function copyFile(access: FileAccess, item: CopyItem): Promise<number> {
  const { path, hostFile, limitBytes = COPY_LIMIT_BYTES, mode } = item;
  const { sandbox } = access;
  const parts = splitFilePath(path);
  const what = `copy ${JSON.stringify(path)} out of the box`;
  const { fd, status: { sizeBytes } } = openToRead(access, { parts, kind: "file", what });
  try {
    const copy = createFile(sandbox, hostFile, mode);
    try {
      const to = { to: copy.fd, limitBytes, what: `${what} to ${hostFile}` };
      const copied = await copyAside(sandbox.system, { fd, sizeBytes }, to);
      copy.finish();
      return copied;
    } finally {
      copy.close();
    }
  } finally {
    sandbox.system.close(fd);
  }
}
