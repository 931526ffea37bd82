/** The file that names the control group of all boxes, for `cg_root = auto:FILE`. */

import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { makeDirectories } from "../host/directories.ts";
import type { HostAccess } from "../host/identity.ts";
import { readText } from "../host/read.ts";
import { replaceFile } from "../host/write.ts";
import { encodeOsString } from "../text/os_string.ts";

/** Writes the file, so that readers see the old or the new one. Directories above it are made. */
export function writeGroupFile(access: HostAccess, path: string, directory: string): void {
  makeDirectories(access, path.slice(0, path.lastIndexOf("/")) || "/", { mode: 0o755 });
  // Everybody reads it, whatever the umask is.
  replaceFile(access, path, { bytes: encodeOsString(`${directory}\n`), mode: 0o644 });
}

/** Removes the file, if it still says what this service wrote. */
export function removeGroupFile(system: System, path: string, directory: string): void {
  if (readText(system, path).trim() !== directory) return;
  const plan = new Plan();
  plan.step("unlinkat", [AT_FDCWD, plan.string(path), 0], { ignore: ERRNO.ENOENT });
  system.run(plan, `remove ${path}`);
}
