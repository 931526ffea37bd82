/** What an administrator can configure. */

import { formatIpAddress, formatIpNetwork, type IpNetwork } from "../text/ip_address.ts";

/** All flags of the system call filter; a test holds this against the filter's own table. */
const SYSCALL_FLAGS_ALL = 31;

/** Where `isolate cg-keeper` publishes the directory that it keeps, unless the configuration names a file. */
export const DELEGATED_GROUP_FILE = "/run/isolate/cgroup";

/** Where the control groups of boxes are made. */
export type CgroupRoot =
  /** The sandbox finds a place by itself (`auto`). */
  | { kind: "auto" }
  /** The directory is written in a file (`auto:FILE`). */
  | { kind: "fromFile"; file: string }
  /** The directory is named. */
  | { kind: "directory"; directory: string };

/** The settings of one box. Both are lists as in cpuset(7), e.g. `0-3,8`. */
export interface BoxSettings {
  /** The CPUs that the box may use (`cpuset.cpus`). */
  cpus?: string;
  /** The memory nodes that the box may use (`cpuset.mems`). */
  mems?: string;
}

/** All settings. */
export interface Settings {
  /** The directory that holds the boxes. */
  boxRoot: string;
  /** The directory that holds the lock files. */
  lockRoot: string;
  /** Where the control groups of boxes are made. */
  cgRoot: CgroupRoot;
  /** The user id of box 0; box N has this plus N. */
  firstUid: number;
  /** The group id of box 0; box N has this plus N. */
  firstGid: number;
  /** How many boxes there can be: their ids are 0 to this minus 1. */
  numBoxes: number;
  /**
   * All boxes have the user and the group of the process itself, as there are no others: an ordinary
   * user's without subordinate ids. Default: false.
   */
  hasOneUser?: boolean;
  /** Whether only root may initialise boxes. */
  restrictedInit: boolean;
  /** The system call filter of boxes whose user asks for no other: a sum of `SYSCALL_FLAGS`. */
  syscallFlags: number;
  /** The settings of single boxes, by their ids. */
  perBox: Map<number, BoxSettings>;
  /** Which addresses boxes may have, and the bridge that they are on. */
  network: NetworkSettings;
  /** The settings of `isolate serve`. */
  service: ServiceSettings;
}

/** The settings of `--address`. */
export interface NetworkSettings {
  /** The bridge of the host; made with the first box that has an address, removed with the last. */
  bridge: string;
  /** The addresses that the host itself gets on a bridge that is made. Default: none. */
  bridgeAddresses: IpNetwork[];
  /** Where boxes send what is for other networks. Default: nowhere, they have no route there. */
  gateways: IpNetwork[];
  /** Whether boxes on the bridge cannot reach each other, only the host. */
  isIsolated: boolean;
  /** The networks whose addresses everybody who may use boxes may use. */
  pool: IpNetwork[];
  /** The networks whose addresses single users and groups may use besides. */
  grants: AddressGrant[];
}

/** Who may use which addresses. */
export interface AddressGrant {
  /** Whether `name` is that of a user or of a group. */
  kind: "user" | "group";
  /** A name of the system's, or a number. */
  name: string;
  /** The networks. */
  networks: IpNetwork[];
}

/** Who may use which boxes through the service. */
export interface ServiceGrant {
  /** Whether `name` is that of a user or of a group. */
  kind: "user" | "group";
  /** A name of the system's, or a number. */
  name: string;
  /** The first of the boxes. */
  first: number;
  /** The last of the boxes. */
  last: number;
}

/** The settings of `isolate serve`. */
export interface ServiceSettings {
  /** The path of the unix socket. */
  socket: string;
  /** The group of the socket, by name or number. Default: root's. */
  socketGroup: string | undefined;
  /** The permissions of the socket. */
  socketMode: number;
  /** The path of a unix socket that serves the metrics over HTTP. Default: there is none. */
  metricsSocket: string | undefined;
  /** Who may use which boxes. Default: everybody who may connect may use all. */
  grants: ServiceGrant[];
  /** How many clients are served at once. */
  clients: number;
  /** How many of them may be one user's, unless it is root. */
  clientsPerUser: number;
  /** How long a service that is stopped waits for running boxes, in seconds. */
  stopWaitSeconds: number;
  /** How long a box is kept ready for its next run, in seconds; 0: boxes are not made ready. */
  readySeconds: number;
  /** As long as the machine has less memory available than this, in MB, no boxes are kept ready. */
  readyMemoryMb: number;
}

/**
 * The settings where there is no configuration file.
 *
 * @returns A new object each time.
 *
 * @example Usage
 * ```ts
 * import { defaultSettings } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(defaultSettings().firstUid, 60000);
 * ```
 */
export function defaultSettings(): Settings {
  return {
    boxRoot: "/var/local/lib/isolate",
    lockRoot: "/run/isolate/locks",
    cgRoot: { kind: "auto" },
    firstUid: 60000,
    firstGid: 60000,
    numBoxes: 1000,
    restrictedInit: false,
    syscallFlags: SYSCALL_FLAGS_ALL,
    perBox: new Map(),
    network: {
      bridge: "isolate0",
      bridgeAddresses: [],
      gateways: [],
      isIsolated: true,
      pool: [],
      grants: [],
    },
    service: {
      socket: "/run/isolate/socket",
      socketGroup: undefined,
      socketMode: 0o660,
      metricsSocket: undefined,
      grants: [],
      clients: 1024,
      clientsPerUser: 256,
      stopWaitSeconds: 10,
      readySeconds: 60,
      readyMemoryMb: 256,
    },
  };
}

/**
 * Writes settings in the classic form of a configuration file, for people to read.
 *
 * @param settings The settings.
 * @returns One `key = value` line a setting, each ended by a newline.
 *
 * @example Usage
 * ```ts
 * import { defaultSettings, describeSettings } from "@isolate/isolate";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(describeSettings(defaultSettings()), "num_boxes = 1000\n");
 * ```
 */
export function describeSettings(settings: Settings): string {
  const lines = [
    `box_root = ${settings.boxRoot}`,
    `lock_root = ${settings.lockRoot}`,
    `cg_root = ${describeCgroupRoot(settings.cgRoot)}`,
    `first_uid = ${settings.firstUid}`,
    `first_gid = ${settings.firstGid}`,
    `num_boxes = ${settings.numBoxes}`,
    `restricted_init = ${settings.restrictedInit ? 1 : 0}`,
    `syscall_flags = ${settings.syscallFlags}`,
    ...describeNetwork(settings.network),
    ...describeService(settings.service),
  ];
  for (const [id, { cpus, mems }] of [...settings.perBox].sort(([a], [b]) => a - b)) {
    if (cpus !== undefined) lines.push(`box${id}.cpus = ${cpus}`);
    if (mems !== undefined) lines.push(`box${id}.mems = ${mems}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function describeNetwork(network: NetworkSettings): string[] {
  const { bridge, bridgeAddresses, gateways, isIsolated, pool, grants } = network;
  const list = (key: string, values: readonly string[]) =>
    values.length === 0 ? [] : [`${key} = ${values.join(", ")}`];
  return [
    `bridge = ${bridge}`,
    `bridge_isolated = ${isIsolated ? 1 : 0}`,
    ...list("bridge_address", bridgeAddresses.map(formatIpNetwork)),
    ...list("bridge_gateway", gateways.map(formatIpAddress)),
    ...list("address_pool", pool.map(formatIpNetwork)),
    ...grants.flatMap(({ kind, name, networks }) =>
      list(`address_${kind}.${name}`, networks.map(formatIpNetwork))
    ),
  ];
}

function describeService(service: ServiceSettings): string[] {
  const { socketGroup, metricsSocket, grants } = service;
  return [
    `service_socket = ${service.socket}`,
    ...socketGroup === undefined ? [] : [`service_socket_group = ${socketGroup}`],
    `service_socket_mode = ${service.socketMode.toString(8).padStart(4, "0")}`,
    ...metricsSocket === undefined ? [] : [`service_metrics_socket = ${metricsSocket}`],
    ...grants.map(({ kind, name, first, last }) => `service_${kind}.${name} = ${first}-${last}`),
    `service_clients = ${service.clients}`,
    `service_clients_per_user = ${service.clientsPerUser}`,
    `service_stop_wait = ${service.stopWaitSeconds}`,
    `service_ready = ${service.readySeconds}`,
    `service_ready_memory = ${service.readyMemoryMb}`,
  ];
}

function describeCgroupRoot(root: CgroupRoot): string {
  if (root.kind === "auto") return "auto";
  return root.kind === "fromFile" ? `auto:${root.file}` : root.directory;
}
