/** Receiving packets with descriptors, as cheaply as a server of many connections must. */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System, SystemError } from "../ffi/system.ts";
import { PACKET_BYTES_MAX, PACKET_HEADER_BYTES } from "./protocol.ts";

/** As many descriptors as the kernel lets through in one packet (SCM_MAX_FD). */
const CONTROL_BYTES = 16 + 4 * 256;

/** A packet, or what there is instead. */
export type Received = { bytes: Uint8Array<ArrayBuffer>; fds: number[] } | "end" | "nothing";

/** One buffer serves all connections of a process: what is received is copied out at once. */
const receivers = new WeakMap<System, (socket: number) => Received>();

/** Takes the next packet of a connection, without waiting for one. */
export function receive(system: System, socket: number): Received {
  let receiver = receivers.get(system);
  if (!receiver) receivers.set(system, receiver = prepare(system));
  return receiver(socket);
}

function prepare(system: System): (socket: number) => Received {
  const plan = new Plan();
  const [socket, length] = [plan.slot("connection"), plan.slot("length")];
  const body = plan.alloc(PACKET_HEADER_BYTES + PACKET_BYTES_MAX);
  const control = plan.alloc(CONTROL_BYTES);
  const vector = plan.struct([0n, BigInt(body.length)]);
  plan.point(vector, 0, body);
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  plan.step("store", [message.part(40, 8), 8, CONTROL_BYTES]);
  plan.step("store", [message.part(48, 8), 8, 0]);
  plan.step("recvmsg", [socket, message, linux.MSG_DONTWAIT | linux.MSG_CMSG_CLOEXEC], {
    into: length,
    ignore: "all",
  });
  const execute = system.prepare(plan, "receive");
  return (fd) => {
    plan.put(socket, fd);
    execute();
    const count = plan.result(length);
    if (count === -ERRNO.EAGAIN || count === -ERRNO.EINTR) return "nothing";
    if (count < 0) return "end";
    const view = plan.view(message);
    const fds = readRights(plan.view(control), Number(view.getBigUint64(40, true)));
    // An empty packet, which looks like the end, can bring descriptors too.
    const isCut = (view.getUint32(48, true) & (linux.MSG_TRUNC | linux.MSG_CTRUNC)) !== 0;
    if (count === 0 || isCut) {
      closeAside(system, fds);
      return "end";
    }
    return { bytes: plan.content(body, count).slice(), fds };
  };
}

/** Nearly all plans for clients are smaller. */
const SENT_BYTES = 4096;

const SEND = new Routine("send", ["connection", "length"], (plan, socket, length) => {
  const body = plan.alloc(SENT_BYTES);
  planSend(plan, { socket: socket!, body, length: length! });
  return body;
});

function planSend(plan: Plan, { socket, body, length }: {
  socket: number | Slot;
  body: Data;
  length: number | Slot;
}): void {
  const flags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;
  plan.step("sendto", [socket, body, length, flags, 0, 0], { what: "send to a client" });
}

/** Sends a packet without waiting; returns the failure. */
export function send(system: System, socket: number, bytes: Uint8Array): SystemError | undefined {
  if (bytes.length <= SENT_BYTES) {
    return SEND.attemptWith(
      system,
      [socket, bytes.length],
      (plan, body) => plan.content(body).set(bytes),
    ).failure;
  }
  const plan = new Plan();
  planSend(plan, { socket, body: plan.bytes(bytes), length: bytes.length });
  return system.attempt(plan, "send");
}

function readRights(view: DataView, length: number): number[] {
  const fds: number[] = [];
  for (let at = 0; at + 16 <= length;) {
    const size = Number(view.getBigUint64(at, true));
    if (size < 16) break;
    if (view.getInt32(at + 12, true) === linux.SCM_RIGHTS) {
      for (let i = at + 16; i + 4 <= at + size; i += 4) fds.push(view.getInt32(i, true));
    }
    at += (size + 7) & ~7;
  }
  return fds;
}

/**
 * Closes descriptors that a client sent and that are not what it should send. To close a file of a
 * FUSE or network file system means to wait for its server, so another thread does it.
 */
export function closeAside(system: System, fds: readonly number[]): void {
  if (fds.length === 0) return;
  const plan = new Plan();
  for (const fd of fds) plan.step("close", [fd], { ignore: "all" });
  void system.library.execAside(plan.encode());
}
