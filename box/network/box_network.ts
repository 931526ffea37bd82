/**
 * The network of a box with an address: a namespace with one end of a pair of interfaces, veth(4), whose
 * other end is a port of the host's bridge. All is ready before init enters the namespace.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { formatIpAddress, formatIpNetwork, type IpNetwork } from "../../text/ip_address.ts";
import type { Sandbox } from "../sandbox.ts";
import { planMask, reap, STACK_SIZE } from "../setup/clone.ts";
import { findBridge, removeUnusedBridge, withBridgeLock } from "./bridge.ts";
import {
  addAddress,
  addDefaultRoute,
  changeLink,
  findLink,
  type Link,
  makeLink,
  removeLink,
  silence,
} from "./links.ts";
import { attribute, Netlink } from "./netlink.ts";
import { checkAddress, readBoxAddress } from "./permission.ts";

/** What the interface is called inside. */
const INSIDE = "eth0";
/** The kernel takes a moment to remove the interfaces of a box that was killed. */
const TAKEN_TRIES_MAX = 10;
const TAKEN_PAUSE_MS = 50;
const READY_TRIES_MAX = 200;
/** Ignores routers, and hosts that offer a better route. */
const SYSCTLS = ["all", "default"].flatMap((which) => [
  `ipv6/conf/${which}/accept_ra`,
  `ipv6/conf/${which}/accept_redirects`,
  `ipv4/conf/${which}/accept_redirects`,
]);

/** The network of a box while a program runs in it. */
export interface BoxNetwork {
  /** The namespace. */
  readonly fd: number;
  /** Removes it; the program is dead. */
  disconnect(): Promise<void>;
}

/** Makes the network of a box that has an address; throws one sentence if it may not have that. */
export async function connectBox(
  sandbox: Sandbox,
  { boxId, address: text }: { boxId: number; address: string },
): Promise<BoxNetwork> {
  const { system, caller, settings } = sandbox;
  const address = readBoxAddress(text);
  if (sandbox.isRootless) {
    throw new SandboxError(
      "restricted",
      "Option --address needs root: nobody else can put a box on a bridge of the host",
    );
  }
  checkAddress(system, { address, caller, settings: settings.network });
  const outside = Netlink.open(system);
  const { namespace, netlink: inside } = makeNamespace(system);
  const close = () => {
    system.close(namespace);
    inside.close();
    outside.close();
  };
  const name = outsideName(address);
  const disconnect = async () => {
    try {
      await withBridgeLock(sandbox, async () => {
        const link = findLink(outside, name);
        if (link?.alias === markOf(sandbox, boxId)) {
          await removeLink(outside, link, `remove ${name}`);
        }
        await removeUnusedBridge(outside, sandbox);
      });
    } finally {
      close();
    }
  };
  const box = { boxId, address, name, namespace, inside, outside };
  try {
    for (let i = 0; !await withBridgeLock(sandbox, () => connect(sandbox, box)); i++) {
      if (i >= TAKEN_TRIES_MAX) {
        throw new SandboxError(
          "bad-option",
          `The address ${formatIpAddress(address)} is used by another box at the moment`,
        );
      }
      await sandbox.waiter.sleep(TAKEN_PAUSE_MS);
    }
    for (let i = 0; !findLink(outside, name)?.isReady && i < READY_TRIES_MAX; i++) {
      await sandbox.waiter.sleep(1);
    }
    return { fd: namespace, disconnect };
  } catch (error) {
    await disconnect();
    throw error;
  }
}

/** The two ends, and what is known of them. */
interface Ends {
  readonly boxId: number;
  readonly address: IpNetwork;
  readonly name: string;
  readonly namespace: number;
  readonly inside: Netlink;
  readonly outside: Netlink;
}

/** Connects the namespace to the bridge; false: another box has the address. */
async function connect(sandbox: Sandbox, ends: Ends): Promise<boolean> {
  const { settings: { network } } = sandbox;
  const { address, name, namespace, inside, outside } = ends;
  const bridge = findBridge(outside, sandbox);
  const what = `connect the box to the bridge ${network.bridge}`;
  const peer = [
    attribute(linux.IFLA_IFNAME, INSIDE),
    attribute(linux.IFLA_ADDRESS, hardwareAddress(address)),
    attribute(linux.IFLA_NET_NS_FD, namespace),
  ];
  const make = () =>
    makeLink(outside, {
      kind: "veth",
      name,
      data: [attribute(linux.VETH_INFO_PEER, [new Uint8Array(16), ...peer])],
      what,
    });
  if (make() === ERRNO.EEXIST) {
    const other = findLink(outside, name);
    // That of this box, whose lock we have, is left of a run whose keeper was killed.
    if (other?.alias === markOf(sandbox, ends.boxId)) {
      await removeLink(outside, other, `remove ${name}`);
    }
    if (make() === ERRNO.EEXIST) return false;
  }
  const port = findLink(outside, name)!;
  const eth = findLink(inside, INSIDE)!;
  const mark = [attribute(linux.IFLA_IFALIAS, markOf(sandbox, ends.boxId))];
  changeLink(outside, { index: port.index, attributes: mark, what });
  joinBridge(outside, { port, bridge, isIsolated: network.isIsolated, what });
  silence(outside, port, what);
  silence(inside, eth, what);
  changeLink(outside, { index: port.index, up: true, what });
  changeLink(inside, { index: eth.index, up: true, what });
  addAddress(inside, {
    index: eth.index,
    address,
    what: `give the box the address ${formatIpNetwork(address)}`,
  });
  for (const gateway of network.gateways) {
    if (gateway.version !== address.version) continue;
    addDefaultRoute(inside, {
      index: eth.index,
      gateway,
      what: `give the box a route by the gateway ${formatIpAddress(gateway)} (bridge_gateway)`,
    });
  }
  return true;
}

function joinBridge(
  netlink: Netlink,
  { port, bridge, isIsolated, what }: {
    port: Link;
    bridge: Link;
    isIsolated: boolean;
    what: string;
  },
): void {
  const master = attribute(linux.IFLA_MASTER, bridge.index);
  changeLink(netlink, { index: port.index, attributes: [master], what });
  const isolated = attribute(linux.IFLA_BRPORT_ISOLATED, new Uint8Array([isIsolated ? 1 : 0]));
  const info = attribute(linux.IFLA_LINKINFO, [
    attribute(linux.IFLA_INFO_SLAVE_KIND, "bridge"),
    attribute(linux.IFLA_INFO_SLAVE_DATA, [isolated]),
  ]);
  changeLink(netlink, { index: port.index, attributes: [info], what });
}

/** Says whose an interface is. */
function markOf({ settings }: Sandbox, boxId: number): string {
  return `isolate box ${boxId} of ${settings.lockRoot}`.slice(0, 250);
}

/** The name of the outer end, which comes from the address: the kernel lets no second box have it. */
function outsideName({ version, bytes }: IpNetwork): string {
  const hexadecimal = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return version === 4 ? `iso-${hexadecimal}` : `iso6${hashed(bytes)}`;
}

/** FNV-1a, of which eleven digits are left: all that fits into a name. */
function hashed(bytes: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0").slice(5);
}

/** The same for each run with an address: neighbours remember who had it. */
function hardwareAddress({ version, bytes }: IpNetwork): Uint8Array {
  const last = version === 4 ? bytes : bytes.slice(12).map((byte, i) => {
    return byte ^ bytes[i]! ^ bytes[i + 4]! ^ bytes[i + 8]!;
  });
  return new Uint8Array([0x02, version === 4 ? 0x49 : 0x4a, ...last]);
}

/** Makes a network namespace that lives as long as it is used or open, and a socket into it. */
function makeNamespace(system: System): { namespace: number; netlink: Netlink } {
  const plan = new Plan();
  const [child, namespace, socket] = ["child", "network namespace", "netlink socket"].map((name) =>
    plan.slot(name)
  ) as [Slot, Slot, Slot];
  const [pidfd, isMade] = [plan.struct([-1n]), plan.struct([0n])];
  // The child shares our descriptors, so that what it opens outlives it.
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_FILES | linux.CLONE_PIDFD |
    linux.CLONE_NEWNET;
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  plan.because("option --address", () => {
    planMask(plan, () => {
      plan.spawn(args, { into: child, what: "make a network namespace" }, () => {
        const path = plan.string("/proc/self/ns/net");
        plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: namespace });
        plan.step("socket", [linux.AF_NETLINK, linux.SOCK_RAW | linux.SOCK_CLOEXEC, 0], {
          into: socket,
        });
        for (const name of SYSCTLS) planSysctl(plan, name);
        plan.step("store", [isMade, 8, 1]);
      });
    });
  });
  const failure = system.attempt(plan, "make a network namespace");
  if (plan.result(child) > 0) {
    const childFd = plan.view(pidfd).getInt32(0, true);
    reap(system, childFd);
    system.close(childFd);
  }
  const made = {
    namespace: plan.result(namespace),
    netlink: new Netlink(system, plan.result(socket)),
  };
  if (plan.view(isMade).getUint32(0, true) === 1) return made;
  system.close(made.namespace, made.netlink.fd);
  throw failure ?? new SandboxError("system", "option --address: cannot make a network namespace");
}

/** Adds steps that write a setting of the namespace, if there is such a one. */
function planSysctl(plan: Plan, name: string): void {
  const fd = plan.slot(name);
  const path = plan.string(`/proc/sys/net/${name}`);
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_WRONLY | linux.O_CLOEXEC, 0], {
    into: fd,
    ignore: "all",
  });
  plan.step("write", [fd, plan.string("0"), 1], { ignore: "all" });
  plan.step("close", [fd], { ignore: "all" });
}
