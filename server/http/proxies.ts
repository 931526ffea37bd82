/** Finds out who asks when a proxy stands in front of the server. */

import { ExpectedError } from "../../text/errors.ts";
import { type IpNetwork, isWithin, parseIpAddress, parseIpNetwork } from "../../text/ip_address.ts";

/** What connects through a socket of the unix kind. */
export const UNIX = "unix";
/** No chain of proxies is as long. */
const HOPS_MAX = 32;

/** The proxies whose word the server believes. */
export class TrustedProxies {
  readonly #networks: readonly IpNetwork[];
  readonly #trustsUnix: boolean;

  /**
   * Reads a list, whose parts are divided by commas: addresses, networks such as `10.1.0.0/16`, and `unix`
   * for who connects through a unix socket.
   *
   * @throws {ExpectedError} if a part is none of these
   */
  constructor(list: string) {
    const parts = list.split(",").map((part) => part.trim()).filter((part) => part !== "");
    this.#trustsUnix = parts.includes(UNIX);
    this.#networks = parts.filter((part) => part !== UNIX).map((part) => {
      const network = parseIpNetwork(part) ?? parseIpAddress(part);
      if (network) return network;
      throw new ExpectedError(
        `${JSON.stringify(part)} is no proxy (option --trust-proxy): name addresses (127.0.0.1), ` +
          "networks (10.1.0.0/16), or unix",
      );
    });
  }

  /**
   * Gives the address of the client. Each proxy adds the one that it was asked by to the end of
   * `X-Forwarded-For`; so what is left of the first address that is no proxy of ours can be invented.
   */
  clientOf(peer: string, forwarded: string | null): string {
    let client = peer;
    const hops = (forwarded ?? "").split(",").slice(-HOPS_MAX);
    while (hops.length > 0 && this.#trusts(client)) {
      const hop = addressIn(hops.pop()!);
      if (hop === undefined) break;
      client = hop;
    }
    return client;
  }

  #trusts(peer: string): boolean {
    if (peer === UNIX) return this.#trustsUnix;
    const address = parseIpAddress(plain(peer));
    return address !== undefined &&
      this.#networks.some((network) => isWithin(address, network));
  }
}

/** An address as proxies write it: some add a port, and brackets. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim();
  const bare = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, "$1");
  return parseIpAddress(plain(bare)) ? bare : undefined;
}

/** Without a zone, and an address of version 4 as itself. */
function plain(address: string): string {
  return address.split("%")[0]!.replace(/^::ffff:(?=\d+\.)/i, "");
}
