/** Which addresses a box may have. */

import type { NetworkSettings } from "../../config/settings.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Identity } from "../../host/identity.ts";
import { findId } from "../../host/names.ts";
import {
  edgeOf,
  formatIpAddress,
  formatIpNetwork,
  type IpNetwork,
  isWithin,
  parseIpNetwork,
} from "../../text/ip_address.ts";

/** Networks whose addresses are no box's own, and what they are. */
const NO_BOX: readonly (readonly [string, string])[] = [
  ["0.0.0.0/8", "it names no machine"],
  ["127.0.0.0/8", "it is a loopback address, which each box has anyway"],
  ["169.254.0.0/16", "it is link-local"],
  ["224.0.0.0/3", "it is a multicast address, or reserved"],
  ["::/127", "it names no machine, or is the loopback address"],
  ["::ffff:0:0/96", "it stands for an IPv4 address; use that one"],
  ["fe80::/10", "it is link-local"],
  ["ff00::/8", "it is a multicast address"],
];

/** Reads the address of a box, with the length of its network; throws one sentence. */
export function readBoxAddress(text: string): IpNetwork {
  const address = parseIpNetwork(text);
  if (!address) {
    throw new SandboxError(
      "bad-option",
      `Invalid address: ${text} (an IPv4 or IPv6 address and the length of its network are wanted, ` +
        "e.g. 10.77.0.5/24)",
    );
  }
  const reason = reasonAgainst(address);
  if (reason === undefined) return address;
  throw new SandboxError("bad-option", `A box cannot have the address ${text}: ${reason}`);
}

function reasonAgainst(address: IpNetwork): string | undefined {
  const { version, bytes, length } = address;
  for (const [network, reason] of NO_BOX) {
    if (isWithin({ ...address, length: 8 * bytes.length }, parseIpNetwork(network)!)) return reason;
  }
  if (length === 0) return "a network of length 0 is the whole internet";
  // Networks of one or two machines have no addresses of that kind.
  if (length >= 8 * bytes.length - 1) return undefined;
  const isEdge = (bit: 0 | 1) => edgeOf(address, bit).every((byte, i) => byte === bytes[i]);
  if (isEdge(0)) return "that is the address of the network itself";
  if (version === 4 && isEdge(1)) return "that is the broadcast address of its network";
  return undefined;
}

/** Throws one sentence if boxes of the caller may not have an address. */
export function checkAddress(
  system: System,
  { address, caller, settings }: {
    address: IpNetwork;
    caller: Identity;
    settings: NetworkSettings;
  },
): void {
  const own = [...settings.bridgeAddresses, ...settings.gateways].map(formatIpAddress);
  if (own.includes(formatIpAddress(address))) {
    throw new SandboxError(
      "bad-option",
      `A box cannot have the address ${
        formatIpAddress(address)
      }: the configuration gives it to the ` +
        "bridge or the gateway",
    );
  }
  if (caller.uid === 0) return;
  const granted = settings.grants.filter(({ kind, name }) => {
    const id = findId(system, kind, name);
    return kind === "user" ? id === caller.uid : id === caller.gid || caller.groups.includes(id);
  });
  const networks = [...settings.pool, ...granted.flatMap((grant) => grant.networks)];
  if (networks.some((network) => isWithin(address, network))) return;
  throw new SandboxError(
    "restricted",
    networks.length === 0
      ? `User ${caller.uid} may give boxes no address: the configuration has neither an address_pool ` +
        "nor an address_user or address_group of theirs"
      : `User ${caller.uid} may not give a box the address ${
        formatIpNetwork(address)
      }: it must lie, with ` +
        `all of its network, within ${networks.map(formatIpNetwork).join(" or ")}`,
  );
}
