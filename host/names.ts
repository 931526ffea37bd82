/** Users and groups by their names. */

import type { System } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";
import { SandboxError } from "./errors.ts";
import { readFile } from "./read.ts";

const USERS = "/etc/passwd";
const GROUPS = "/etc/group";

/** Finds the number of a user or a group; see passwd(5) and group(5). */
export function findId(system: System, kind: "user" | "group", name: string): number {
  if (/^[0-9]+$/.test(name)) return Number(name);
  const path = kind === "user" ? USERS : GROUPS;
  const file = readFile(system, path, { limitBytes: 1 << 26 });
  for (const line of file ? decodeOsString(file.bytes).split("\n") : []) {
    const [found, , id] = line.split(":");
    if (found === name && /^[0-9]+$/.test(id ?? "")) return Number(id);
  }
  throw new SandboxError(
    "bad-option",
    `There is no ${kind} ${name} in ${path}, which the configuration names`,
  );
}
