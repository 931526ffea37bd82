/**
 * Reads zip archives, which are hostile: names that lead out, links, and sizes that do not hold are
 * refused. What is read is what the central directory lists; nothing else in the file counts.
 */

/** An archive cannot be read; the message is the rest of a sentence about it. */
export class ZipError extends Error {}

/** A file or a folder in an archive. */
export interface ZipEntry {
  /** Its path: relative, with `/` between names, none of which is `.` or `..`. */
  readonly name: string;
  readonly kind: "file" | "directory";
  /** The size of its content. */
  readonly sizeBytes: number;
  /** Unpacks its content. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The most that an archive may hold. */
export interface ZipLimits {
  readonly entries: number;
  /** Of one file. */
  readonly fileBytes: number;
  /** Of all files together. */
  readonly totalBytes: number;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const COMMENT_MAX = 0xffff;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
/** What a field has whose value is in a record for larger archives. */
const LARGER_16 = 0xffff;
const LARGER_32 = 0xffffffff;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
/** The high byte of who made an entry: only these say a mode of Unix. */
const MADE_BY_UNIX = 3;
const FORMAT_MASK = 0xf000;
const FORMATS: Readonly<Record<number, "file" | "directory">> = {
  0: "file",
  0x8000: "file",
  0x4000: "directory",
};

/** Lists an archive. Content is looked at when it is read. */
export function listZip(bytes: Uint8Array<ArrayBuffer>, limits: ZipLimits): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  const isSplit = view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count;
  if (isSplit) throw new ZipError("is a part of a split archive");
  if (count === LARGER_16 || start === LARGER_32) {
    throw new ZipError("has more than 65534 entries or 4 GiB: unpack it, and name the folder");
  }
  if (count > limits.entries) throw new ZipError(`has more than ${limits.entries} entries`);
  const entries: ZipEntry[] = [];
  const kinds = new Map<string, "file" | "directory">();
  let total = 0;
  let at = start;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry({ bytes, view, at, end });
    const { name, kind, sizeBytes } = entry;
    if (sizeBytes > limits.fileBytes) {
      throw new ZipError(`has ${name} with more than ${limits.fileBytes} bytes`);
    }
    total += sizeBytes;
    if (total > limits.totalBytes) {
      throw new ZipError(`unpacks to more than ${limits.totalBytes} bytes`);
    }
    if (kinds.has(name) && (kind === "file" || kinds.get(name) === "file")) {
      throw new ZipError(`has ${name} twice`);
    }
    kinds.set(name, kind);
    entries.push(entry);
    at = next;
  }
  for (const name of kinds.keys()) {
    for (let to = name.lastIndexOf("/"); to > 0; to = name.lastIndexOf("/", to - 1)) {
      if (kinds.get(name.slice(0, to)) !== "file") continue;
      throw new ZipError(`has ${name}, but ${name.slice(0, to)} is a file`);
    }
  }
  return entries;
}

/** Finds the record at the end, behind which there is only a comment. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - COMMENT_MAX); at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw new ZipError("is no zip archive, or its end is missing");
}

function readEntry({ bytes, view, at, end }: {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  at: number;
  end: number;
}): { entry: ZipEntry; next: number } {
  if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
    throw new ZipError("has a damaged list of entries");
  }
  const u16 = (offset: number) => view.getUint16(at + offset, true);
  const u32 = (offset: number) => view.getUint32(at + offset, true);
  const nameBytes = u16(28);
  const next = at + CENTRAL_BYTES + nameBytes + u16(30) + u16(32);
  if (next > end) throw new ZipError("has a damaged list of entries");
  const written = nameOf(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes));
  const name = written.replace(/\/$/, "");
  const mode = u16(4) >> 8 === MADE_BY_UNIX ? u32(38) >>> 16 : 0;
  const format = FORMATS[mode & FORMAT_MASK];
  if (!format) {
    throw new ZipError(`has ${name}, which is a link or no file: unpack it, and name the folder`);
  }
  const kind = written.endsWith("/") ? "directory" : format;
  const [packedBytes, sizeBytes, local] = [u32(20), u32(24), u32(42)];
  if ([packedBytes, sizeBytes, local].includes(LARGER_32)) {
    throw new ZipError(`has ${name} with 4 GiB or more: unpack it, and name the folder`);
  }
  if ((u16(8) & ENCRYPTED) !== 0) throw new ZipError(`has ${name}, which is encrypted`);
  const [method, crc] = [u16(10), u32(16)];
  if (method !== STORED && method !== DEFLATED) {
    throw new ZipError(`has ${name} in a compression other than deflate: pack it again`);
  }
  const packed = () => {
    const from = contentStart(view, local);
    if (from === undefined || from + packedBytes > end) throw new ZipError(`has a damaged ${name}`);
    return bytes.subarray(from, from + packedBytes);
  };
  const read = async () => {
    const content = method === STORED ? packed() : await inflate(packed(), { name, sizeBytes });
    if (content.length !== sizeBytes || crc32(content) !== crc) {
      throw new ZipError(`has a damaged ${name}`);
    }
    return content;
  };
  return { entry: { name, kind, sizeBytes: kind === "file" ? sizeBytes : 0, read }, next };
}

/** Reads a path, which must stay in the folder that it is unpacked to. */
function nameOf(bytes: Uint8Array): string {
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ZipError("has a name that is not UTF-8");
  }
  const parts = name.replace(/\/$/, "").split("/");
  const isWrong = parts.some((part) => part === "" || part === "." || part === "..");
  // deno-lint-ignore no-control-regex
  if (isWrong || /[\\\u0000]/.test(name)) {
    throw new ZipError(`has the name ${JSON.stringify(name.slice(0, 100))}, which leads out of it`);
  }
  return name;
}

function contentStart(view: DataView, local: number): number | undefined {
  if (local + LOCAL_BYTES > view.byteLength) return undefined;
  if (view.getUint32(local, true) !== LOCAL_SIGNATURE) return undefined;
  return local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
}

/** Unpacks as much as was promised; more is not even waited for. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  { name, sizeBytes }: Pick<ZipEntry, "name" | "sizeBytes">,
): Promise<Uint8Array<ArrayBuffer>> {
  const content = new Uint8Array(sizeBytes);
  let filled = 0;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  try {
    for await (const piece of stream) {
      if (filled + piece.length > sizeBytes) {
        throw new ZipError(`has ${name}, which is larger than it says`);
      }
      content.set(piece, filled);
      filled += piece.length;
    }
  } catch (error) {
    if (error instanceof ZipError) throw error;
    throw new ZipError(`has a damaged ${name}`);
  }
  return content.subarray(0, filled);
}

let table: Uint32Array | undefined;

function crcTable(): Uint32Array {
  return table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0xedb88320 : value >>> 1;
    return value;
  });
}

function crc32(bytes: Uint8Array): number {
  const values = crcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crc >>> 8 ^ values[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
