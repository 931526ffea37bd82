/** Users and groups by their names, in the files of this machine; see passwd(5) and group(5). */

import type { System } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";
import { SandboxError } from "./errors.ts";
import { readFile } from "./read.ts";

const FILES = { user: "/etc/passwd", group: "/etc/group" } as const;
const FILE_BYTES_MAX = 1 << 26;

/** Finds the number of a user or a group that the configuration names. */
export function findId(system: System, kind: "user" | "group", name: string): number {
  if (/^[0-9]+$/.test(name)) return Number(name);
  const fields = findFields(system, kind, name);
  if (fields) return Number(fields[0]);
  throw new SandboxError(
    "bad-option",
    `There is no ${kind} ${name} in ${FILES[kind]}, which the configuration names`,
  );
}

/** Finds a user by name, with the user's own group. */
export function findUserByName(
  system: System,
  name: string,
): { uid: number; gid: number } | undefined {
  const fields = findFields(system, "user", name);
  return fields && { uid: Number(fields[0]), gid: Number(fields[1]) };
}

/** Finds what a user is called; undefined for one that the file does not list. */
export function findUserName(system: System, uid: number): string | undefined {
  const file = readFile(system, FILES.user, { limitBytes: FILE_BYTES_MAX });
  for (const line of file ? decodeOsString(file.bytes).split("\n") : []) {
    const [name, , id] = line.split(":");
    if (id === String(uid)) return name;
  }
  return undefined;
}

/** The fields behind name and password; the first, and of a user the second, are numbers. */
function findFields(system: System, kind: "user" | "group", name: string): string[] | undefined {
  const file = readFile(system, FILES[kind], { limitBytes: FILE_BYTES_MAX });
  for (const line of file ? decodeOsString(file.bytes).split("\n") : []) {
    const [found, , ...fields] = line.split(":");
    const numbers = fields.slice(0, kind === "user" ? 2 : 1);
    if (found === name && numbers.every((text) => /^[0-9]+$/.test(text))) return fields;
  }
  return undefined;
}
