/**
 * A file of the host as the input of a program that is told nothing else about it.
 *
 * A descriptor tells where its file lies (readlink(2) of /proc/self/fd/0), and where its permissions are
 * careless it can be opened again for writing. So the program gets the file by a mount of its own that
 * is attached nowhere, consists of nothing but the file, and is read-only; see open_tree(2).
 */

import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  O_CLOEXEC,
  O_NOCTTY,
  OPEN_TREE_CLONE,
} from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { planRestrictions } from "../setup/mounts.ts";

/** Opens a file again by a mount of its own. */
export function isolateInput(system: System, fd: number): number {
  const clone = new Plan();
  const mount = clone.slot("mount of the input");
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH;
  clone.step("open_tree", [fd, clone.string(""), flags], { into: mount });
  const attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  planRestrictions(clone, { fd: mount, path: "", attr });
  const isCloned = system.attempt(clone, "show the input and nothing else") === undefined;
  const mountFd = clone.result(mount);
  const open = new Plan();
  const again = open.slot("input");
  const path = open.string(`/proc/self/fd/${mountFd}`);
  open.step("openat", [AT_FDCWD, path, O_CLOEXEC | O_NOCTTY, 0], { into: again });
  const isOpen = isCloned && system.attempt(open, "open the input again") === undefined;
  system.close(mountFd, ...isOpen ? [fd] : []);
  return isOpen ? open.result(again) : fd;
}
