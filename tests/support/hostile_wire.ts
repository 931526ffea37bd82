/** Packets with descriptors, sent and received as a hostile client likes: nothing here is checked. */

import { receive } from "isolate/service/packets.ts";
import * as linux from "isolate/ffi/linux.ts";
import { type Argument, Plan } from "isolate/ffi/plan.ts";
import type { Operation } from "isolate/ffi/abi.ts";
import { System } from "isolate/ffi/system.ts";

const system = await System.load();

/** Makes one system call; returns what it gave, or the negative errno. */
export function call(
  operation: Operation,
  args: readonly Argument[] | ((plan: Plan) => readonly Argument[]),
): number {
  const plan = new Plan();
  const result = plan.slot("result");
  plan.step(operation, typeof args === "function" ? args(plan) : args, {
    into: result,
    ignore: "all",
  });
  system.run(plan, operation);
  return plan.result(result);
}

/** Closes descriptors. */
export function close(...fds: readonly number[]): void {
  system.close(...fds);
}

/** Takes the next packet, if there is one. */
export const take = (socket: number) => receive(system, socket);

/** Sends a packet; returns whether there was room for it. */
export function send(socket: number, bytes: Uint8Array, fds: readonly number[] = []): boolean {
  return call("sendmsg", (plan) => {
    const vector = plan.struct([0n, BigInt(bytes.length)]);
    plan.point(vector, 0, bytes.length > 0 ? plan.bytes(bytes) : plan.alloc(1));
    const control = plan.struct([
      BigInt(16 + 4 * fds.length),
      ...[linux.SOL_SOCKET, linux.SCM_RIGHTS, ...fds, ...fds.length % 2 ? [0] : []],
    ]);
    const length = fds.length > 0 ? BigInt(control.length) : 0n;
    const message = plan.struct([0n, 0n, 0n, 1n, 0n, length, 0n]);
    plan.point(message, 16, vector);
    if (fds.length > 0) plan.point(message, 32, control);
    return [socket, message, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL];
  }) >= 0;
}

/** Waits until one of the descriptors can be read or has ended; negative ones are left out. */
export function waitFor(fds: readonly number[], timeoutMs: number): void {
  const [POLLIN, nanoseconds] = [1, BigInt(timeoutMs) * 1_000_000n];
  call("ppoll", (plan) => {
    const polled = plan.struct(fds.flatMap((fd) => [fd, POLLIN]));
    return [polled, fds.length, plan.struct([0n, nanoseconds]), 0, 8];
  });
}

const PACKET_SOCKET = linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC;

/** The address of a socket in the file system. */
function addressOf(plan: Plan, path: string) {
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(2 + name.length + 1);
  address[0] = linux.AF_UNIX;
  address.set(name, 2);
  return plan.bytes(address);
}

/** Connects to a service. */
export function connect(path: string): number {
  const socket = call("socket", [linux.AF_UNIX, PACKET_SOCKET, 0]);
  const result = call("connect", (plan) => {
    const address = addressOf(plan, path);
    return [socket, address, address.length];
  });
  if (result < 0) throw new Error(`cannot connect to ${path}: ${result}`);
  return socket;
}

/** Listens where a service would. */
export function listen(path: string): number {
  const socket = call("socket", [linux.AF_UNIX, PACKET_SOCKET, 0]);
  call("bind", (plan) => {
    const address = addressOf(plan, path);
    return [socket, address, address.length];
  });
  call("listen", [socket, 16]);
  return socket;
}

/** Accepts a connection that is waiting. */
export function accept(listener: number): number {
  return call("accept4", [listener, 0, 0, linux.SOCK_CLOEXEC]);
}

/** Both ends of a connection. */
export function socketPair(type: number = linux.SOCK_SEQPACKET): [number, number] {
  const plan = new Plan();
  const ends = plan.struct([0, 0]);
  plan.step("socketpair", [linux.AF_UNIX, type | linux.SOCK_CLOEXEC, 0, ends]);
  system.run(plan, "socketpair");
  return [plan.view(ends).getInt32(0, true), plan.view(ends).getInt32(4, true)];
}

/** Opens a path. */
export function open(path: string, flags: number): number {
  return call(
    "openat",
    (plan) => [linux.AT_FDCWD, plan.string(path), flags | linux.O_CLOEXEC, 0],
  );
}

/** A memory file with this content, which nobody can change if it is sealed. */
export function memoryFile(content: Uint8Array, { sealed = true } = {}): number {
  const [MFD_CLOEXEC_SEALABLE, F_ADD_SEALS, ALL_SEALS] = [3, 1033, 15];
  const file = call("memfd_create", (plan) => [plan.string("fuzz"), MFD_CLOEXEC_SEALABLE]);
  system.writeAll(file, content, "a memory file");
  if (sealed) call("fcntl", [file, F_ADD_SEALS, ALL_SEALS]);
  return file;
}
