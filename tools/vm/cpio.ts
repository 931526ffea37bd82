/** Writes the archives that the kernel unpacks as its first root: cpio, format "newc". */

import { S_IFDIR, S_IFLNK, S_IFREG } from "../../ffi/linux.ts";

/** What lies at a path of the archive. */
export type ArchiveEntry =
  | { kind: "directory"; mode: number }
  | { kind: "symlink"; target: string }
  /** Its content, or the path of a file on this machine. */
  | { kind: "file"; mode: number; content: Uint8Array | string };

const FILE_TYPES = { directory: S_IFDIR, symlink: S_IFLNK, file: S_IFREG } as const;

const encoder = new TextEncoder();

/** Fills a header with its name, or a content, up to a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  result.set(bytes);
  return result;
}

/**
 * Writes the header of an entry, with its name.
 *
 * @see https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
 */
export function formatHeader(
  { path, inode, mode, size }: { path: string; inode: number; mode: number; size: number },
): Uint8Array {
  const name = encoder.encode(`${path}\0`);
  const [uid, gid, links, mtime] = [0, 0, 1, 0];
  const device = [0, 0, 0, 0];
  const checksum = 0;
  const fields = [inode, mode, uid, gid, links, mtime, size, ...device, name.length, checksum];
  const header = "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  const result = new Uint8Array(header.length + name.length);
  result.set(encoder.encode(header));
  result.set(name, header.length);
  return padded(result);
}

function contentOf(entry: ArchiveEntry): Uint8Array {
  switch (entry.kind) {
    case "directory":
      return new Uint8Array();
    case "symlink":
      return encoder.encode(entry.target);
    case "file":
      return typeof entry.content === "string" ? Deno.readFileSync(entry.content) : entry.content;
  }
}

function modeOf(entry: ArchiveEntry): number {
  return FILE_TYPES[entry.kind] | (entry.kind === "symlink" ? 0o777 : entry.mode);
}

/**
 * Makes the pieces of an archive of absolute paths, in the order given: a folder must come before
 * what is in it.
 */
export function* archive(
  entries: Iterable<[path: string, entry: ArchiveEntry]>,
): Generator<Uint8Array> {
  let inode = 1;
  for (const [path, entry] of entries) {
    const content = contentOf(entry);
    const [relative, mode] = [path.replace(/^\//, ""), modeOf(entry)];
    yield formatHeader({ path: relative, inode: inode++, mode, size: content.length });
    yield padded(content);
  }
  yield formatHeader({ path: "TRAILER!!!", inode: 0, mode: 0, size: 0 });
}
