/** Takes the command line that a client hands over, out of what may be anything. */

import * as linux from "../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import { closeAside } from "./packets.ts";
import { type CommandLine, type Hello, parseCommandLine } from "./protocol.ts";

/** Shrinking, growing and writing are over: what is read is there and stays. */
const SEALS_NEEDED = linux.F_SEAL_SHRINK | linux.F_SEAL_GROW | linux.F_SEAL_WRITE;

/**
 * Reads the memory file, the first of a client's descriptors, and closes it; the second one is the socket
 * of its streams. Undefined, and all closed, if the descriptors are others.
 */
export function readCommandLine(
  system: System,
  hello: Hello,
  fds: readonly number[],
): CommandLine | undefined {
  const [memory, streams] = fds;
  if (fds.length !== 2 || !areAsTheyShould(system, memory!, streams!)) {
    closeAside(system, fds);
    return undefined;
  }
  const size = hello.argumentBytes + hello.environmentBytes;
  const bytes = size <= TEXT_BYTES
    ? readText(system, memory!, size)
    : readLongText(system, memory!, size);
  if (bytes) return parseCommandLine(hello, bytes);
  system.close(streams!);
  return undefined;
}

/** Whether a client's descriptors are a memory file that stays as it is, and a socket for packets. */
function areAsTheyShould(system: System, memory: number, socket: number): boolean {
  const { plan, parts: { seals, domain, type } } = LOOK_AT_SENT.run(system, memory, socket);
  const found = plan.result(seals);
  const value = (data: Data) => plan.view(data).getInt32(0, true);
  return found >= 0 && (found & SEALS_NEEDED) === SEALS_NEEDED &&
    value(domain) === linux.AF_UNIX && value(type) === linux.SOCK_SEQPACKET;
}

const LOOK_AT_SENT = new Routine(
  "look at what a client has sent",
  ["memory file", "socket"],
  (plan, memory, socket) => {
    const seals = plan.slot("seals");
    plan.step("fcntl", [memory!, linux.F_GET_SEALS, 0], { into: seals, ignore: "all" });
    const ask = (option: number) => {
      const value = plan.struct([0]);
      plan.step("getsockopt", [socket!, linux.SOL_SOCKET, option, value, plan.struct([4])], {
        ignore: "all",
      });
      return value;
    };
    return { seals, domain: ask(linux.SO_DOMAIN), type: ask(linux.SO_TYPE) };
  },
);

/** What most command lines need. */
const TEXT_BYTES = 8192;

const READ_TEXT = new Routine(
  "read the command line",
  ["memory file", "size"],
  (plan, memory, size) => {
    const [text, length] = [plan.alloc(TEXT_BYTES), plan.slot("length")];
    planText(plan, { memory: memory!, size: size!, text, length });
    return { text, length };
  },
);

function readText(
  system: System,
  memory: number,
  size: number,
): Uint8Array<ArrayBuffer> | undefined {
  const { plan, parts: { text, length } } = READ_TEXT.run(system, memory, size);
  return plan.result(length) === size ? plan.content(text, size).slice() : undefined;
}

function readLongText(
  system: System,
  memory: number,
  size: number,
): Uint8Array<ArrayBuffer> | undefined {
  const plan = new Plan();
  const [text, length] = [plan.alloc(size), plan.slot("length")];
  planText(plan, { memory, size, text, length });
  system.run(plan, "read the command line");
  return plan.result(length) === size ? plan.content(text) : undefined;
}

function planText(plan: Plan, { memory, size, text, length }: {
  memory: number | Slot;
  size: number | Slot;
  text: Data;
  length: Slot;
}): void {
  plan.step("pread64", [memory, text, size, 0], { into: length, ignore: "all" });
  plan.step("close", [memory], { ignore: "all" });
}
