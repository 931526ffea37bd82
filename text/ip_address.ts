/** IP addresses with the length of their network: `10.77.0.5/24`, `fd77::5/64`. */

/** An address and the network around it; or a network, by any of its addresses. */
export interface IpNetwork {
  /** The version of the protocol. */
  readonly version: 4 | 6;
  /** The address, 4 or 16 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many bits of it all addresses of the network have in common. */
  readonly length: number;
}

/** Reads an address; undefined: it is none. */
export function parseIpAddress(text: string): IpNetwork | undefined {
  if (text.includes(":")) return parseIpv6(text);
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const numbers = match?.slice(1).map(Number) ?? [];
  // A leading zero means octal to some programs, and nothing to others.
  const isPlain = match?.slice(1).every((part) => part === "0" || !part.startsWith("0"));
  if (!isPlain || numbers.some((number) => number > 255)) return undefined;
  return { version: 4, bytes: new Uint8Array(numbers), length: 32 };
}

/** Writes an address of 4 or 16 bytes with a port, always in the same way; one of IPv4 in IPv6 as what it is. */
export function endpointText(bytes: Uint8Array, port: number): string {
  const isMapped = bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return `${(isMapped ? bytes.subarray(12) : bytes).toHex()}:${port}`;
}

/** The same for an address as text; undefined if it is none. */
export function endpointOf(address: string, port: number): string | undefined {
  const [, head = "", mapped] = /^(.*:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address.split("%")[0]!) ?? [];
  const isMapped = /^::ffff:$/i.test(head) && mapped !== undefined;
  const parsed = parseIpAddress(isMapped ? mapped : address.split("%")[0]!);
  return parsed && endpointText(parsed.bytes, port);
}

function parseIpv6(text: string): IpNetwork | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":"));
  const groups = tail ? [...head!, ...zeros(8 - head!.length - tail.length), ...tail] : head!;
  const isWhole = groups.length === 8 && (!tail || head!.length + tail.length < 8);
  if (!isWhole || !groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const bytes = new Uint8Array(groups.flatMap((group) => {
    const word = parseInt(group, 16);
    return [word >> 8, word & 0xff];
  }));
  return { version: 6, bytes, length: 128 };
}

function zeros(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => "0");
}

/**
 * Reads an address with the length of its network, for settings such as `network.pool`.
 *
 * @param text an IPv4 or IPv6 address, a slash, and the length in bits
 * @returns the address and its network; undefined if the text is none
 *
 * @example
 * ```ts
 * import { defaultSettings, parseIpNetwork } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const settings = defaultSettings();
 * settings.network.pool.push(parseIpNetwork("10.77.0.0/24")!);
 * assertEquals(settings.network.pool[0]?.length, 24);
 * assertEquals(parseIpNetwork("10.77.0.0"), undefined);
 * ```
 */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, address = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseIpAddress(address);
  const length = Number(digits);
  if (!parsed || digits === "" || length > parsed.length) return undefined;
  return { ...parsed, length };
}

/** Writes an address without its network. */
export function formatIpAddress({ version, bytes }: IpNetwork): string {
  if (version === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! << 8 | bytes[2 * i + 1]!);
  const text = words.map((word) => word.toString(16)).join(":");
  const runs = text.match(/(?<![0-9a-f])0(?::0(?![0-9a-f]))+/g) ?? [];
  const longest = runs.reduce((best, run) => run.length > best.length ? run : best, "");
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`));
  const [head, tail] = [text.slice(0, at), text.slice(at + longest.length)];
  return `${head.replace(/:$/, "")}::${tail.replace(/^:/, "")}`;
}

/** Writes an address with the length of its network. */
export function formatIpNetwork(network: IpNetwork): string {
  return `${formatIpAddress(network)}/${network.length}`;
}

/** Whether all of the inner network lies in the outer one. */
export function isWithin(inner: IpNetwork, outer: IpNetwork): boolean {
  return inner.version === outer.version && inner.length >= outer.length &&
    inner.bytes.every((byte, i) => ((byte ^ outer.bytes[i]!) & maskByte(outer.length, i)) === 0);
}

/** The bits of an address beyond its network, all set to 0 or all to 1. */
export function edgeOf({ bytes, length }: IpNetwork, bit: 0 | 1): Uint8Array<ArrayBuffer> {
  return bytes.map((byte, i) => {
    const mask = maskByte(length, i);
    return byte & mask | (bit ? ~mask & 0xff : 0);
  });
}

function maskByte(length: number, index: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * index));
  return 0xff << (8 - bits) & 0xff;
}
