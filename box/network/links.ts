/** Network interfaces: what rtnetlink(7) says of them, and how they are changed. */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { SandboxError } from "../../host/errors.ts";
import type { IpNetwork } from "../../text/ip_address.ts";
import { edgeOf } from "../../text/ip_address.ts";
import { attribute, attributesOf, type Netlink } from "./netlink.ts";

const LINK_BYTES = 16;

/** What is known of an interface. */
export interface Link {
  readonly index: number;
  /** Such as `bridge` or `veth`. */
  readonly kind: string;
  /** What the one who made it wrote there. */
  readonly alias: string;
  readonly master: number;
  /** Whether it can carry packets, as a port of its bridge too. */
  readonly isReady: boolean;
}

/** Finds an interface by its name. */
export function findLink(netlink: Netlink, name: string): Link | undefined {
  const { errno, messages } = netlink.ask({
    type: linux.RTM_GETLINK,
    body: [linkBody({}), attribute(linux.IFLA_IFNAME, name)],
    what: `look for the network interface ${name}`,
    expected: [ERRNO.ENODEV],
  });
  return errno === 0 && messages[0] ? readLink(messages[0]) : undefined;
}

/** Whether a bridge has ports. */
export function hasPorts(netlink: Netlink, bridge: number): boolean {
  const { messages } = netlink.ask({
    type: linux.RTM_GETLINK,
    flags: linux.NLM_F_DUMP,
    body: [linkBody({}), attribute(linux.IFLA_MASTER, bridge)],
    what: "look for the ports of the bridge",
  });
  return messages.some((message) => readLink(message).master === bridge);
}

function readLink(message: Uint8Array): Link {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const attributes = attributesOf(message, LINK_BYTES);
  const info = attributesOf(attributes.get(linux.IFLA_LINKINFO) ?? NOTHING);
  const port = attributesOf(info.get(linux.IFLA_INFO_SLAVE_DATA) ?? NOTHING);
  const state = port.get(linux.IFLA_BRPORT_STATE)?.[0];
  const master = attributes.get(linux.IFLA_MASTER);
  return {
    index: view.getInt32(4, true),
    kind: textOf(info.get(linux.IFLA_INFO_KIND)),
    alias: textOf(attributes.get(linux.IFLA_IFALIAS)),
    master: master ? new DataView(master.buffer, master.byteOffset).getInt32(0, true) : 0,
    isReady: attributes.get(linux.IFLA_OPERSTATE)?.[0] === linux.IF_OPER_UP &&
      (state === undefined || state === linux.BR_STATE_FORWARDING),
  };
}

const NOTHING = new Uint8Array();

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes).replace(/\0+$/, "");
}

/** Writes the fixed part of a message about an interface; with `up` it is to be brought up. */
export function linkBody({ index = 0, up = false }: { index?: number; up?: boolean }): Uint8Array {
  const words = new Uint32Array(LINK_BYTES / 4);
  words[1] = index;
  if (up) words[2] = words[3] = linux.IFF_UP;
  return new Uint8Array(words.buffer);
}

/** Makes an interface; gives the errno if there is one of that name. */
export function makeLink(
  netlink: Netlink,
  { kind, name, data = [], more = [], what }: {
    kind: string;
    name: string;
    /** What is particular to this kind. */
    data?: readonly Uint8Array[];
    more?: readonly Uint8Array[];
    what: string;
  },
): number {
  const info = [
    attribute(linux.IFLA_INFO_KIND, kind),
    ...data.length ? [attribute(linux.IFLA_INFO_DATA, data)] : [],
  ];
  return netlink.ask({
    type: linux.RTM_NEWLINK,
    flags: linux.NLM_F_ACK | linux.NLM_F_CREATE | linux.NLM_F_EXCL,
    body: [
      linkBody({}),
      attribute(linux.IFLA_IFNAME, name),
      attribute(linux.IFLA_LINKINFO, info),
      ...more,
    ],
    what,
    expected: [ERRNO.EEXIST],
  }).errno;
}

/** Changes an interface. */
export function changeLink(
  netlink: Netlink,
  { index, up = false, attributes = [], what }: {
    index: number;
    up?: boolean;
    attributes?: readonly Uint8Array[];
    what: string;
  },
): void {
  const body = [linkBody({ index, up }), ...attributes];
  netlink.ask({ type: linux.RTM_NEWLINK, body, what });
}

/** Removes an interface; no error if it is gone. */
export async function removeLink(
  netlink: Netlink,
  { index }: Link,
  what: string,
): Promise<void> {
  const body = [linkBody({ index })];
  await netlink.askAside({ type: linux.RTM_DELLINK, body, what, expected: [ERRNO.ENODEV] });
}

/** Keeps IPv6 from giving an interface a link-local address when it comes up; where there is none it does not. */
export function silence(netlink: Netlink, { index }: Link, what: string): void {
  const mode = attribute(
    linux.IFLA_INET6_ADDR_GEN_MODE,
    new Uint8Array([linux.IN6_ADDR_GEN_MODE_NONE]),
  );
  const silent = attribute(linux.IFLA_AF_SPEC, [attribute(linux.AF_INET6, [mode])]);
  try {
    changeLink(netlink, { index, attributes: [silent], what });
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
  }
}

/** Gives an interface an address. */
export function addAddress(
  netlink: Netlink,
  { index, address, what }: { index: number; address: IpNetwork; what: string },
): void {
  const { version, bytes, length } = address;
  const body = new Uint8Array(8);
  body.set([familyOf(address), length]);
  new DataView(body.buffer).setUint32(4, index, true);
  const attributes = [
    attribute(linux.IFA_LOCAL, bytes),
    attribute(linux.IFA_ADDRESS, bytes),
    // Nobody else has it: it need not be looked for.
    ...version === 6 ? [attribute(linux.IFA_FLAGS, linux.IFA_F_NODAD)] : [],
    ...version === 4 && length < 31 ? [attribute(linux.IFA_BROADCAST, edgeOf(address, 1))] : [],
  ];
  netlink.ask({
    type: linux.RTM_NEWADDR,
    flags: linux.NLM_F_ACK | linux.NLM_F_CREATE | linux.NLM_F_EXCL,
    body: [body, ...attributes],
    what,
  });
}

/** Sends what is for other networks to a gateway. */
export function addDefaultRoute(
  netlink: Netlink,
  { index, gateway, what }: { index: number; gateway: IpNetwork; what: string },
): void {
  const body = new Uint8Array(12);
  body.set([familyOf(gateway), 0, 0, 0, linux.RT_TABLE_MAIN, linux.RTPROT_STATIC, 0]);
  body[7] = linux.RTN_UNICAST;
  netlink.ask({
    type: linux.RTM_NEWROUTE,
    flags: linux.NLM_F_ACK | linux.NLM_F_CREATE | linux.NLM_F_EXCL,
    body: [
      body,
      attribute(linux.RTA_GATEWAY, gateway.bytes),
      attribute(linux.RTA_OIF, index),
    ],
    what,
  });
}

function familyOf({ version }: IpNetwork): number {
  return version === 4 ? linux.AF_INET : linux.AF_INET6;
}
