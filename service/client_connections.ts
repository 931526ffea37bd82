/**
 * The TCP connections of this process to one of its ports, and how they are ended. The runtime that serves
 * HTTP has no other way to get rid of a client that says nothing.
 */

import { listNumbers } from "../box/survey/processes.ts";
import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { readText } from "../host/read.ts";
import { endpointText } from "../text/ip_address.ts";

/** A connection of a client. */
export interface ClientConnection {
  /** Its address and port, as {@linkcode endpointText} writes them. */
  readonly remote: string;
  /** Resets it. Whoever waits for it finds that it is broken. */
  readonly end: () => void;
}

/** The states of connections that a client has made and the server has not closed; see proc_net(5). */
const OPEN_STATES = ["01", "08"];
/** A table has 150 characters for each connection. */
const TABLE = { limitBytes: 64 << 20 };
const TARGET_BYTES = 64;

/** Lists the connections of clients to a port. What is done with one must be done in the same turn. */
export function clientConnections(system: System, port: number): ClientConnection[] {
  const remotes = new Map<string, string>();
  for (const table of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
    for (const line of readText(system, table, TABLE).split("\n").slice(1)) {
      const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(
        /\s+/,
      );
      if (!OPEN_STATES.includes(state) || parseInt(local.split(":")[1] ?? "", 16) !== port) {
        continue;
      }
      remotes.set(`socket:[${inode}]`, remoteOf(remote));
    }
  }
  if (remotes.size === 0) return [];
  return listNumbers(system, "/proc/self/fd").flatMap((fd) => {
    const remote = remotes.get(targetOf(system, fd));
    return remote === undefined ? [] : [{ remote, end: () => reset(system, fd) }];
  });
}

/** Reads an address and a port: words of the machine's byte order in hexadecimal digits. */
function remoteOf(text: string): string {
  const [digits = "", port = ""] = text.split(":");
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 4) {
    new DataView(bytes.buffer).setUint32(at, parseInt(digits.slice(2 * at, 2 * at + 8), 16), true);
  }
  return endpointText(bytes, parseInt(port, 16));
}

/** What a descriptor of this process is; empty if it is closed by now. */
function targetOf(system: System, fd: number): string {
  const plan = new Plan();
  const [length, target] = [plan.slot("length"), plan.alloc(TARGET_BYTES)];
  const path = plan.string(`/proc/self/fd/${fd}`);
  plan.step("readlinkat", [linux.AT_FDCWD, path, target, TARGET_BYTES], {
    into: length,
    ignore: "all",
  });
  system.run(plan, "look at a descriptor");
  return new TextDecoder().decode(plan.content(target, Math.max(0, plan.result(length))));
}

/** Connecting to no address disconnects, and wakes whoever waits; see connect(2). */
function reset(system: System, fd: number): void {
  const plan = new Plan();
  const nowhere = plan.alloc(16);
  plan.step("connect", [fd, nowhere, nowhere.length], { ignore: "all" });
  system.run(plan, "end a connection");
}
