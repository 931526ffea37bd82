/** The built libraries of the shim, as files and as what they say about themselves. */

import { assert } from "@std/assert";
import { type Missing, needs } from "./skip.ts";

/** An architecture that the shim is built for. */
export type Arch = "x86_64" | "aarch64";

/** All of them. */
export const ARCHITECTURES: readonly Arch[] = ["x86_64", "aarch64"];

/** The path of the library of an architecture. */
export function shimPath(arch: Arch): string {
  return new URL(`../../lib/libisolate-${arch}.so`, import.meta.url).pathname;
}

/** The library of the machine this runs on. */
export const HOST_SHIM = shimPath(Deno.build.arch === "aarch64" ? "aarch64" : "x86_64");

/** The compiler of the shim. */
export const ZIG = Deno.env.get("ZIG") ??
  new URL("../../.tools/bin/zig-0.17.0", import.meta.url).pathname;

/** Says what is missing where the compiler is. */
export function needsZig(): Missing {
  return ZIG.includes("/") ? needs.path(ZIG, "Zig, which ./dev installs") : needs.command(ZIG);
}

/** What `struct abi` in `shim/entry.c` says. */
export interface AbiRecord {
  version: number;
  planSize: number;
  stepSize: number;
  reportSize: number;
  crashSize: number;
  /** In the order of the source. */
  offsets: number[];
  /** Operation codes are positions; values are numbers of system calls. */
  operations: [name: string, number: number][];
}

const MAGIC = "IsolABI\0";
const OFFSETS = 19;

/** Where the record begins in the bytes of a library. */
export function abiRecordOffset(bytes: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(MAGIC);
  assert(at >= 0, "the library has no ABI record");
  assert(text.indexOf(MAGIC, at + 1) < 0, "the library has two ABI records");
  return at;
}

/** Reads the record out of the bytes of a library, which may be another architecture's. */
export function readAbiRecord(bytes: Uint8Array): AbiRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = abiRecordOffset(bytes) + MAGIC.length;
  const words = (count: number, width: 2 | 4) =>
    Array.from({ length: count }, () => {
      const value = width === 4 ? view.getUint32(at, true) : view.getUint16(at, true);
      at += width;
      return value;
    });
  const [version, planSize, stepSize, reportSize, crashSize] = words(5, 4) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const offsets = words(OFFSETS, 4);
  const [operationCount] = words(1, 4) as [number];
  const numbers = words(operationCount, 2);
  const end = bytes.indexOf(0, at);
  const names = new TextDecoder().decode(bytes.subarray(at, end)).trimEnd().split(" ");
  assert(names.length === operationCount, "as many names as numbers");
  return {
    version,
    planSize,
    stepSize,
    reportSize,
    crashSize,
    offsets,
    operations: numbers.map((number, code) => [names[code]!, number]),
  };
}
