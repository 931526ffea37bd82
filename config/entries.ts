/** From `key = value` pairs to settings: what all formats of the configuration share. */

import { FileError } from "../text/errors.ts";
import { type BoxSettings, type ControlGroupRoot, defaultSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** One setting as it stands in a file. */
export interface ConfigEntry {
  /** The key, e.g. `num_boxes` or `box3.cpus`. */
  key: string;
  /** The value as text. */
  value: string;
  /** The line of the key, counted from 1. */
  line: number;
}

/** A configuration file that has been understood. */
export interface ParsedConfig {
  /** The path of the file. */
  file: string;
  /** The settings of the file over the default ones. */
  settings: Settings;
  /**
   * The user whose subordinate ids the boxes get, and the line that says so. If there is one, then
   * the ids in `settings` are still to be replaced: see `withSubordinateIds()`.
   */
  subidUser?: { name: string; line: number };
}

/** The largest id that a box can have: the one above, (uid_t) -1, stands for "no change". */
export const ID_MAX = 0xffff_fffe;

/** The largest number of boxes: their ids must fit into the option `--box-id`. */
export const NUM_BOXES_MAX = 0x8000_0000;

const SYSCALL_FLAGS_MAX = 0x7fff_ffff;
const BOX_ID_MAX = NUM_BOXES_MAX - 1;

type Assign = (parsed: ParsedConfig, entry: ConfigEntry) => void;

const ASSIGN: { readonly [key: string]: Assign } = {
  box_root: ({ file, settings }, entry) => settings.boxRoot = absolutePath(file, entry),
  lock_root: ({ file, settings }, entry) => settings.lockRoot = absolutePath(file, entry),
  cg_root: ({ file, settings }, entry) => settings.cgRoot = controlGroupRoot(file, entry),
  first_uid: ({ file, settings }, entry) => {
    settings.firstUid = wholeNumber(file, { entry, min: 1, max: ID_MAX });
  },
  first_gid: ({ file, settings }, entry) => {
    settings.firstGid = wholeNumber(file, { entry, min: 1, max: ID_MAX });
  },
  num_boxes: ({ file, settings }, entry) => {
    settings.numBoxes = wholeNumber(file, { entry, min: 1, max: NUM_BOXES_MAX });
  },
  restricted_init: ({ file, settings }, entry) => settings.restrictedInit = truth(file, entry),
  syscall_flags: ({ file, settings }, entry) => {
    if (entry.value === "all") settings.syscallFlags = defaultSettings().syscallFlags;
    else settings.syscallFlags = wholeNumber(file, { entry, min: 0, max: SYSCALL_FLAGS_MAX });
  },
  subid_user: (parsed, { value, line }) => parsed.subidUser = { name: value, line },
};

/** Makes settings of the entries of a file, whatever its format. */
export function settingsFromEntries(entries: Iterable<ConfigEntry>, file: string): ParsedConfig {
  const parsed: ParsedConfig = { file, settings: defaultSettings() };
  const lines = new Map<string, number>();
  for (const entry of entries) {
    const { key, value, line } = entry;
    const assign = Object.hasOwn(ASSIGN, key) ? ASSIGN[key] : boxAssign(key);
    if (assign === undefined) throw new FileError(unknownKey(entry), { file, line });
    const earlier = lines.get(key);
    if (earlier !== undefined) {
      throw new FileError(`${key} comes twice, first on line ${earlier}`, { file, line });
    }
    lines.set(key, line);
    if (value === "") throw new FileError(`${key} has no value`, { file, line });
    if (value.includes("\0")) throw new FileError(`${key} holds a NUL byte`, { file, line });
    assign(parsed, entry);
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
  const known = [...Object.keys(ASSIGN), "boxN.cpus", "boxN.mems"].join(", ");
  return `unknown key '${key}' (known keys: ${known})`;
}

function boxAssign(key: string): Assign | undefined {
  const match = /^box(0|[1-9][0-9]*)\.(cpus|mems)$/.exec(key);
  if (match === null) return undefined;
  const id = Number(match[1]);
  const field: keyof BoxSettings = match[2] === "cpus" ? "cpus" : "mems";
  return ({ file, settings }, entry) => {
    if (id > BOX_ID_MAX) {
      throw new FileError(`there can be no box ${match[1]}`, { file, line: entry.line });
    }
    const boxSettings = settings.perBox.get(id) ?? {};
    boxSettings[field] = cpusetList(file, entry);
    settings.perBox.set(id, boxSettings);
  };
}

/** Ranges of ids come whole: half of one, or two of them, is a mistake that mixes up users. */
function checkIds(parsed: ParsedConfig, lines: ReadonlyMap<string, number>): void {
  const { file, settings, subidUser } = parsed;
  const uidLine = lines.get("first_uid");
  const gidLine = lines.get("first_gid");
  const countLine = lines.get("num_boxes");
  if (subidUser !== undefined) {
    for (const key of ["first_uid", "first_gid", "num_boxes"]) {
      const line = lines.get(key);
      if (line === undefined) continue;
      throw new FileError(
        `${key} and subid_user (line ${subidUser.line}) exclude each other`,
        { file, line },
      );
    }
    return;
  }
  if (uidLine !== undefined && gidLine === undefined) {
    throw new FileError("first_uid needs first_gid beside it", { file, line: uidLine });
  }
  if (gidLine !== undefined && uidLine === undefined) {
    throw new FileError("first_gid needs first_uid beside it", { file, line: gidLine });
  }
  const ranges = [
    { key: "first_uid", first: settings.firstUid, line: uidLine ?? countLine },
    { key: "first_gid", first: settings.firstGid, line: gidLine ?? countLine },
  ];
  for (const { key, first, line } of ranges) {
    const last = first + settings.numBoxes - 1;
    if (last <= ID_MAX) continue;
    throw new FileError(
      `${key} ${first} leaves no room for ${settings.numBoxes} boxes: the last id would be ${last}, at most ${ID_MAX} is possible`,
      { file, line },
    );
  }
}

function absolutePath(file: string, { key, value, line }: ConfigEntry): string {
  if (!value.startsWith("/")) {
    throw new FileError(`${key} must be an absolute path: current value is '${value}'`, {
      file,
      line,
    });
  }
  return value.replace(/(?<=.)\/+$/, "");
}

function controlGroupRoot(file: string, entry: ConfigEntry): ControlGroupRoot {
  const { value, line } = entry;
  if (value === "auto") return { kind: "auto" };
  if (value.startsWith("auto:/")) return { kind: "fromFile", file: value.slice("auto:".length) };
  if (value.startsWith("/")) return { kind: "directory", directory: absolutePath(file, entry) };
  throw new FileError(
    `cg_root must be 'auto', 'auto:FILE' or an absolute path: current value is '${value}'`,
    { file, line },
  );
}

function wholeNumber(
  file: string,
  { entry: { key, value, line }, min, max }: { entry: ConfigEntry; min: number; max: number },
): number {
  if (!/^[0-9]+$/.test(value)) {
    throw new FileError(`${key} must be a whole number: current value is '${value}'`, {
      file,
      line,
    });
  }
  const number = Number(value);
  if (number < min || number > max) {
    throw new FileError(`${key} must be from ${min} to ${max}: current value is ${value}`, {
      file,
      line,
    });
  }
  return number;
}

function truth(file: string, { key, value, line }: ConfigEntry): boolean {
  if (value === "1" || value === "true") return true;
  if (value === "0" || value === "false") return false;
  throw new FileError(`${key} must be 0 or 1: current value is '${value}'`, { file, line });
}

/** See the section "List format" of cpuset(7); `0-31:2/8` there is two of every eight. */
function cpusetList(file: string, { key, value, line }: ConfigEntry): string {
  const list = value.replaceAll(/[ \t]/g, "");
  for (const range of list.split(",")) {
    const match = /^([0-9]+)(?:-([0-9]+)(?::[0-9]+\/[0-9]+)?)?$/.exec(range);
    if (match === null || Number(match[2] ?? match[1]) < Number(match[1])) {
      throw new FileError(`${key} must be a list like 0-3,8: current value is '${value}'`, {
        file,
        line,
      });
    }
  }
  return list;
}
