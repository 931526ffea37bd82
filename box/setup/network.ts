/**
 * Network namespaces that serve one run after another. The kernel takes longer to make one, and to take
 * it down, than all else that a box is made of. A run gets one that others have had only if nothing can
 * be found in it that was not in it when it was new: no socket, and no counter that has moved.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";

/**
 * What a namespace shows of its past, in `/proc/PID/net`. A socket counts in `sockstat` whatever its
 * kind and whoever holds it, connections that wait for their end included; whatever was sent, or refused,
 * counts in the others; see proc_pid_net(5). Addresses, routes and settings are out of a program's reach:
 * it has no capability in the namespace.
 */
const FILES = ["sockstat", "sockstat6", "dev", "snmp", "snmp6", "netstat"] as const;
const FILE_BYTES = 16384;

/** Reads what the namespace of a process shows; undefined if it cannot be read whole. */
export function readTraces(system: System, pid: number): string | undefined {
  const plan = new Plan();
  const files = FILES.map((name) => {
    const [fd, length] = [plan.slot(name), plan.slot("length")];
    const content = plan.alloc(FILE_BYTES);
    const path = plan.string(`/proc/${pid}/net/${name}`);
    // Without IPv6 there are fewer of them.
    plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: fd, ignore: "all" });
    plan.step("read", [fd, content, FILE_BYTES], { into: length, ignore: "all" });
    plan.step("close", [fd], { ignore: "all" });
    return { length, content };
  });
  system.run(plan, "look at the network of a box");
  let traces = "";
  for (const { length, content } of files) {
    const count = Math.max(0, plan.result(length));
    if (count === FILE_BYTES) return undefined;
    traces += decoder.decode(plan.content(content, count));
  }
  return traces;
}

const decoder = new TextDecoder();

/** Opens the network namespace of a process. */
export function openNetwork(system: System, pid: number): number {
  const plan = new Plan();
  const fd = plan.slot("network namespace");
  const path = plan.string(`/proc/${pid}/ns/net`);
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: fd });
  system.run(plan, "take the network of a box");
  return plan.result(fd);
}
