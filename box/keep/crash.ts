/** What a program died of, as init has seen it. */

import { CRASH } from "../../ffi/abi.ts";
import type { Crash } from "../outcome/crash.ts";
import { REGISTERS } from "./registers.ts";

/** Signals that come with an address, if the kernel sent them. */
const FAULTS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);

/** The kernel has sent it for what the program itself has done, but does not know where. */
const SI_KERNEL = 0x80;

/** Reads the message of a box. */
export function readCrash(view: DataView): Crash {
  const code = view.getInt32(CRASH.code, true);
  const signal = view.getInt32(CRASH.signal, true);
  const hasAddress = FAULTS.has(signal) && code > 0 && code !== SI_KERNEL;
  return {
    thread: view.getInt32(CRASH.thread, true),
    code,
    address: hasAddress ? view.getBigUint64(CRASH.address, true) : undefined,
    registers: readRegisters(view),
  };
}

function readRegisters(view: DataView): { readonly [name: string]: bigint } {
  const bytes = view.getUint32(CRASH.registerBytes, true);
  const layout = REGISTERS[Deno.build.arch].find(({ names, width }) => {
    return names.length * width === bytes;
  });
  if (!layout) return {};
  const { names, width } = layout;
  return Object.fromEntries(names.map((name, i) => {
    const at = CRASH.registers + i * width;
    return [name, width === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))];
  }));
}
