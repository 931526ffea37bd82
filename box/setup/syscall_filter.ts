/**
 * The system call filter: a classic BPF program for seccomp(2), made from the table in
 * `syscall_filter_table.ts`. See also `Documentation/userspace-api/seccomp_filter.rst` and
 * `Documentation/networking/filter.rst` of the kernel.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Limits } from "./limits.ts";
import {
  type Architecture,
  type ArgumentTest,
  AUDIT_ARCHITECTURES,
  type FilterWall,
  LEGACY_ABIS,
  SYSCALL_FLAGS,
  SYSCALL_RULES,
  type SyscallAbi,
  type SyscallRule,
} from "./syscall_filter_table.ts";

export {
  ALL_SYSCALL_FLAGS,
  type Architecture,
  type FilterWall,
  SYSCALL_FLAGS,
} from "./syscall_filter_table.ts";

/** Options of {@linkcode buildSyscallFilter}. */
export interface BuildSyscallFilterOptions {
  /** A sum of {@linkcode SYSCALL_FLAGS}; 0: no filter. Unknown bits are ignored. */
  flags: number;
  arch: Architecture;
  /** What else programs are kept from: see the table. */
  walls?: readonly FilterWall[];
}

/** A filter that is ready to be installed. */
export interface SyscallFilter {
  /** An array of `struct sock_filter` (8 bytes each, little endian). */
  program: Uint8Array<ArrayBuffer>;
  /** The number of instructions, for `struct sock_fprog`. */
  instructionCount: number;
  /** The purpose of each instruction; empty where it is obvious. */
  notes: readonly string[];
}

/** Offsets in `struct seccomp_data` of `linux/seccomp.h`. */
const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const OFFSET_ARGUMENTS = 16;

/** Opcodes of `linux/bpf_common.h`, made of class, size or operation, and mode. */
const LOAD_WORD = linux.BPF_LD | linux.BPF_W | linux.BPF_ABS;
const JUMP_IF_EQUAL = linux.BPF_JMP | linux.BPF_JEQ | linux.BPF_K;
const JUMP_IF_NOT_LESS = linux.BPF_JMP | linux.BPF_JGE | linux.BPF_K;
const JUMP_IF_ANY_BIT = linux.BPF_JMP | linux.BPF_JSET | linux.BPF_K;
const RETURN = linux.BPF_RET | linux.BPF_K;

/** Marks the x32 convention in the number of a system call on x86-64. */
const X32_BIT = 0x4000_0000;
/** The number of a call that a tracer has cancelled. */
const NO_SYSCALL = 0xffff_ffff;

const INSTRUCTION_BYTES = 8;
const FLAGS_MAX = 0x7fff_ffff;

interface Instruction {
  code: number;
  /** How many instructions a jump skips when its condition holds, and when it does not. */
  ifTrue?: number;
  ifFalse?: number;
  value: number;
  note?: string;
}

/**
 * Says which walls the filter of a program with these limits has. Callers who are not root cannot give up
 * what the configuration keeps (`configuredFlags`): with a program that makes a setuid file, or has a ring
 * make it, they would become the user of the box outside of it.
 */
export function filterWalls(
  { coreKib }: Limits,
  { isRoot, configuredFlags }: { isRoot: boolean; configuredFlags: number },
): FilterWall[] {
  // The terminal even without --tty-hack: a session in the box can take one that belongs to none.
  const walls: FilterWall[] = ["terminal", "setid"];
  if (!coreKib) walls.push("core");
  if (isRoot) return walls;
  if (configuredFlags !== 0) walls.push("always");
  if (configuredFlags & SYSCALL_FLAGS.ioUring) walls.push("rings");
  return walls;
}

/**
 * Makes the filter for a set of flags.
 *
 * Arguments are compared as the kernel takes them: only the low 32 bits count, so that a program
 * gains nothing by junk in the high ones. Without flag 16, the rules hold for 32-bit calls too (but
 * see the table about `socketcall`). With any flag, calls of the x32 convention kill the process.
 * The walls hold under all flags but 0, and under that with the wall `always`. Without flag 8 a program
 * can make sockets and setuid files by `io_uring`, which no filter sees; the wall `rings` keeps it up.
 */
export function buildSyscallFilter(options: BuildSyscallFilterOptions): SyscallFilter | undefined {
  const { flags, arch, walls = [] } = options;
  if (!Number.isInteger(flags) || flags < 0 || flags > FLAGS_MAX) {
    throw new RangeError(
      `Cannot build a system call filter as the flags must be from 0 to ${FLAGS_MAX}: current value is ${flags}`,
    );
  }
  if (flags === 0 && !walls.includes("always")) return undefined;

  const kept = walls.includes("rings") ? flags | SYSCALL_FLAGS.ioUring : flags;
  const rules = SYSCALL_RULES.filter(({ flag }) =>
    flag in SYSCALL_FLAGS
      ? (kept & SYSCALL_FLAGS[flag as keyof typeof SYSCALL_FLAGS]) !== 0
      : walls.includes(flag as FilterWall)
  );
  const legacy = LEGACY_ABIS[arch];
  const forbidsLegacy = (flags & SYSCALL_FLAGS.legacyArchitectures) !== 0;
  const instructions: Instruction[] = [
    load(OFFSET_ARCHITECTURE, "the architecture of the call"),
    ...onlyIf(AUDIT_ARCHITECTURES[arch], arch, callRules(arch, rules)),
    ...onlyIf(
      AUDIT_ARCHITECTURES[legacy],
      legacy,
      forbidsLegacy ? [kill("a 32-bit system call")] : callRules(legacy, rules),
    ),
    kill("an architecture that this kernel does not have"),
  ];
  return {
    program: encode(instructions),
    instructionCount: instructions.length,
    notes: instructions.map(({ note }) => note ?? ""),
  };
}

/** Decides on a call of one convention; ends by returning in every case. */
function callRules(abi: SyscallAbi, rules: readonly SyscallRule[]): Instruction[] {
  const numbered = rules.flatMap((rule) => {
    const number = rule.numbers[abi];
    return number === undefined ? [] : [{ ...rule, number }];
  }).sort((a, b) => a.number - b.number);
  return [
    load(OFFSET_NUMBER, "the number of the call"),
    ...abi === "x86_64" ? killX32() : [],
    ...findRule(numbered),
  ];
}

/** So few rules are tried one after the other. */
const TRIED_MAX = 4;

/**
 * Finds the rule of a number, in order, by halves. When a filter is installed the kernel tries it with every
 * number that there is: to compare each with every rule would take longer than all else that a program
 * does before it starts.
 */
function findRule(rules: readonly (SyscallRule & { number: number })[]): Instruction[] {
  if (rules.length <= TRIED_MAX) {
    return [
      ...rules.flatMap((rule) => onlyIf(rule.number, rule.call, ruleVerdict(rule))),
      { code: RETURN, value: linux.SECCOMP_RET_ALLOW },
    ];
  }
  const middle = rules.length >> 1;
  const [lower, upper] = [rules.slice(0, middle), rules.slice(middle)];
  const rest = findRule(lower);
  const { number, call } = upper[0]!;
  return [
    { code: JUMP_IF_NOT_LESS, ifTrue: rest.length, value: number, note: `from ${call} on` },
    ...rest,
    ...findRule(upper),
  ];
}

function ruleVerdict({ errno, arguments: tests = [] }: SyscallRule): Instruction[] {
  const fail: Instruction = {
    code: RETURN,
    value: linux.SECCOMP_RET_ERRNO | ERRNO[errno],
    note: errno,
  };
  if (tests.length === 0) return [fail];
  // From the end, as a test that fails jumps over all the others to the permission.
  return tests.reduceRight(
    (rest, test) => [...testOf(test, rest.length - 1), ...rest],
    [fail, { code: RETURN, value: linux.SECCOMP_RET_ALLOW }],
  );
}

/** Tests an argument: falls through if it is so, else jumps. */
function testOf(test: ArgumentTest, toPermission: number): Instruction[] {
  const { index } = test;
  const low = load(OFFSET_ARGUMENTS + 8 * index, `argument ${index}, the low 32 bits`);
  const last = { ifTrue: 0, ifFalse: toPermission };
  if ("isGiven" in test) {
    const isAny = { code: JUMP_IF_ANY_BIT, value: 0xffff_ffff };
    return [
      low,
      { ...isAny, ifTrue: 2, ifFalse: 0 },
      load(OFFSET_ARGUMENTS + 8 * index + 4, `argument ${index}, the high 32 bits`),
      { ...isAny, ...last, note: "a pointer" },
    ];
  }
  if ("bits" in test) {
    const [note, value] = Object.entries(test.bits)[0]!;
    return [low, { code: JUMP_IF_ANY_BIT, ...last, value, note }];
  }
  const values = Object.entries(test.values);
  const compare = values.map(([note, value], at) => {
    const left = values.length - 1 - at;
    return { code: JUMP_IF_EQUAL, ...left === 0 ? last : { ifTrue: left }, value, note };
  });
  return [low, ...compare];
}

function killX32(): Instruction[] {
  const note = "cancelled by a tracer";
  return [
    { code: JUMP_IF_ANY_BIT, ifTrue: 0, ifFalse: 2, value: X32_BIT, note: "the x32 bit" },
    { code: JUMP_IF_EQUAL, ifTrue: 1, ifFalse: 0, value: NO_SYSCALL, note },
    kill("an x32 system call"),
  ];
}

/** Runs a body, which never falls through, only if the accumulator has this value. */
function onlyIf(value: number, note: string, body: readonly Instruction[]): Instruction[] {
  return [{ code: JUMP_IF_EQUAL, ifTrue: 0, ifFalse: body.length, value, note }, ...body];
}

function load(offset: number, note: string): Instruction {
  return { code: LOAD_WORD, value: offset, note };
}

function kill(note: string): Instruction {
  return { code: RETURN, value: linux.SECCOMP_RET_KILL_PROCESS, note };
}

function encode(instructions: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const program = new Uint8Array(INSTRUCTION_BYTES * instructions.length);
  const view = new DataView(program.buffer);
  instructions.forEach(({ code, ifTrue = 0, ifFalse = 0, value }, index) => {
    // A longer jump would be cut to its low 8 bits and lead anywhere.
    if (ifTrue > 255 || ifFalse > 255) {
      throw new RangeError(`Cannot encode instruction ${index} of the filter: it jumps too far`);
    }
    const at = INSTRUCTION_BYTES * index;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, value, true);
  });
  return program;
}

/**
 * Disassembles a filter for people, one instruction a line: the bytes that would be installed, with
 * remarks from the rules.
 */
export function describeFilter({ program, instructionCount, notes }: SyscallFilter): string {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const lines = Array.from({ length: instructionCount }, (_, index) => {
    const text = describeInstruction(view, index);
    const note = notes[index];
    return `${String(index).padStart(3)}: ${note ? `${text.padEnd(44)} ; ${note}` : text}`;
  });
  return lines.join("\n");
}

function describeInstruction(view: DataView, index: number): string {
  const at = INSTRUCTION_BYTES * index;
  const code = view.getUint16(at, true);
  const [ifTrue, ifFalse] = [view.getUint8(at + 2), view.getUint8(at + 3)];
  const value = view.getUint32(at + 4, true);
  const otherwise = ifFalse === 0 ? "" : `, else to ${index + 1 + ifFalse}`;
  const jump = ifTrue === 0 ? `go on${otherwise}` : `go to ${index + 1 + ifTrue}${otherwise}`;
  switch (code) {
    case LOAD_WORD:
      return `load word at ${value}`;
    case JUMP_IF_EQUAL:
      return `if == ${value > 0xffff ? hexadecimal(value) : value} ${jump}`;
    case JUMP_IF_NOT_LESS:
      return `if >= ${value} ${jump}`;
    case JUMP_IF_ANY_BIT:
      return `if & ${hexadecimal(value)} ${jump}`;
    case RETURN:
      return `return ${describeVerdict(value)}`;
    default:
      return `unknown code ${hexadecimal(code)}`;
  }
}

function describeVerdict(value: number): string {
  if (value === linux.SECCOMP_RET_ALLOW) return "allow";
  if (value === linux.SECCOMP_RET_KILL_PROCESS) return "kill the process";
  const errno = value & 0xffff;
  return value - errno === linux.SECCOMP_RET_ERRNO ? `errno ${errno}` : hexadecimal(value);
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}
