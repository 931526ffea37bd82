/** Writes jobs as text for a queue, without their large files, which are stored once by their hash. */

import { decode, encode } from "../engine/codec.ts";
import type { Bytes, Job } from "../engine/types.ts";

/** Files, inputs and expected outputs beyond that do not go with the job. */
export const LARGE_FILE_BYTES = 1 << 20;

/** A job as text. */
export interface PackedJob {
  readonly text: string;
  /** What the text does not have, by hash. */
  readonly files: ReadonlyMap<string, Bytes>;
}

/** The only key of an object that stands for a large file; nothing else in a job has this key. */
const KEY = "fileHash";

/** Writes a job. */
export async function packJob(job: Job): Promise<PackedJob> {
  const hashes = new Map<Bytes, string>();
  for (const part of bytesIn(job)) {
    // Tests of one job may share an input.
    if (part.length > LARGE_FILE_BYTES && !hashes.has(part)) hashes.set(part, await hashOf(part));
  }
  if (hashes.size === 0) return { text: encode(job), files: new Map() };
  const short = replaced(job, (part) => {
    const hash = part instanceof Uint8Array ? hashes.get(part as Bytes) : undefined;
    return hash === undefined ? undefined : { [KEY]: hash };
  });
  return {
    text: encode(short),
    files: new Map([...hashes].map(([part, hash]) => [hash, part])),
  };
}

/**
 * Reads a job.
 *
 * @throws if a file is not among those given
 */
export function unpackJob(text: string, files: ReadonlyMap<string, Bytes>): Job {
  const whole = replaced(decode<unknown>(text), (part) => {
    const hash = (part as { readonly [KEY]?: unknown })[KEY];
    if (typeof hash !== "string") return undefined;
    const content = files.get(hash);
    if (!content) throw new Error(`the file ${hash} of a job is missing`);
    return content;
  });
  return whole as Job;
}

/** The hash that a large file is stored by. */
export async function hashOf(content: Bytes): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}

/** Finds all bytes in plain data. */
function* bytesIn(part: unknown): Generator<Bytes> {
  if (part instanceof Uint8Array) yield part as Bytes;
  else if (typeof part === "object" && part !== null) {
    for (const inner of Object.values(part)) yield* bytesIn(inner);
  }
}

/** Copies plain data, with something else in the place of the objects for which there is that. */
function replaced(part: unknown, replacement: (part: object) => unknown): unknown {
  if (typeof part !== "object" || part === null) return part;
  const other = replacement(part);
  if (other !== undefined) return other;
  if (part instanceof Uint8Array) return part;
  if (Array.isArray(part)) return part.map((inner) => replaced(inner, replacement));
  return Object.fromEntries(
    Object.entries(part).map(([key, inner]) => [key, replaced(inner, replacement)]),
  );
}
