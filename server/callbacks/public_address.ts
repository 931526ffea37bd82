/** Which addresses are reachable by everybody, and so are nobody's secret. */

import { type IpNetwork, isWithin, parseIpNetwork } from "../../text/ip_address.ts";

/** Networks for one machine, one site, one link, tunnels and documents: IANA's special registries. */
const SPECIAL = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"],
  ...["192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  // 2001::/23 has Teredo, and 2002::/16 is 6to4: both lead to any IPv4 address.
  ...["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"],
].map((text) => parseIpNetwork(text)!);

/** All that is given out of IPv6; what else there is has a special meaning. */
const GLOBAL_UNICAST = parseIpNetwork("2000::/3")!;

/** Tells whether an address is one of the public internet. */
export function isPublic(address: IpNetwork): boolean {
  if (address.version === 6 && !isWithin(address, GLOBAL_UNICAST)) return false;
  return !SPECIAL.some((network) => isWithin(address, network));
}
