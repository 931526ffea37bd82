/** The socket of the service: one of its own, or the service manager's; see sd_listen_fds(3). */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { planDirectories } from "../host/directories.ts";
import { SandboxError } from "../host/errors.ts";
import { planPathStatus, readStatus } from "../host/status.ts";
import { socketAddress } from "./notify.ts";

const SOCK_CLOEXEC_NONBLOCK = linux.SOCK_CLOEXEC | linux.SOCK_NONBLOCK;
const BACKLOG = 4096;
/** The first descriptor that a service manager passes. */
const PASSED_FD = 3;

/** A socket to accept clients on. */
export interface ListeningSocket {
  readonly fd: number;
  /** Whether it outlives this process, as the service manager has it too. */
  readonly isPassed: boolean;
}

/** Takes the socket that the service manager passes, if it passes one. */
export function passedSocket(
  system: System,
  environment: ReadonlyMap<string, string>,
): ListeningSocket | undefined {
  const plan = new Plan();
  const pid = plan.slot("pid");
  plan.step("getpid", [], { into: pid });
  system.run(plan, "which process is this");
  if (environment.get("LISTEN_PID") !== String(plan.result(pid))) return undefined;
  if (environment.get("LISTEN_FDS") !== "1") {
    throw new SandboxError("bad-option", "The service takes exactly one socket (LISTEN_FDS=1)");
  }
  if (!isListening(system, PASSED_FD)) {
    throw new SandboxError(
      "bad-option",
      "The socket that was passed to the service must be a listening unix socket of sequential " +
        "packets (ListenSequentialPacket= in isolate.socket)",
    );
  }
  const settings = new Plan();
  settings.step("fcntl", [PASSED_FD, linux.F_SETFL, linux.O_NONBLOCK]);
  settings.step("fcntl", [PASSED_FD, linux.F_SETFD, linux.FD_CLOEXEC]);
  system.run(settings, "take the socket over");
  return { fd: PASSED_FD, isPassed: true };
}

function isListening(system: System, fd: number): boolean {
  const plan = new Plan();
  const options = [linux.SO_DOMAIN, linux.SO_TYPE, linux.SO_ACCEPTCONN].map((name) => {
    const value = plan.struct([-1]);
    plan.step("getsockopt", [fd, linux.SOL_SOCKET, name, value, plan.struct([4])], {
      ignore: "all",
    });
    return value;
  });
  system.run(plan, "look at the socket");
  const [domain, type, accepts] = options.map((value) => plan.view(value).getInt32(0, true));
  return domain === linux.AF_UNIX && type === linux.SOCK_SEQPACKET && accepts === 1;
}

/** Makes a socket: under another name first, so that nobody meets it before it is what it should be. */
export function listenAt(
  system: System,
  path: string,
  { gid, mode, type = linux.SOCK_SEQPACKET }: { gid: number; mode: number; type?: number },
): ListeningSocket {
  if (type === linux.SOCK_SEQPACKET && answers(system, path)) {
    throw new SandboxError("bad-option", `Another service serves at ${path} already`);
  }
  const plan = new Plan();
  const socket = plan.slot("socket");
  const temporary = `${path}.new`;
  const address = plan.bytes(socketAddress(temporary));
  const name = plan.string(temporary);
  const what = `listen at ${path}`;
  const parts = ["/", ...path.split("/").slice(1, -1).filter(Boolean)];
  const options = { resolve: 0, mode: 0o755, what };
  const { fd: directory } = planDirectories(plan, linux.AT_FDCWD, parts, options);
  plan.step("close", [directory], { always: true, ignore: "all" });
  plan.step("socket", [linux.AF_UNIX, type | SOCK_CLOEXEC_NONBLOCK, 0], {
    into: socket,
    what,
  });
  plan.step("unlinkat", [linux.AT_FDCWD, name, 0], { ignore: ERRNO.ENOENT, what });
  plan.step("bind", [socket, address, address.length], { what });
  plan.step("fchownat", [linux.AT_FDCWD, name, 0, gid, 0], { what });
  plan.step("fchmodat", [linux.AT_FDCWD, name, mode], { what });
  plan.step("listen", [socket, BACKLOG], { what });
  plan.step("renameat2", [linux.AT_FDCWD, name, linux.AT_FDCWD, plan.string(path), 0], { what });
  const failure = system.attempt(plan, what);
  if (!failure) return { fd: plan.result(socket), isPassed: false };
  system.close(plan.result(socket));
  throw failure;
}

/** Tells whether somebody listens at a path. */
export function answers(system: System, path: string, type = linux.SOCK_SEQPACKET): boolean {
  const plan = new Plan();
  const [socket, connected] = [plan.slot("socket"), plan.slot("connected")];
  const address = plan.bytes(socketAddress(path));
  plan.step("socket", [linux.AF_UNIX, type | SOCK_CLOEXEC_NONBLOCK, 0], {
    into: socket,
  });
  plan.step("connect", [socket, address, address.length], { into: connected, ignore: "all" });
  plan.step("close", [socket]);
  system.run(plan, "look for another service");
  return plan.result(connected) === 0;
}

/**
 * Makes room for a socket of streams: one that a server has left which was killed is removed.
 *
 * @throws {SandboxError} `bad-option` if somebody listens there
 */
export function makeRoomAt(system: System, path: string): void {
  if (answers(system, path, linux.SOCK_STREAM)) {
    throw new SandboxError("bad-option", `Another server listens at ${path} already`);
  }
  const plan = new Plan();
  const status = planPathStatus(plan, path, { followLink: false });
  const isMissing = system.attempt(plan, "look for an old socket") !== undefined;
  if (!isMissing && readStatus(plan.view(status)).kind === "socket") removeSocket(system, path);
}

/** Removes the name of a socket of our own. */
export function removeSocket(system: System, path: string): void {
  const plan = new Plan();
  plan.step("unlinkat", [linux.AT_FDCWD, plan.string(path), 0], { ignore: "all" });
  system.run(plan, "remove the socket");
}
