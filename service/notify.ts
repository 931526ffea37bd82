/** Notifies the service manager: see sd_notify(3). One datagram needs no library. */

import { ExpectedError } from "../text/errors.ts";
import { encodeOsString } from "../text/os_string.ts";
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";

/** The room for a name in `struct sockaddr_un`. */
const NAME_MAX_BYTES = 108;

/** Writes the address of a socket as the kernel wants it; see unix(7). */
export function socketAddress(name: string): Uint8Array<ArrayBuffer> {
  const isAbstract = name.startsWith("@");
  const bytes = encodeOsString(isAbstract ? `${name.slice(1)}` : name);
  const length = isAbstract ? bytes.length + 1 : bytes.length;
  if ((!isAbstract && !name.startsWith("/")) || length >= NAME_MAX_BYTES) {
    throw new ExpectedError(
      `Cannot notify ${name}: NOTIFY_SOCKET must be an absolute path or an abstract name (@NAME)`,
    );
  }
  // A path ends with a zero byte; an abstract name begins with one.
  const address = new Uint8Array(2 + length + (isAbstract ? 0 : 1));
  address[0] = AF_UNIX;
  address.set(bytes, isAbstract ? 3 : 2);
  return address;
}

/** Sends a message to the service manager. */
export function notify(
  system: System,
  { socket: name, lines }: { socket: string | undefined; lines: readonly string[] },
): void {
  if (name === undefined || name === "") return;
  const plan = new Plan();
  const socket = plan.slot("socket");
  const what = `notify the service manager at ${name}`;
  const message = plan.string(lines.join("\n"));
  const address = plan.bytes(socketAddress(name));
  plan.step("socket", [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0], { into: socket, what });
  plan.step("sendto", [
    socket,
    message,
    message.length - 1,
    MSG_NOSIGNAL,
    address,
    address.length,
  ], { what });
  plan.step("close", [socket], { always: true, ignore: "all" });
  system.run(plan, what);
}
