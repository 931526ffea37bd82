/**
 * Where the server may send anything on a client's word. Nothing by default: whoever reaches this
 * server must not reach its neighbours through it.
 */

import { ExpectedError } from "../../text/errors.ts";
import { type IpNetwork, isWithin, parseIpAddress, parseIpNetwork } from "../../text/ip_address.ts";
import { isPublic } from "./public_address.ts";

/** Finds the addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Where callbacks may go, as the administrator lists it. */
export class Destinations {
  readonly #names: readonly string[];
  readonly #networks: readonly IpNetwork[];
  readonly #any: boolean;

  /** Whether there are any at all. */
  readonly isEmpty: boolean;

  /**
   * Reads a list, whose parts are divided by commas: `any` public address, names such as
   * `hooks.example.org` or `*.example.org` with public addresses, and addresses or networks such as
   * `10.1.0.0/16`, which need not be public.
   *
   * @throws {ExpectedError} if a part is none of these
   */
  constructor(list: string) {
    const parts = list.split(",").map((part) => part.trim().toLowerCase())
      .filter((part) => part !== "");
    this.isEmpty = parts.length === 0;
    this.#any = parts.includes("any");
    const networks = new Map(parts.map((part) => [part, networkOf(part)]));
    this.#networks = [...networks.values()].filter((network) => network !== undefined);
    this.#names = parts.filter((part) => part !== "any" && !networks.get(part));
    const wrong = this.#names.find((name) => !NAME.test(name));
    if (wrong === undefined) return;
    throw new ExpectedError(
      `${JSON.stringify(wrong)} is no destination of callbacks: name hosts (hooks.example.org, ` +
        "*.example.org), networks (10.1.0.0/16), or any for all public addresses",
    );
  }

  /** Tells why nothing can be sent to an address of the web; undefined: its form is right. */
  complaint(text: string): string | undefined {
    if (this.isEmpty) return "is not allowed: this server sends no callbacks";
    const url = URL.parse(text);
    if (!url || !["http:", "https:"].includes(url.protocol)) return "must be an http or https URL";
    if (url.username !== "" || url.password !== "") return "must not hold a user or a password";
    const address = parseIpAddress(hostOf(url));
    if (address ? this.#allowsAddress(address, false) : this.#allowsName(hostOf(url))) return;
    return `must not lead to ${hostOf(url)}: this server does not send callbacks there`;
  }

  /**
   * Finds the address to connect to. It has to be used as it is: a name that is resolved a second
   * time can lead elsewhere.
   *
   * @throws {ExpectedError} if none is allowed. Rejects with it
   */
  async addressOf(url: URL, resolve: Resolve): Promise<string> {
    const complaint = this.complaint(url.href);
    if (complaint !== undefined) throw new ExpectedError(`${url.href} ${complaint}`);
    const host = hostOf(url);
    const isListed = this.#any || this.#names.some((pattern) => matches(host, pattern));
    const found = parseIpAddress(host) ? [host] : await resolve(host);
    const allowed = found.find((text) => {
      const address = parseIpAddress(text);
      return address !== undefined && this.#allowsAddress(address, isListed);
    });
    if (allowed !== undefined) return allowed;
    throw new ExpectedError(`${host} has no address to which this server sends callbacks`);
  }

  /** A name may lead into a network of the list; its addresses tell later. */
  #allowsName(host: string): boolean {
    return this.#any || this.#networks.length > 0 ||
      this.#names.some((pattern) => matches(host, pattern));
  }

  #allowsAddress(address: IpNetwork, isNameListed: boolean): boolean {
    return this.#networks.some((network) => isWithin(address, network)) ||
      (this.#any || isNameListed) && isPublic(address);
  }
}

const LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^(\\*\\.)?(${LABEL}\\.)*(?=.*[a-z])${LABEL}$`);

function networkOf(part: string): IpNetwork | undefined {
  return parseIpNetwork(part) ?? parseIpAddress(part);
}

/** The host of a URL, an IPv6 address without its brackets, a name without its last dot. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function matches(host: string, pattern: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}
