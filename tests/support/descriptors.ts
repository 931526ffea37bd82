/** Descriptors of this process, which the runtime hides and the kernel lists. */

import { AF_UNIX, F_SETFL, O_CLOEXEC, O_NONBLOCK, SOCK_STREAM } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";

const system = await System.load();

/** Lists what all open descriptors are, sorted, with those that the runtime has for a moment. */
export function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return []; // That of the listing itself.
    }
  }).sort();
}

/** The number of the descriptor of an open file. */
export function descriptorOf(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return Number(name);
    } catch {
      // That of the listing itself.
    }
  }
  throw new Error(`${path} is not open`);
}

/** Both ends of a pipe. */
export interface Pipe {
  reader: number;
  writer: number;
}

/** Makes a pipe whose ends wait, as they do in a shell. */
export function makePipe(): Pipe {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("pipe2", [pair, O_CLOEXEC]);
  system.run(plan, "make a pipe");
  return { reader: plan.view(pair).getInt32(0, true), writer: plan.view(pair).getInt32(4, true) };
}

/** Closes descriptors. */
export function close(...fds: number[]): void {
  system.close(...fds);
}

/** Reads a pipe to its end, and closes it. */
export async function readAll(reader: number): Promise<Uint8Array> {
  const file = Deno.openSync(`/proc/self/fd/${reader}`);
  close(reader);
  return new Uint8Array(await new Response(file.readable).arrayBuffer());
}

/** Makes two connected sockets. */
export function makeSockets(): Pipe {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("socketpair", [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair]);
  system.run(plan, "make sockets");
  return { reader: plan.view(pair).getInt32(0, true), writer: plan.view(pair).getInt32(4, true) };
}

/** Reads a pipe or a socket to its end, piece by piece with pauses, and closes it. */
export async function readSlowly(reader: number): Promise<number> {
  const plan = new Plan();
  const buffer = plan.alloc(1 << 16);
  const length = plan.slot("length");
  plan.step("fcntl", [reader, F_SETFL, O_NONBLOCK]);
  plan.step("read", [reader, buffer, buffer.length], { into: length, ignore: "all" });
  const read = system.prepare(plan, "read");
  for (let total = 0;; total += Math.max(0, plan.result(length))) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    read();
    if (plan.result(length) !== 0) continue;
    close(reader);
    return total;
  }
}
