/** As much of a 64-bit little-endian ELF file as tests want to know; see elf(5). */

import { assertEquals } from "@std/assert";

/** A segment of the program. */
export interface Segment {
  type: number;
  readable: boolean;
  writable: boolean;
  executable: boolean;
}

/** A symbol for the dynamic linker. */
export interface Symbol {
  name: string;
  defined: boolean;
}

/** An ELF file. */
export interface Elf {
  type: number;
  machine: number;
  entry: bigint;
  segments: Segment[];
  /** Tags of the dynamic section. */
  dynamic: number[];
  symbols: Symbol[];
  /** Types of the sections. */
  sections: number[];
}

/** Numbers from elf(5). */
export const ELF = {
  typeShared: 3,
  machine: { x86_64: 62, aarch64: 183 },
  segment: { dynamic: 2, interpreter: 3, stack: 0x6474e551 },
  section: { relocationsWithAddends: 4, relocations: 9 },
} as const;

/** Reads an ELF file. */
export function readElf(bytes: Uint8Array): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  assertEquals([...bytes.subarray(0, 6)], [0x7f, 0x45, 0x4c, 0x46, 2, 1], "a 64-bit ELF file");
  const headers = (at: number, count: number, size: number) =>
    Array.from({ length: count }, (_, i) => at + i * size);
  const segments = headers(u64(32), u16(56), u16(54));
  const sections = headers(u64(40), u16(60), u16(58));
  const dynamicAt = segments.find((at) => u32(at) === ELF.segment.dynamic)!;
  const dynamic = headers(u64(dynamicAt + 8), u64(dynamicAt + 32) / 16, 16).map(u64);
  const DYNSYM = 11;
  const symbolTable = sections.find((at) => u32(at + 4) === DYNSYM)!;
  const strings = u64(sections[u32(symbolTable + 40)]! + 24);
  const name = (at: number) => new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
  const symbols = headers(u64(symbolTable + 24), u64(symbolTable + 32) / 24, 24).slice(1);
  return {
    type: u16(16),
    machine: u16(18),
    entry: view.getBigUint64(24, true),
    segments: segments.map((at) => {
      const flags = u32(at + 4);
      return {
        type: u32(at),
        readable: (flags & 4) !== 0,
        writable: (flags & 2) !== 0,
        executable: (flags & 1) !== 0,
      };
    }),
    dynamic,
    symbols: symbols.map((at) => ({ name: name(strings + u32(at)), defined: u16(at + 6) !== 0 })),
    sections: sections.map((at) => u32(at + 4)),
  };
}
