/** Writes jobs as text for a queue, without their large files, which are stored once by their hash. */

import { decode, encode } from "../engine/codec.ts";
import type { Bytes, Job, JobFile, JobRun } from "../engine/types.ts";

/** Files, inputs and expected outputs beyond that do not go with the job. */
export const LARGE_FILE_BYTES = 1 << 20;

/** A job as text. */
export interface PackedJob {
  readonly text: string;
  /** What the text does not have, by hash. */
  readonly files: ReadonlyMap<string, Bytes>;
}

/** A part of a job as it is written: bytes, or the hash of bytes. */
type Part = Bytes | { readonly fileHash: string };

type Replace = (part: Bytes) => Bytes;

/** Writes a job. */
export async function packJob(job: Job): Promise<PackedJob> {
  const hashes = new Map<Bytes, string>();
  for (const part of partsOf(job)) {
    // Tests of one job may share an input.
    if (part.length > LARGE_FILE_BYTES && !hashes.has(part)) hashes.set(part, await hashOf(part));
  }
  if (hashes.size === 0) return { text: encode(job), files: new Map() };
  const short = (part: Bytes): Part => {
    const fileHash = hashes.get(part);
    return fileHash === undefined ? part : { fileHash };
  };
  return {
    text: encode(mapParts(job, short as Replace)),
    files: new Map([...hashes].map(([part, hash]) => [hash, part])),
  };
}

/**
 * Reads a job.
 *
 * @throws if a file is not among those given
 */
export function unpackJob(text: string, files: ReadonlyMap<string, Bytes>): Job {
  return mapParts(decode<Job>(text), (part) => {
    const { fileHash } = part as Part & { fileHash?: string };
    if (fileHash === undefined) return part;
    const content = files.get(fileHash);
    if (!content) throw new Error(`the file ${fileHash} of a job is missing`);
    return content;
  });
}

/** The hash that a large file is stored by. */
export async function hashOf(content: Bytes): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}

function* partsOf(job: Job): Generator<Bytes> {
  for (const { content } of job.files) yield content;
  for (const { stdin, expectedOutput } of job.runs) {
    yield stdin;
    if (expectedOutput) yield expectedOutput;
  }
}

function mapParts(job: Job, replace: Replace): Job {
  return {
    ...job,
    files: job.files.map((file): JobFile => ({ ...file, content: replace(file.content) })),
    runs: job.runs.map((run): JobRun => ({
      ...run,
      stdin: replace(run.stdin),
      ...run.expectedOutput && { expectedOutput: replace(run.expectedOutput) },
    })),
  };
}
