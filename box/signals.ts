/**
 * Signals sent to the process, as the command line needs them: the shim's handler writes them to a
 * pipe, and the waiter reads them. A library never installs handlers by itself.
 */

import { O_CLOEXEC, O_NONBLOCK, SIG_UNBLOCK, SIGNALS } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { readText } from "../host/read.ts";
import type { Waiter } from "./keep/waiter.ts";

export { SIGNALS };

/** The name of a signal that a process can catch. */
export type SignalName = Exclude<keyof typeof SIGNALS, "SIGKILL" | "SIGSTOP">;

const STATUS = "/proc/self/status";
const IGNORE = -1;
const STANDARD = -2;

/** How signals that are sent to the process are handled. */
export interface CatchSignalsOptions {
  /** Signals for `onSignal`. */
  readonly caught: readonly SignalName[];
  /** Signals without effect. */
  readonly ignored: readonly SignalName[];
  /** Signals with their default effect, whatever the process inherited. */
  readonly standard: readonly SignalName[];
  /** Receives caught signals while a box runs or is waited for. */
  readonly onSignal: (name: SignalName, signal: number) => void;
}

/**
 * Catches signals that are sent to the process. A process has one pipe for them: after a second call
 * they all go there.
 */
export function catchSignals(
  { system, waiter }: { system: System; waiter: Waiter },
  options: CatchSignalsOptions,
): void {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("pipe2", [pair, O_CLOEXEC | O_NONBLOCK]);
  system.run(plan, "make the signal pipe");
  const [reader, writer] = [plan.view(pair).getInt32(0, true), plan.view(pair).getInt32(4, true)];
  waiter.observe(reader, () => {
    for (const signal of readPipe(system, reader)) {
      const name = options.caught.find((name) => SIGNALS[name] === signal);
      if (name) options.onSignal(name, signal);
    }
  });
  const swallowed = swallowedFaults(system).filter((name) => options.caught.includes(name));
  for (const name of options.caught) system.library.signal(SIGNALS[name], writer);
  for (const name of options.ignored) system.library.signal(SIGNALS[name], IGNORE);
  for (const name of options.standard) system.library.signal(SIGNALS[name], STANDARD);
  unblock(system, [...options.caught, ...options.standard]);
  keepFromRuntime(options.caught.filter((name) => TAKEN_BY_RUNTIME.has(name)));
  for (const name of swallowed) options.onSignal(name, SIGNALS[name]);
}

const FAULTS = ["SIGSEGV", "SIGBUS"] as const;

/**
 * Finds out whether a fault was sent before we could catch it. The runtime has handlers for both, which
 * mean traps of WebAssembly; one that gets anything else gives itself up and returns, as a real fault would
 * occur again. Where neither is there, the runtime has none.
 */
export function swallowedFaults(system: System): (typeof FAULTS)[number][] {
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(readText(system, STATUS))?.[1] ?? "0"}`);
  const missing = FAULTS.filter((name) => (caught >> BigInt(SIGNALS[name] - 1) & 1n) === 0n);
  return missing.length === 1 ? missing : [];
}

/** The runtime handles these itself from half a second after its start. */
const TAKEN_BY_RUNTIME: ReadonlySet<string> = new Set(["SIGHUP", "SIGINT", "SIGTERM"]);
const IN_TIME_MS = 150;

/**
 * Keeps the runtime from ending the process. Its handler calls ours first, and then lets the signal end
 * the process unless there is a listener. Most commands end before that time, and are spared the cost.
 */
function keepFromRuntime(names: readonly SignalName[]): void {
  const listen = () => {
    for (const name of names) Deno.addSignalListener(name, () => {});
  };
  const leftMs = IN_TIME_MS - performance.now();
  if (leftMs > 0) setTimeout(listen, leftMs);
  else listen();
}

/** Unblocks signals that our parent may have blocked; one thread that takes them is enough. */
function unblock(system: System, names: readonly SignalName[]): void {
  const plan = new Plan();
  const set = names.reduce((bits, name) => bits | 1n << BigInt(SIGNALS[name] - 1), 0n);
  plan.step("rt_sigprocmask", [SIG_UNBLOCK, plan.struct([set]), 0, 8]);
  system.run(plan, "unblock signals");
}

function readPipe(system: System, reader: number): number[] {
  const plan = new Plan();
  const bytes = plan.alloc(64);
  const length = plan.slot("length");
  plan.step("read", [reader, bytes, 64], { into: length, ignore: "all" });
  system.run(plan, "read the signal pipe");
  return [...plan.content(bytes, Math.max(0, plan.result(length)))];
}
