/** Opens files for the streams of a run: in memory, and of the host. */

import type { OpenFileOptions } from "../../host/reader.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { HostAccess } from "../../host/identity.ts";
import { openFile } from "../../host/open.ts";
import { planRestrictions } from "../setup/mounts.ts";

/** Nothing about the file can be changed any more. */
const F_SEAL_ALL = linux.F_SEAL_SEAL | linux.F_SEAL_SHRINK | linux.F_SEAL_GROW | linux.F_SEAL_WRITE;
const COPY_BYTES = 1 << 20;

/** Makes an empty file in memory, to be read by anybody who has it; see memfd_create(2). */
export function makeMemoryFile(system: System, flags = 0): number {
  const plan = new Plan();
  const memory = plan.slot("memory file");
  const what = "make a file in memory";
  plan.step("memfd_create", [plan.string("isolate"), flags | linux.MFD_CLOEXEC], {
    into: memory,
    what,
  });
  // A program may open it again by /dev/stdin, but not execute it.
  plan.step("fchmod", [memory, 0o444]);
  system.run(plan, what);
  return plan.result(memory);
}

/** Puts bytes into a file in memory that nobody can change any more. */
export function openMemory(system: System, bytes: Uint8Array): number {
  const fd = makeMemoryFile(system, linux.MFD_ALLOW_SEALING);
  try {
    // A plan has a copy of what it writes, so a large input goes piece by piece.
    for (let at = 0; at < bytes.length; at += COPY_BYTES) {
      const write = new Plan();
      const piece = write.bytes(bytes.subarray(at, at + COPY_BYTES));
      // The position stays at the beginning, where the program begins to read.
      write.step("pwrite64", [fd, piece, piece.length, at], {
        what: `keep an input of ${bytes.length} bytes in memory`,
      });
      system.run(write, "keep the input in memory");
    }
    const seal = new Plan();
    seal.step("fcntl", [fd, linux.F_ADD_SEALS, F_SEAL_ALL]);
    system.run(seal, "seal the input");
    return fd;
  } catch (error) {
    system.close(fd);
    throw error;
  }
}

/** Opens a file of the host with the caller's rights, to be read; or emptied, or made, and written. */
export function openStreamFile(
  access: HostAccess,
  path: string,
  { use, stream, boxRoot, followLinks }: OpenFileOptions & {
    readonly use: "read" | "write";
    readonly stream: string;
    readonly boxRoot: string;
  },
): number {
  // By name it would be opened through whatever link the program has put there.
  if (path.startsWith(`${boxRoot}/`)) {
    throw new SandboxError(
      "bad-option",
      `${stream}: cannot use ${path} as a file of the host: it lies in a box, where { path } opens it`,
    );
  }
  const { system } = access;
  // Never wait for the other end of a FIFO.
  const flags = linux.O_NOCTTY | linux.O_NONBLOCK |
    (use === "write" ? linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC : 0);
  const { fd, status: { kind } } = openFile(access, path, {
    flags,
    mode: use === "write" ? 0o666 : 0,
    reason: stream,
    followLinks,
  });
  if (kind !== "file" && kind !== "device") {
    system.close(fd);
    throw new SandboxError(
      "bad-option",
      `${stream}: cannot use ${path}: it is not a regular file (for a FIFO or a socket, give a ` +
        "descriptor: { fd })",
    );
  }
  const plan = new Plan();
  // The program's reads and writes wait, as it expects.
  plan.step("fcntl", [fd, linux.F_SETFL, 0]);
  system.run(plan, `open ${path}`);
  return kind === "file" && use === "read" ? isolateInput(system, fd) : fd;
}

/**
 * Opens a file again by a mount of its own, for a program that must learn nothing else about it.
 *
 * A descriptor tells where its file lies (readlink(2) of /proc/self/fd/0), and where its permissions are
 * careless it can be opened again for writing. So the program gets the file by a mount that is attached
 * nowhere, consists of nothing but the file, and is read-only; see open_tree(2).
 */
function isolateInput(system: System, fd: number): number {
  const clone = new Plan();
  const mount = clone.slot("mount of the input");
  const flags = linux.OPEN_TREE_CLONE | linux.O_CLOEXEC | linux.AT_EMPTY_PATH;
  clone.step("open_tree", [fd, clone.string(""), flags], { into: mount });
  const attr = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV |
    linux.MOUNT_ATTR_NOEXEC;
  planRestrictions(clone, { fd: mount, path: "", attr });
  const isCloned = system.attempt(clone, "show the input and nothing else") === undefined;
  const mountFd = clone.result(mount);
  const open = new Plan();
  const again = open.slot("input");
  const path = open.string(`/proc/self/fd/${mountFd}`);
  open.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC | linux.O_NOCTTY, 0], { into: again });
  const isOpen = isCloned && system.attempt(open, "open the input again") === undefined;
  system.close(mountFd, ...isOpen ? [fd] : []);
  return isOpen ? open.result(again) : fd;
}
