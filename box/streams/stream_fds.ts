/** The descriptors behind the streams of a run: pipes, memory files, files of the host. */

import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  F_SETFL,
  F_SETPIPE_SZ,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_NO_MAGICLINKS,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  STATX_BASIC_STATS,
} from "../../ffi/linux.ts";
import { type Argument, Plan } from "../../ffi/plan.ts";
import { readStatx, STATX_SIZE, type System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import { asIdentity, type Identity } from "../../host/identity.ts";
import { isolateInput } from "./input_file.ts";

/** Nothing about the file can be changed any more. */
const F_SEAL_ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
/** The largest that the kernel gives without being configured. */
const PIPE_BYTES = 1 << 20;
const COPY_BYTES = 1 << 20;

/** A pipe between the box and the keeper. */
export interface BoxPipe {
  /** The end that the program gets; it waits when the pipe is full or empty, as programs expect. */
  readonly boxFd: number;
  /** The keeper's end, which never waits. */
  readonly ownFd: number;
}

/** Makes a pipe between the box and the keeper. */
export function openPipe(
  system: System,
  { own, boxUser }: { own: "reads" | "writes"; boxUser: Identity },
): BoxPipe {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("pipe2", [pair, O_CLOEXEC], { what: "make a pipe" });
  system.run(plan, "make a pipe");
  const [readFd, writeFd] = [plan.view(pair).getInt32(0, true), plan.view(pair).getInt32(4, true)];
  const [boxFd, ownFd] = own === "reads" ? [writeFd, readFd] : [readFd, writeFd];
  const settings = new Plan();
  settings.step("fcntl", [ownFd, F_SETFL, O_NONBLOCK]);
  // Fewer turns of the keeper; without that much it works too.
  settings.step("fcntl", [ownFd, F_SETPIPE_SZ, PIPE_BYTES], { ignore: "all" });
  const empty = settings.string("");
  settings.step("fchownat", [boxFd, empty, boxUser.uid, boxUser.gid, AT_EMPTY_PATH]);
  const failure = system.attempt(settings, "set the pipe up");
  if (!failure) return { boxFd, ownFd };
  system.close(boxFd, ownFd);
  throw failure;
}

/** Puts bytes into a file in memory that nobody can change any more; see memfd_create(2). */
export function openMemory(system: System, bytes: Uint8Array): number {
  const plan = new Plan();
  const memory = plan.slot("memory file");
  const name = plan.string("isolate-input");
  plan.step("memfd_create", [name, MFD_CLOEXEC | MFD_ALLOW_SEALING], { into: memory });
  // Anybody may open it again by /dev/stdin, nobody may execute it.
  plan.step("fchmod", [memory, 0o444]);
  if (bytes.length > 0 && bytes.length <= COPY_BYTES) {
    planWrite(plan, { fd: memory, piece: bytes, at: 0 });
    plan.step("fcntl", [memory, F_ADD_SEALS, F_SEAL_ALL]);
  }
  const failure = system.attempt(plan, "keep the input in memory");
  const fd = plan.result(memory);
  try {
    if (failure) throw failure;
    if (bytes.length > COPY_BYTES) writeInPieces(system, fd, bytes);
    return fd;
  } catch (error) {
    system.close(fd);
    throw error;
  }
}

/** A plan has a copy of what it writes, so a large input goes piece by piece. */
function writeInPieces(system: System, fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += COPY_BYTES) {
    const plan = new Plan();
    planWrite(plan, { fd, piece: bytes.subarray(at, at + COPY_BYTES), at });
    system.run(plan, "keep the input in memory");
  }
  const plan = new Plan();
  plan.step("fcntl", [fd, F_ADD_SEALS, F_SEAL_ALL]);
  system.run(plan, "seal the input");
}

/** With pwrite64 the position stays at the beginning, where the program begins to read. */
function planWrite(plan: Plan, { fd, piece, at }: {
  fd: Argument;
  piece: Uint8Array;
  at: number;
}): void {
  plan.step("pwrite64", [fd, plan.bytes(piece), piece.length, at], {
    what: `keep an input of ${piece.length} bytes in memory`,
  });
}

/** How a file of the host is opened. */
export interface HostFileOptions {
  /** Its path. */
  readonly path: string;
  /** To be read; or emptied, or made, and written. */
  readonly use: "read" | "write";
  /** The stream, for messages. */
  readonly stream: string;
  /** With whose rights. */
  readonly caller: Identity;
  /** Who the sandbox itself is. */
  readonly own: Identity;
  /** The directory of all boxes. */
  readonly boxRoot: string;
}

/** Opens a file of the host with the caller's rights. */
export function openHostFile(system: System, options: HostFileOptions): number {
  const { path, use, stream, caller, own } = options;
  // By name it would be opened through whatever link the program has put there.
  if (path.startsWith(`${options.boxRoot}/`)) {
    throw new SandboxError(
      "bad-option",
      `${stream}: cannot use ${path} as a file of the host: it lies in a box, where { path } opens it`,
    );
  }
  const plan = new Plan();
  const fd = plan.slot(path);
  const status = plan.alloc(STATX_SIZE);
  // Never wait for the other end of a FIFO.
  const flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
    (use === "write" ? O_WRONLY | O_CREAT | O_TRUNC : 0);
  // Links such as /proc/self/fd/3 are the sandbox's own: they would lead a user past directories
  // that are closed to him.
  const resolve = caller.uid === own.uid ? 0 : RESOLVE_NO_MAGICLINKS;
  const mode = use === "write" ? 0o666 : 0;
  const how = plan.struct([BigInt(flags), BigInt(mode), BigInt(resolve)]);
  plan.because(stream, () => {
    asIdentity(plan, { identity: caller, own }, () => {
      plan.step("openat2", [AT_FDCWD, plan.string(path), how, 24], {
        into: fd,
        what: `open ${path}`,
      });
    });
    plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
    // The program's reads and writes wait, as it expects.
    plan.step("fcntl", [fd, F_SETFL, 0]);
  });
  const failure = system.attempt(plan, `open ${path}`);
  if (failure) {
    system.close(plan.result(fd));
    throw failure;
  }
  const type = readStatx(plan.view(status)).mode & S_IFMT;
  if (type === S_IFREG && use === "read") return isolateInput(system, plan.result(fd));
  if (type === S_IFREG || type === S_IFCHR) return plan.result(fd);
  system.close(plan.result(fd));
  throw new SandboxError(
    "bad-option",
    `${stream}: cannot use ${path}: it is no regular file (for a FIFO or a socket give a ` +
      "descriptor, { fd })",
  );
}

/** Where output is written to. */
export interface Target {
  /** What it is, for messages. */
  readonly name: string;
  /** A descriptor of its own, closed on execve. */
  readonly fd: number;
  /** Writing to it can make the writer wait although it is ready for a little. */
  readonly mayWait: boolean;
  /** It is a pipe, a socket or a device, behind which somebody may be waiting for what comes. */
  readonly isLive: boolean;
}

/** Duplicates a descriptor of the caller, who may close or reuse it while the program runs. */
export function duplicate(system: System, fd: number, stream: string): number {
  const plan = new Plan();
  const copy = plan.slot("duplicate");
  plan.because(stream, () => {
    plan.step("fcntl", [fd, F_DUPFD_CLOEXEC, 3], { into: copy, what: `use descriptor ${fd}` });
  });
  system.run(plan, "duplicate a descriptor");
  return plan.result(copy);
}

/** Finds out how a descriptor can be written to. */
export function targetOf(system: System, fd: number, name: string): Target {
  const plan = new Plan();
  const status = plan.alloc(STATX_SIZE);
  const flags = plan.slot("flags");
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
  plan.step("fcntl", [fd, F_GETFL, 0], { into: flags });
  system.run(plan, "what is written to");
  const type = readStatx(plan.view(status)).mode & S_IFMT;
  const isLive = type !== S_IFREG;
  // Between pipes splice(2) can be told not to wait; elsewhere it does what the descriptor says.
  const mayWait = isLive && type !== S_IFIFO && (plan.result(flags) & O_NONBLOCK) === 0;
  return { name, fd, isLive, mayWait };
}
