/** The file that names the control group of all boxes, for `cg_root = auto:FILE`. */

import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_EXCL, O_WRONLY } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { decodeOsString } from "../text/os_string.ts";

/** Writes the file, so that readers see the old or the new one. Directories above it are made. */
export function writeGroupFile(system: System, path: string, directory: string): void {
  const plan = new Plan();
  const parts = path.split("/").filter((part) => part !== "").slice(0, -1);
  parts.forEach((_, i) => {
    const parent = "/" + parts.slice(0, i + 1).join("/");
    plan.step("mkdirat", [AT_FDCWD, plan.string(parent), 0o755], {
      ignore: ERRNO.EEXIST,
      what: `make the directory ${parent}`,
    });
  });
  const temporary = plan.string(`${path}.new`);
  const fd = plan.slot("file");
  const text = plan.string(`${directory}\n`);
  const what = `write ${path}`;
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  plan.step("unlinkat", [AT_FDCWD, temporary, 0], { ignore: ERRNO.ENOENT });
  plan.step("openat", [AT_FDCWD, temporary, flags, 0o644], { into: fd, what });
  // Whatever the umask is.
  plan.step("fchmod", [fd, 0o644]);
  plan.step("write", [fd, text, text.length - 1], { what });
  plan.step("close", [fd], { always: true, ignore: "all" });
  plan.step("renameat2", [AT_FDCWD, temporary, AT_FDCWD, plan.string(path), 0], { what });
  system.run(plan, what);
}

/** Removes the file, if it still says what this service wrote. */
export function removeGroupFile(system: System, path: string, directory: string): void {
  const file = system.readFile(path);
  if (!file || decodeOsString(file.bytes).trim() !== directory) return;
  const plan = new Plan();
  plan.step("unlinkat", [AT_FDCWD, plan.string(path), 0], { ignore: ERRNO.ENOENT });
  system.run(plan, `remove ${path}`);
}
