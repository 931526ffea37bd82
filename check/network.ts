/** What runs with `--root-inside` and `--address` need. */

import { formatIpAddress } from "../text/ip_address.ts";
import type { Machine } from "./machine.ts";
import { caution, fail, type Finding, pass, skip, write } from "./types.ts";

const NAMESPACES = "/proc/sys/user/max_user_namespaces";
const FORWARDING = {
  4: "/proc/sys/net/ipv4/ip_forward",
  6: "/proc/sys/net/ipv6/conf/all/forwarding",
} as const;

/** Checks whether programs can be root inside. */
export function examineRootInside(machine: Machine): Finding {
  const value = machine.read(NAMESPACES);
  if (value === undefined) return skip("the kernel has no user namespaces, so no --root-inside");
  if (value !== "0") return pass("programs can be root in their boxes (--root-inside)");
  return caution("user namespaces are turned off, so no --root-inside", write(NAMESPACES, "1000"));
}

/** Checks the bridge of boxes with addresses, if there are to be any. */
export function examineBridge(machine: Machine): Finding {
  const { bridge, bridgeAddresses, gateways, pool, grants } = machine.settings.network;
  if (pool.length + grants.length + gateways.length + bridgeAddresses.length === 0) {
    return skip("the configuration gives boxes no addresses (--address)");
  }
  const folder = `/sys/class/net/${bridge}`;
  if (machine.exists(folder) && !machine.exists(`${folder}/bridge`)) {
    return fail(`the network interface ${bridge} (configured as bridge) is not a bridge`);
  }
  const own = bridgeAddresses.map(formatIpAddress);
  for (const gateway of gateways.filter((gateway) => own.includes(formatIpAddress(gateway)))) {
    const path = FORWARDING[gateway.version];
    if (machine.read(path) !== "0") continue;
    const name = formatIpAddress(gateway);
    return caution(
      `this host is the gateway ${name} of boxes, but forwards nothing`,
      write(path, "1"),
    );
  }
  const state = machine.exists(folder) ? "exists" : "is made when a box needs it";
  return pass(`boxes can have addresses: the bridge ${bridge} ${state}`);
}
