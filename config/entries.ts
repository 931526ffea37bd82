/** From `key = value` pairs to settings: what all formats of the configuration share. */

import { FileError } from "../text/errors.ts";
import {
  type BoxSettings,
  type CgroupRoot,
  defaultSettings,
  type NetworkSettings,
  type ServiceSettings,
  type Settings,
} from "./settings.ts";
import { type IpNetwork, parseIpAddress, parseIpNetwork } from "../text/ip_address.ts";

/** One setting of a file. */
export interface ConfigEntry {
  /** The key, e.g. `num_boxes` or `box3.cpus`. */
  readonly key: string;
  readonly value: string;
  /** The line of the key, counted from 1. */
  readonly line: number;
}

/** A configuration file that has been understood. */
export interface ParsedConfig {
  readonly file: string;
  /** The settings of the file over the default ones. */
  readonly settings: Settings;
  /**
   * The user whose subordinate ids the boxes get, and the line that says so. The ids in `settings` are
   * then still to be replaced: see `withSubordinateIds()`.
   */
  subidUser?: { readonly name: string; readonly line: number };
}

/** The largest id that a box can have: the one above, (uid_t) -1, means "no change". */
export const ID_MAX = 0xffff_fffe;

/** The largest number of boxes: their ids must fit into the option `--box-id`. */
export const NUM_BOXES_MAX = 0x8000_0000;

const SYSCALL_FLAGS_MAX = 0x7fff_ffff;
const CLIENTS_MAX = 100_000;
const SECONDS_MAX = 86_400;
const MEGABYTES_MAX = 2 ** 31 - 1;

/** Throws with the place of the entry that is read. */
type Refuse = (reason: string) => never;

/** Reads the value of a key; throws a reason that begins with the key. */
type ReadEntry<Value> = (entry: ConfigEntry, refuse: Refuse) => Value;

type Assign = (parsed: ParsedConfig, entry: ConfigEntry, refuse: Refuse) => void;

const ASSIGN: { readonly [key: string]: Assign } = {
  box_root: store("boxRoot", absolutePath),
  lock_root: store("lockRoot", absolutePath),
  cg_root: store("cgRoot", cgroupRoot),
  first_uid: store("firstUid", wholeNumber(1, ID_MAX)),
  first_gid: store("firstGid", wholeNumber(1, ID_MAX)),
  num_boxes: store("numBoxes", wholeNumber(1, NUM_BOXES_MAX)),
  restricted_init: store("restrictedInit", truth),
  syscall_flags: store(
    "syscallFlags",
    (entry, refuse) =>
      entry.value === "all"
        ? defaultSettings().syscallFlags
        : wholeNumber(0, SYSCALL_FLAGS_MAX)(entry, refuse),
  ),
  bridge: storeForNetwork("bridge", interfaceName),
  bridge_address: storeForNetwork("bridgeAddresses", networks),
  bridge_gateway: storeForNetwork("gateways", addresses),
  bridge_isolated: storeForNetwork("isIsolated", truth),
  address_pool: storeForNetwork("pool", networks),
  service_socket: storeForService("socket", absolutePath),
  service_socket_group: storeForService("socketGroup", ({ value }) => value),
  service_socket_mode: storeForService("socketMode", permissions),
  service_metrics_socket: storeForService("metricsSocket", absolutePath),
  service_clients: storeForService("clients", wholeNumber(1, CLIENTS_MAX)),
  service_clients_per_user: storeForService("clientsPerUser", wholeNumber(1, CLIENTS_MAX)),
  service_stop_wait: storeForService("stopWaitSeconds", wholeNumber(0, SECONDS_MAX)),
  service_ready: storeForService("readySeconds", wholeNumber(0, SECONDS_MAX)),
  service_ready_memory: storeForService("readyMemoryMb", wholeNumber(0, MEGABYTES_MAX)),
  subid_user: (parsed, { value, line }) => parsed.subidUser = { name: value, line },
};

function store<Key extends keyof Settings>(key: Key, read: ReadEntry<Settings[Key]>): Assign {
  return ({ settings }, entry, refuse) => settings[key] = read(entry, refuse);
}

function storeForNetwork<Key extends keyof NetworkSettings>(
  key: Key,
  read: ReadEntry<NetworkSettings[Key]>,
): Assign {
  return ({ settings }, entry, refuse) => settings.network[key] = read(entry, refuse);
}

function storeForService<Key extends keyof ServiceSettings>(
  key: Key,
  read: ReadEntry<ServiceSettings[Key]>,
): Assign {
  return ({ settings }, entry, refuse) => settings.service[key] = read(entry, refuse);
}

/** Makes settings of the entries of a file, whatever its format. */
export function settingsFromEntries(
  entries: Iterable<ConfigEntry>,
  file: string,
  settings: Settings = defaultSettings(),
): ParsedConfig {
  const parsed: ParsedConfig = { file, settings };
  const lines = new Map<string, number>();
  for (const entry of entries) {
    const { key, value, line } = entry;
    const refuse: Refuse = (reason) => {
      throw new FileError(reason, { file, line });
    };
    const assign = Object.hasOwn(ASSIGN, key) ? ASSIGN[key] : boxAssign(key) ?? grantAssign(key) ??
      addressGrantAssign(key);
    if (assign === undefined) refuse(unknownKey(entry));
    const earlier = lines.get(key);
    if (earlier !== undefined) refuse(`${key} comes twice, first on line ${earlier}`);
    lines.set(key, line);
    if (value === "") refuse(`${key} has no value`);
    if (value.includes("\0")) refuse(`${key} holds a NUL byte`);
    assign(parsed, entry, refuse);
  }
  checkIds(parsed, lines);
  return parsed;
}

function unknownKey({ key, value }: ConfigEntry): string {
  if (key === "cg_parent") {
    // Version 1 of the classic command had it beside a cg_root that held the hierarchies.
    return `cg_parent is not used any more: name the whole group with cg_root, such as cg_root = ` +
      `/sys/fs/cgroup/memory/${value || "isolate"}, or leave both out`;
  }
  const known = [
    ...Object.keys(ASSIGN),
    "boxN.cpus",
    "boxN.mems",
    "service_user.NAME",
    "service_group.NAME",
    "address_user.NAME",
    "address_group.NAME",
  ].join(", ");
  return `unknown key '${key}' (known keys: ${known})`;
}

function boxAssign(key: string): Assign | undefined {
  const match = /^box(0|[1-9][0-9]*)\.(cpus|mems)$/.exec(key);
  if (match === null) return undefined;
  const id = Number(match[1]);
  const field: keyof BoxSettings = match[2] === "cpus" ? "cpus" : "mems";
  return ({ settings }, entry, refuse) => {
    if (id >= NUM_BOXES_MAX) refuse(`there can be no box ${match[1]}`);
    settings.perBox.set(id, { ...settings.perBox.get(id), [field]: cpusetList(entry, refuse) });
  };
}

/** `service_user.NAME = FIRST-LAST`: the boxes that a user, or the members of a group, may use. */
function grantAssign(key: string): Assign | undefined {
  const [, kind, name] = /^service_(user|group)\.(.+)$/.exec(key) ?? [];
  if (kind !== "user" && kind !== "group" || name === undefined) return undefined;
  return ({ settings }, { value }, refuse) => {
    const [, from = "", to = from] = /^([0-9]+)(?:-([0-9]+))?$/.exec(value) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === "" || first > last || last >= NUM_BOXES_MAX) {
      refuse(`${key} must be a range of boxes such as 0-99: current value is '${value}'`);
    }
    settings.service.grants.push({ kind, name, first, last });
  };
}

/** `address_user.NAME = NETWORK, ...`: the addresses that boxes of a user, or of a group's members, may have. */
function addressGrantAssign(key: string): Assign | undefined {
  const [, kind, name] = /^address_(user|group)\.(.+)$/.exec(key) ?? [];
  if (kind !== "user" && kind !== "group" || name === undefined) return undefined;
  return ({ settings }, entry, refuse) => {
    settings.network.grants.push({ kind, name, networks: networks(entry, refuse) });
  };
}

/** Checks that ranges of ids are whole: half of one, or two of them, is a mistake that mixes up users. */
function checkIds({ file, settings, subidUser }: ParsedConfig, lines: Map<string, number>): void {
  const refuse = (reason: string, key: string) => {
    throw new FileError(reason, { file, line: lines.get(key) ?? lines.get("num_boxes") });
  };
  if (subidUser !== undefined) {
    for (const key of ["first_uid", "first_gid", "num_boxes"]) {
      if (!lines.has(key)) continue;
      refuse(`${key} and subid_user (line ${subidUser.line}) exclude each other`, key);
    }
    return;
  }
  for (const [key, other] of [["first_uid", "first_gid"], ["first_gid", "first_uid"]] as const) {
    if (lines.has(key) && !lines.has(other)) refuse(`${key} needs ${other} beside it`, key);
  }
  const { firstUid, firstGid, numBoxes } = settings;
  for (const [key, first] of [["first_uid", firstUid], ["first_gid", firstGid]] as const) {
    const last = first + numBoxes - 1;
    if (last <= ID_MAX) continue;
    refuse(
      `${key} ${first} leaves no room for ${numBoxes} boxes: the last id would be ${last}, the ` +
        `largest possible is ${ID_MAX}`,
      key,
    );
  }
}

function absolutePath({ key, value }: ConfigEntry, refuse: Refuse): string {
  if (value.startsWith("/")) return value.replace(/(?<=.)\/+$/, "");
  return refuse(`${key} must be an absolute path: current value is '${value}'`);
}

function cgroupRoot(entry: ConfigEntry, refuse: Refuse): CgroupRoot {
  const { value } = entry;
  if (value === "auto") return { kind: "auto" };
  if (value.startsWith("auto:/")) return { kind: "fromFile", file: value.slice("auto:".length) };
  if (value.startsWith("/")) return { kind: "directory", directory: absolutePath(entry, refuse) };
  return refuse(
    `cg_root must be 'auto', 'auto:FILE' or an absolute path: current value is '${value}'`,
  );
}

function wholeNumber(min: number, max: number): ReadEntry<number> {
  return ({ key, value }, refuse) => {
    if (!/^[0-9]+$/.test(value)) {
      refuse(`${key} must be a whole number: current value is '${value}'`);
    }
    const number = Number(value);
    if (number >= min && number <= max) return number;
    return refuse(`${key} must be from ${min} to ${max}: current value is ${value}`);
  };
}

function permissions({ key, value }: ConfigEntry, refuse: Refuse): number {
  if (/^0?[0-7]{3}$/.test(value)) return parseInt(value, 8);
  return refuse(`${key} must be octal permissions like 0660: current value is '${value}'`);
}

/** The kernel takes more, but nobody wants to type that. */
function interfaceName({ key, value }: ConfigEntry, refuse: Refuse): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(value)) return value;
  return refuse(
    `${key} must be up to 15 letters, digits, dots, dashes and underscores: current value is '${value}'`,
  );
}

function networks(entry: ConfigEntry, refuse: Refuse): IpNetwork[] {
  return listed(entry, parseIpNetwork, () =>
    refuse(
      `${entry.key} must be a list of networks such as 10.77.0.0/24, fd77::/64: current value is ` +
        `'${entry.value}'`,
    ));
}

function addresses(entry: ConfigEntry, refuse: Refuse): IpNetwork[] {
  return listed(entry, parseIpAddress, () =>
    refuse(
      `${entry.key} must be a list of addresses such as 10.77.0.1, fd77::1: current value is ` +
        `'${entry.value}'`,
    ));
}

function listed(
  { value }: ConfigEntry,
  read: (text: string) => IpNetwork | undefined,
  refuse: () => never,
): IpNetwork[] {
  return value.split(",").map((part) => read(part.trim()) ?? refuse());
}

function truth({ key, value }: ConfigEntry, refuse: Refuse): boolean {
  if (value === "1" || value === "true") return true;
  if (value === "0" || value === "false") return false;
  return refuse(`${key} must be 0 or 1: current value is '${value}'`);
}

/** Reads a list as in cpuset(7), "List format"; `0-31:2/8` there is two of every eight. */
function cpusetList({ key, value }: ConfigEntry, refuse: Refuse): string {
  const list = value.replaceAll(/[ \t]/g, "");
  for (const range of list.split(",")) {
    const match = /^([0-9]+)(?:-([0-9]+)(?::[0-9]+\/[0-9]+)?)?$/.exec(range);
    if (match === null || Number(match[2] ?? match[1]) < Number(match[1])) {
      refuse(`${key} must be a list like 0-3,8: current value is '${value}'`);
    }
  }
  return list;
}
