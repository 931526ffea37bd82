/** Copies files out of a box. */

import { SandboxError } from "../../host/errors.ts";
import { checkLimit, checkMode, splitFilePath, tooLarge } from "./file_paths.ts";
import { openToRead } from "./file_reader.ts";
import { copyAll } from "./file_transfer.ts";
import type { CopiedFile, CopyItem, FileAccess } from "./file_types.ts";
import { NewHostFile } from "../../host/open.ts";

const LIMIT_BYTES = 64 << 20;

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
  const { path, hostFile, limitBytes = LIMIT_BYTES, mode } = item;
  const { sandbox } = access;
  const parts = splitFilePath(path);
  const what = `copy ${JSON.stringify(path)} out of the box`;
  const { fd, status } = openToRead(access, { parts, kind: "file", what });
  try {
    const { sizeBytes } = status;
    if (sizeBytes > limitBytes) throw tooLarge(what, limitBytes);
    const target = NewHostFile.create(sandbox, hostFile, mode);
    try {
      const from = { fd, sizeBytes };
      const copied = await copyAll(sandbox.system, from, {
        to: target.fd,
        limitBytes,
        what: `${what} to ${hostFile}`,
      });
      if (copied === undefined) throw tooLarge(what, limitBytes);
      target.finish();
      return copied;
    } catch (error) {
      target.drop();
      throw error;
    }
  } finally {
    sandbox.system.close(fd);
  }
}
