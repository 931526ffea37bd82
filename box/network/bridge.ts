/**
 * The bridge of the host on which boxes with addresses are. It is made for the first of them and removed
 * after the last, unless somebody else had made it. A lock file keeps both from happening at once.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { formatIpNetwork } from "../../text/ip_address.ts";
import { bridgeLockPath, openBridgeLock } from "../claim/bridge_lock.ts";
import type { Sandbox } from "../sandbox.ts";
import {
  addAddress,
  changeLink,
  findLink,
  hasPorts,
  type Link,
  makeLink,
  removeLink,
  silence,
} from "./links.ts";
import { attribute, Netlink } from "./netlink.ts";

/** How a bridge is marked that is to be removed after its last box. */
const MADE_HERE = "made by isolate";
const LOCK_PAUSE_MS = 5;
/** The holder of the lock sends a few messages. */
const LOCK_TRIES_MAX = 400;

/** Finds the bridge of the configuration, or makes it. */
export function findBridge(netlink: Netlink, { settings: { network } }: Sandbox): Link {
  const { bridge: name, bridgeAddresses } = network;
  const found = findLink(netlink, name);
  if (found?.kind === "bridge") return found;
  if (found) {
    throw new SandboxError(
      "bad-option",
      `The network interface ${name} (configured as bridge) is not a bridge: name one, or a name that is free`,
    );
  }
  const what = `make the bridge ${name}`;
  const hardware = crypto.getRandomValues(new Uint8Array(6));
  // Locally administered, of one machine. One of its own does not change with its ports.
  hardware[0] = 0x02;
  makeLink(netlink, {
    kind: "bridge",
    name,
    more: [attribute(linux.IFLA_ADDRESS, hardware)],
    what,
  });
  const made = findLink(netlink, name)!;
  changeLink(netlink, {
    index: made.index,
    attributes: [attribute(linux.IFLA_IFALIAS, MADE_HERE)],
    what,
  });
  silence(netlink, made, what);
  changeLink(netlink, { index: made.index, up: true, what });
  for (const address of bridgeAddresses) {
    const what = `give the bridge ${name} the address ${formatIpNetwork(address)}`;
    addAddress(netlink, { index: made.index, address, what });
  }
  return made;
}

/** Removes the bridge if it was made here and no box is on it. */
export async function removeUnusedBridge(
  netlink: Netlink,
  { settings: { network } }: Sandbox,
): Promise<void> {
  const bridge = findLink(netlink, network.bridge);
  if (bridge?.kind !== "bridge" || bridge.alias !== MADE_HERE) return;
  if (!hasPorts(netlink, bridge.index)) {
    await removeLink(netlink, bridge, `remove the bridge ${network.bridge}`);
  }
}

/** Does something with the bridge that nobody else does at the same time. */
export async function withBridgeLock<T>(
  sandbox: Sandbox,
  work: () => Promise<T>,
): Promise<T> {
  const { system } = sandbox;
  const fd = openBridgeLock(sandbox, { create: true })!;
  try {
    for (let i = 0; !tryLock(system, fd); i++) {
      if (i >= LOCK_TRIES_MAX) {
        throw new SandboxError(
          "system",
          `Somebody holds the lock ${bridgeLockPath(sandbox)} for too long`,
        );
      }
      await sandbox.waiter.sleep(LOCK_PAUSE_MS);
    }
    return await work();
  } finally {
    system.close(fd);
  }
}

/**
 * Removes what a run may have left whose keeper was killed: the kernel removes a box's interfaces with it,
 * but not the bridge.
 */
export async function tidyBridge(sandbox: Sandbox, lock: number): Promise<void> {
  const { system } = sandbox;
  // Who has it removes the bridge.
  if (!tryLock(system, lock)) return;
  const netlink = Netlink.open(system);
  try {
    await removeUnusedBridge(netlink, sandbox);
  } finally {
    netlink.close();
  }
}

function tryLock(system: System, fd: number): boolean {
  const plan = new Plan();
  plan.step("flock", [fd, linux.LOCK_EX | linux.LOCK_NB]);
  const failure = system.attempt(plan, "lock the bridge");
  if (failure && failure.errno !== ERRNO.EAGAIN) throw failure;
  return failure === undefined;
}
