/**
 * What the service and its clients say to each other; `shim/client.h` is the other side. Packets of a
 * SOCK_SEQPACKET socket: the client's first one hands over the command line, then the service sends
 * plans, and the client answers with what their execution gave. A packet of one byte is a signal.
 */

import { ABI_VERSION } from "../ffi/abi.ts";
import { decodeOsString } from "../text/os_string.ts";

/** The largest packet of either side, without the header of a result. */
export const PACKET_BYTES_MAX = 1 << 17;

/** What begins a packet of the client: two words. */
export const PACKET_HEADER_BYTES = 8;

const HELLO_MAGIC = 0x4c4c4548;
const REFUSAL_MAGIC = 0x4e4f4e21;
const HELLO_LIMITS = 32;
const HELLO_BYTES = HELLO_LIMITS + 16 * 16;
const PACKET = { hello: 1, result: 2, descriptors: 3 } as const;

/** The arguments and the environment of a process end up in so many bytes at the most; see execve(2). */
const COMMAND_BYTES_MAX = 8 << 20;

/** The first packet of a client. */
export interface Hello {
  /** The version of plans that it understands. */
  readonly version: number;
  /** Where the environment begins and ends in the memory file. */
  readonly argumentBytes: number;
  readonly environmentBytes: number;
  /** Which of the descriptors 0 to 2 the client has, in the order in which they were delivered. */
  readonly streams: readonly number[];
  /** The client's own descriptors of the connection, and of the socket from which the box takes streams. */
  readonly connection: number;
  readonly delivery: number;
  /** Its resource limits by their numbers. */
  readonly limits: readonly { readonly soft: bigint; readonly hard: bigint }[];
}

/** A packet of a client. */
export type Packet =
  | { readonly kind: "hello"; readonly hello: Hello }
  | { readonly kind: "result"; readonly image: Uint8Array<ArrayBuffer> }
  | { readonly kind: "descriptors" }
  | { readonly kind: "signal"; readonly signal: number };

/** Reads a packet; undefined if it is none that a client sends. */
export function parsePacket(bytes: Uint8Array<ArrayBuffer>): Packet | undefined {
  if (bytes.length === 1) return { kind: "signal", signal: bytes[0]! };
  if (bytes.length < PACKET_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = view.getUint32(4, true);
  switch (view.getUint32(0, true)) {
    case PACKET.hello: {
      const hello = parseHello(view, value);
      return hello && { kind: "hello", hello };
    }
    case PACKET.result: {
      const image = bytes.subarray(PACKET_HEADER_BYTES);
      return image.length === value ? { kind: "result", image } : undefined;
    }
    case PACKET.descriptors:
      return bytes.length === PACKET_HEADER_BYTES ? { kind: "descriptors" } : undefined;
    default:
      return undefined;
  }
}

const NOTHING: Omit<Hello, "version"> = {
  argumentBytes: 0,
  environmentBytes: 0,
  streams: [],
  connection: -1,
  delivery: -1,
  limits: [],
};

function parseHello(view: DataView, version: number): Hello | undefined {
  if (view.byteLength < 12 || view.getUint32(8, true) !== HELLO_MAGIC) return undefined;
  // Of another version only this much is known.
  if (version !== ABI_VERSION) return { ...NOTHING, version };
  if (view.byteLength !== HELLO_BYTES) return undefined;
  const [open, argumentBytes, environmentBytes] = [12, 16, 20].map((at) =>
    view.getUint32(at, true)
  ) as [number, number, number];
  if (argumentBytes + environmentBytes > COMMAND_BYTES_MAX) return undefined;
  return {
    version,
    argumentBytes,
    environmentBytes,
    streams: [0, 1, 2].filter((fd) => open & 1 << fd),
    connection: view.getInt32(24, true),
    delivery: view.getInt32(28, true),
    limits: Array.from({ length: 16 }, (_, i) => ({
      soft: view.getBigInt64(HELLO_LIMITS + 16 * i, true),
      hard: view.getBigInt64(HELLO_LIMITS + 8 + 16 * i, true),
    })),
  };
}

/** The words of a packet by which a client sends descriptors along. */
export const DESCRIPTORS_PACKET: readonly number[] = [PACKET.descriptors, 0];

/** What a client of another version gets, which tells it that, and which side is older. */
export const REFUSAL: readonly number[] = [REFUSAL_MAGIC, ABI_VERSION];

/** What a client was started with. */
export interface CommandLine {
  /** The arguments without the program's name; bytes that are not UTF-8 as in `encodeOsString()`. */
  readonly args: readonly string[];
  /** The environment in its order. */
  readonly environment: ReadonlyMap<string, string>;
}

/** Reads the memory file that comes with the first packet. */
export function parseCommandLine(hello: Hello, bytes: Uint8Array<ArrayBuffer>): CommandLine {
  const strings = (from: number, length: number) => {
    const text = decodeOsString(bytes.slice(from, from + length));
    return text === "" ? [] : text.split("\0").slice(0, -1);
  };
  const environment = new Map<string, string>();
  for (const entry of strings(hello.argumentBytes, hello.environmentBytes)) {
    const equals = entry.indexOf("=");
    if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return { args: strings(0, hello.argumentBytes), environment };
}
