/** Zip archives of tests, also wrong ones. */

/** An entry, and what is to be wrong with it. */
export interface ZipPart {
  readonly name: string;
  readonly text?: string;
  /** The mode of Unix. */
  readonly mode?: number;
  readonly stored?: boolean;
  /** What it says of its size. Default: the truth. */
  readonly sizeBytes?: number;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
}

/** Makes an archive. */
export async function makeZip(parts: readonly ZipPart[]): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  const add = (to: Uint8Array[], bytes: Uint8Array) => {
    to.push(bytes);
    if (to === pieces) at += bytes.length;
  };
  for (const part of parts) {
    const { name, text = "", mode = 0o100644, stored = false, flags = 0 } = part;
    const [nameBytes, content] = [new TextEncoder().encode(name), new TextEncoder().encode(text)];
    const packed = stored ? content : await deflate(content);
    const { sizeBytes = content.length, crc = crc32(content) } = part;
    const method = part.method ?? (stored ? 0 : 8);
    const common = [[flags, 2], [method, 2], [0, 4], [crc, 4], [packed.length, 4], [sizeBytes, 4]];
    const local = at;
    add(pieces, fields([0x04034b50, 4], [20, 2], ...pairs(common), [nameBytes.length, 2], [0, 2]));
    add(pieces, nameBytes);
    add(pieces, packed);
    const head = fields(
      ...pairs([[0x02014b50, 4], [0x0314, 2], [20, 2], ...common, [nameBytes.length, 2]]),
      ...pairs([[0, 2], [0, 2], [0, 2], [0, 2], [mode * 65536, 4], [local, 4]]),
    );
    add(central, head);
    add(central, nameBytes);
  }
  const list = join(central);
  const count = parts.length;
  const end = pairs([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [list.length, 4]]);
  return join([...pieces, list, fields(...end, [at, 4], [0, 2])]);
}

type Field = readonly [value: number, bytes: number];

function pairs(all: readonly number[][]): Field[] {
  return all.map(([value, bytes]) => [value!, bytes!] as const);
}

/** Writes numbers in little endian. */
function fields(...all: readonly Field[]): Uint8Array {
  return Uint8Array.from(
    all.flatMap(([value, bytes]) =>
      Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256)
    ),
  );
}

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Computes the check sum bit by bit: other code than what is tested. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
