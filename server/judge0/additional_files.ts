/** The files that come with a submission: an archive that anybody may have made. */

import { listZip, ZipError, type ZipLimits } from "../../text/zip.ts";
import type { Bytes, JobFile } from "../engine/types.ts";

const FILES_MAX = 1000;

/** The archive cannot be used; the message is the rest of a sentence about it. */
export class AdditionalFilesError extends Error {}

/**
 * Unpacks an archive. Folders come with their files.
 *
 * @throws {AdditionalFilesError} if it is none, too large, or leads out of its folder. Rejects with it
 */
export async function unpackAdditionalFiles(
  zip: Bytes,
  { limitKb }: { limitKb: number },
): Promise<JobFile[]> {
  const limitBytes = limitKb * 1024;
  const limits: ZipLimits = { entries: FILES_MAX, fileBytes: limitBytes, totalBytes: limitBytes };
  try {
    const files: JobFile[] = [];
    for (const entry of listZip(zip, limits)) {
      if (entry.kind !== "file") continue;
      files.push({ name: entry.name, content: await entry.read() });
    }
    return files;
  } catch (error) {
    if (error instanceof ZipError) throw new AdditionalFilesError(error.message);
    throw error;
  }
}
