import { ERRNO } from "../../ffi/errno.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  TIOCLINUX,
  TIOCSETD,
  TIOCSTI,
} from "../../ffi/linux.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defaultSettings } from "../../config/settings.ts";
import {
  ALL_SYSCALL_FLAGS,
  buildSyscallFilter,
  type BuildSyscallFilterOptions,
  describeFilter,
  filterWalls,
  SYSCALL_FLAGS,
} from "./syscall_filter.ts";
import {
  type Architecture,
  AUDIT_ARCHITECTURES,
  LEGACY_ABIS,
  SYSCALL_RULES,
  type SyscallAbi,
} from "./syscall_filter_table.ts";

const ARCHITECTURES: Architecture[] = ["x86_64", "aarch64"];
const EPERM = SECCOMP_RET_ERRNO | ERRNO.EPERM;
const ENOSYS = SECCOMP_RET_ERRNO | ERRNO.ENOSYS;
const EAFNOSUPPORT = SECCOMP_RET_ERRNO | ERRNO.EAFNOSUPPORT;
const JUNK = 0xdead_beef_0000_0000n;

interface Call {
  abi: SyscallAbi;
  nr: number;
  args?: bigint[];
}

/** Classic BPF as seccomp runs it; anything that a kernel would refuse is an error. */
function interpret(
  program: Uint8Array,
  { abi, nr, args = [] }: Call,
  onStep: () => void = () => {},
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, AUDIT_ARCHITECTURES[abi], true);
  data.setBigUint64(8, 0x7fff_1234_5678n, true);
  for (let index = 0; index < 6; index++) {
    data.setBigUint64(16 + 8 * index, args[index] ?? 0n, true);
  }
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let pc = 0; 8 * pc < program.byteLength; pc++) {
    onStep();
    const k = code.getUint32(8 * pc + 4, true);
    const [jt, jf] = [code.getUint8(8 * pc + 2), code.getUint8(8 * pc + 3)];
    switch (code.getUint16(8 * pc, true)) {
      case 0x20:
        assert(k % 4 === 0 && k < 64, "an aligned load inside seccomp_data");
        accumulator = data.getUint32(k, true);
        break;
      case 0x15:
        pc += accumulator === k ? jt : jf;
        break;
      case 0x35:
        pc += accumulator >= k ? jt : jf;
        break;
      case 0x45:
        pc += (accumulator & k) !== 0 ? jt : jf;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`unknown instruction at ${pc}`);
    }
  }
  throw new Error("ran off the end");
}

function run(options: BuildSyscallFilterOptions, call: Call): number {
  const filter = buildSyscallFilter(options);
  assert(filter !== undefined);
  return interpret(filter.program, call);
}

function assertVerdict(
  options: BuildSyscallFilterOptions,
  cases: { verdict: number; calls: Call[] },
) {
  for (const call of cases.calls) {
    const args = call.args?.map((value) => value.toString(16)).join();
    assertEquals(
      run(options, call).toString(16),
      cases.verdict.toString(16),
      `flags ${options.flags} on ${options.arch}: ${call.abi} call ${call.nr}(${args ?? ""})`,
    );
  }
}

Deno.test("buildSyscallFilter() makes no filter for flags 0, not even for a terminal", () => {
  assertEquals(buildSyscallFilter({ flags: 0, arch: "x86_64" }), undefined);
  assertEquals(buildSyscallFilter({ flags: 0, arch: "aarch64", walls: ["terminal"] }), undefined);
});

Deno.test("buildSyscallFilter() refuses flags that are not a small whole number", () => {
  for (const flags of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => buildSyscallFilter({ flags, arch: "x86_64" }), RangeError, "flags");
  }
});

Deno.test("buildSyscallFilter() is well formed for every combination", () => {
  for (const arch of ARCHITECTURES) {
    for (let flags = 1; flags <= ALL_SYSCALL_FLAGS; flags++) {
      for (const walls of [[], ["terminal", "setid", "core", "always", "rings"]] as const) {
        const filter = buildSyscallFilter({ flags, arch, walls });
        assert(filter !== undefined);
        const { program, instructionCount, notes } = filter;
        assertEquals(program.byteLength, 8 * instructionCount);
        assertEquals(notes.length, instructionCount);
        assert(instructionCount < 4096);
        const view = new DataView(program.buffer);
        for (let pc = 0; pc < instructionCount; pc++) {
          const code = view.getUint16(8 * pc, true);
          const [jt, jf] = [view.getUint8(8 * pc + 2), view.getUint8(8 * pc + 3)];
          assert([0x20, 0x15, 0x35, 0x45, 0x06].includes(code));
          if (code === 0x20 || code === 0x06) assertEquals([jt, jf], [0, 0]);
          assert(pc + 1 + Math.max(jt, jf) < instructionCount || code === 0x06, "jumps inside");
        }
        assertEquals(view.getUint16(8 * (instructionCount - 1), true), 0x06, "ends by returning");
      }
    }
  }
});

Deno.test("a filter decides on a call in few steps: the kernel tries it with every number", () => {
  const walls = ["terminal", "setid", "core", "always", "rings"] as const;
  for (const arch of ARCHITECTURES) {
    const filter = buildSyscallFilter({ flags: ALL_SYSCALL_FLAGS, arch, walls });
    for (let nr = 0; nr < 500; nr++) {
      let steps = 0;
      interpret(filter!.program, { abi: arch, nr }, () => steps++);
      assert(steps <= 20, `${steps} steps for ${nr} on ${arch}`);
    }
  }
});

Deno.test("filterWalls() lets only root, and the configuration, give up what keeps setuid files out", () => {
  const walls = (isRoot: boolean, configuredFlags: number) =>
    filterWalls({ coreKib: 1 }, { isRoot, configuredFlags });
  assertEquals(walls(true, ALL_SYSCALL_FLAGS), ["terminal", "setid"]);
  assertEquals(walls(false, ALL_SYSCALL_FLAGS), ["terminal", "setid", "always", "rings"]);
  assertEquals(walls(false, 1), ["terminal", "setid", "always"]);
  assertEquals(walls(false, 0), ["terminal", "setid"]);
});

Deno.test("buildSyscallFilter() refuses rings by a wall, without any flag", () => {
  const ring = { abi: "x86_64", nr: 425 } as const;
  const free = { flags: 0, arch: "x86_64", walls: ["always"] } as const;
  assertVerdict(free, { verdict: SECCOMP_RET_ALLOW, calls: [ring] });
  const walls = [...free.walls, "rings"] as const;
  assertVerdict({ ...free, walls }, { verdict: ENOSYS, calls: [ring] });
});

Deno.test("the table has at most one rule for a system call and only known flags", () => {
  for (const abi of Object.keys(AUDIT_ARCHITECTURES) as SyscallAbi[]) {
    const numbers = SYSCALL_RULES.map((rule) => rule.numbers[abi]).filter((nr) => nr !== undefined);
    assertEquals(new Set(numbers).size, numbers.length, abi);
  }
  for (const { flag } of SYSCALL_RULES) {
    assert(["terminal", "setid", "core"].includes(flag) || flag in SYSCALL_FLAGS);
  }
  assertEquals(Object.values(SYSCALL_FLAGS).reduce((sum, bit) => sum + bit, 0), ALL_SYSCALL_FLAGS);
});

Deno.test("the settings turn all flags on by default", () => {
  assertEquals(defaultSettings().syscallFlags, ALL_SYSCALL_FLAGS);
});

Deno.test("flags have the documented values", () => {
  assertEquals(SYSCALL_FLAGS, {
    keyctl: 1,
    vsock: 2,
    fileLocks: 4,
    ioUring: 8,
    legacyArchitectures: 16,
  });
});

Deno.test("flag 1 forbids keyctl, add_key and request_key", () => {
  const x86_64 = { flags: 1, arch: "x86_64" as const };
  const aarch64 = { flags: 1, arch: "aarch64" as const };
  const numbers: [SyscallAbi, number[]][] = [
    ["x86_64", [248, 249, 250]],
    ["i386", [286, 287, 288]],
    ["aarch64", [217, 218, 219]],
    ["arm", [309, 310, 311]],
  ];
  for (const [abi, [first = 0, second = 0, third = 0]] of numbers) {
    const options = abi === "x86_64" || abi === "i386" ? x86_64 : aarch64;
    assertVerdict(options, {
      verdict: ENOSYS,
      calls: [first, second, third].map((nr) => ({ abi, nr })),
    });
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [first - 1, third + 1].map((nr) => ({ abi, nr })),
    });
    assertVerdict({ ...options, flags: 2 }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr: third }],
    });
  }
});

const SOCKET: [SyscallAbi, number][] = [
  ["x86_64", 41],
  ["i386", 359],
  ["aarch64", 198],
  ["arm", 281],
];

function archOf(abi: SyscallAbi): Architecture {
  return abi === "x86_64" || abi === "i386" ? "x86_64" : "aarch64";
}

Deno.test("flag 2 forbids sockets of the family AF_VSOCK and no others", () => {
  for (const [abi, nr] of SOCKET) {
    const options = { flags: 2, arch: archOf(abi) };
    assertVerdict(options, { verdict: EAFNOSUPPORT, calls: [{ abi, nr, args: [40n, 1n, 0n] }] });
    const families = [0n, 1n, 2n, 10n, 16n, 39n, 41n, 40n << 8n, 0xffff_ffffn];
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: families.map((family) => ({ abi, nr, args: [family, 40n, 40n] })),
    });
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr: nr + 1, args: [40n] }],
    });
    assertVerdict({ ...options, flags: 1 }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr, args: [40n] }],
    });
  }
});

Deno.test("flag 2 ignores junk in the high half of the family", () => {
  for (const [abi, nr] of SOCKET.filter(([abi]) => abi === "x86_64" || abi === "aarch64")) {
    const options = { flags: 2, arch: archOf(abi) };
    assertVerdict(options, { verdict: EAFNOSUPPORT, calls: [{ abi, nr, args: [JUNK | 40n] }] });
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr, args: [(40n << 32n) | 1n] }],
    });
  }
});

Deno.test("flag 2 cannot see sockets made through socketcall", () => {
  assertVerdict({ flags: 2, arch: "x86_64" }, {
    verdict: SECCOMP_RET_ALLOW,
    calls: [{ abi: "i386", nr: 102, args: [1n, 40n] }],
  });
});

const FCNTL: [SyscallAbi, number][] = [
  ["x86_64", 72],
  ["i386", 55],
  ["i386", 221],
  ["aarch64", 25],
  ["arm", 55],
  ["arm", 221],
];
const LOCK_COMMANDS = [6n, 7n, 37n, 38n, 1024n, 1026n, 1040n];

Deno.test("flag 4 forbids flock", () => {
  const numbers: [SyscallAbi, number][] = [["x86_64", 73], ["i386", 143], ["aarch64", 32], [
    "arm",
    143,
  ]];
  for (const [abi, nr] of numbers) {
    const options = { flags: 4, arch: archOf(abi) };
    assertVerdict(options, { verdict: ENOSYS, calls: [{ abi, nr, args: [3n, 2n] }] });
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr: nr + 1, args: [3n, 2n] }],
    });
    assertVerdict({ ...options, flags: 8 }, { verdict: SECCOMP_RET_ALLOW, calls: [{ abi, nr }] });
  }
});

Deno.test("flag 4 forbids seven commands of fcntl and no others", () => {
  for (const [abi, nr] of FCNTL) {
    const options = { flags: 4, arch: archOf(abi) };
    assertVerdict(options, {
      verdict: EPERM,
      calls: LOCK_COMMANDS.map((command) => ({ abi, nr, args: [3n, command] })),
    });
    // F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_OFD_GETLK, F_GETLEASE, F_DUPFD_CLOEXEC…
    const others = [0n, 1n, 2n, 3n, 4n, 5n, 8n, 36n, 39n, 1023n, 1025n, 1030n, 1031n, 1033n, 1039n];
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: others.map((command) => ({ abi, nr, args: [6n, command, 7n] })),
    });
    assertVerdict({ ...options, flags: 27 & ~16 }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: LOCK_COMMANDS.map((command) => ({ abi, nr, args: [3n, command] })),
    });
  }
});

Deno.test("flag 4 forbids the locks with 64-bit offsets of 32-bit programs", () => {
  for (const [abi, nr] of FCNTL.filter(([abi]) => abi === "i386" || abi === "arm")) {
    assertVerdict({ flags: 4, arch: archOf(abi) }, {
      verdict: EPERM,
      calls: [13n, 14n].map((command) => ({ abi, nr, args: [3n, command] })),
    });
    assertVerdict({ flags: 4, arch: archOf(abi) }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [12n, 15n].map((command) => ({ abi, nr, args: [3n, command] })),
    });
  }
});

Deno.test("flag 4 ignores junk in the high half of the command", () => {
  for (const [abi, nr] of FCNTL.filter(([abi]) => abi === "x86_64" || abi === "aarch64")) {
    assertVerdict({ flags: 4, arch: archOf(abi) }, {
      verdict: EPERM,
      calls: LOCK_COMMANDS.map((command) => ({ abi, nr, args: [3n, JUNK | command] })),
    });
    assertVerdict({ flags: 4, arch: archOf(abi) }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: LOCK_COMMANDS.map((command) => ({ abi, nr, args: [3n, (command << 32n) | 5n] })),
    });
  }
});

Deno.test("flag 8 forbids all of io_uring", () => {
  for (const abi of ["x86_64", "i386", "aarch64", "arm"] as const) {
    const options = { flags: 8, arch: archOf(abi) };
    assertVerdict(options, {
      verdict: ENOSYS,
      calls: [425, 426, 427].map((nr) => ({ abi, nr })),
    });
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [424, 428].map((nr) => ({ abi, nr })),
    });
    assertVerdict({ ...options, flags: 7 }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi, nr: 425 }],
    });
  }
});

Deno.test("flag 16 kills every 32-bit call and leaves the others alone", () => {
  for (const arch of ARCHITECTURES) {
    const legacy = LEGACY_ABIS[arch];
    for (const flags of [16, ALL_SYSCALL_FLAGS]) {
      assertVerdict({ flags, arch }, {
        verdict: SECCOMP_RET_KILL_PROCESS,
        calls: [0, 1, 4, 20, 102, 288, 0xffff_ffff].map((nr) => ({ abi: legacy, nr })),
      });
      assertVerdict({ flags, arch }, {
        verdict: SECCOMP_RET_ALLOW,
        calls: [0, 1, 20, 63].map((nr) => ({ abi: arch, nr })),
      });
    }
    assertVerdict({ flags: 16, arch }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [{ abi: arch, nr: 250 }, { abi: arch, nr: 219 }, { abi: arch, nr: 425 }],
    });
  }
});

Deno.test("without flag 16 ordinary 32-bit calls pass", () => {
  for (const arch of ARCHITECTURES) {
    const legacy = LEGACY_ABIS[arch];
    assertVerdict({ flags: 15, arch }, {
      verdict: SECCOMP_RET_ALLOW,
      // 41, 72, 250 and the like are forbidden as native calls only.
      calls: [0, 1, 4, 25, 32, 41, 72, 73, 198, 219, 250].map((nr) => ({ abi: legacy, nr })),
    });
  }
});

Deno.test("a call of the other processor's conventions is killed under any flags", () => {
  for (const flags of [1, 15, 16, 31, 32]) {
    assertVerdict({ flags, arch: "x86_64" }, {
      verdict: SECCOMP_RET_KILL_PROCESS,
      calls: [{ abi: "aarch64", nr: 0 }, { abi: "arm", nr: 0 }],
    });
    assertVerdict({ flags, arch: "aarch64" }, {
      verdict: SECCOMP_RET_KILL_PROCESS,
      calls: [{ abi: "x86_64", nr: 0 }, { abi: "i386", nr: 0 }],
    });
  }
});

Deno.test("x32 numbers are killed under any flags", () => {
  for (const flags of [1, 2, 4, 8, 16, 31, 32]) {
    assertVerdict({ flags, arch: "x86_64" }, {
      verdict: SECCOMP_RET_KILL_PROCESS,
      calls: [0x4000_0000, 0x4000_0000 + 250, 0x4000_0000 + 512, 0xc000_0000, 0x7fff_ffff]
        .map((nr) => ({ abi: "x86_64" as const, nr })),
    });
    assertVerdict({ flags, arch: "x86_64" }, {
      verdict: SECCOMP_RET_ALLOW,
      calls: [0, 1, 0x3fff_ffff, 0x8000_0000].map((nr) => ({ abi: "x86_64" as const, nr })),
    });
  }
});

Deno.test("a call that a tracer has cancelled is not taken for an x32 call", () => {
  assertVerdict({ flags: 31, arch: "x86_64" }, {
    verdict: SECCOMP_RET_ALLOW,
    calls: [{ abi: "x86_64", nr: 0xffff_ffff }],
  });
});

Deno.test("large numbers mean nothing on aarch64", () => {
  assertVerdict({ flags: 31, arch: "aarch64" }, {
    verdict: SECCOMP_RET_ALLOW,
    calls: [{ abi: "aarch64", nr: 0x4000_0000 }, { abi: "aarch64", nr: 0xffff_ffff }],
  });
});

Deno.test("terminal forbids typing into a terminal and reconfiguring it", () => {
  const numbers: [SyscallAbi, number][] = [["x86_64", 16], ["i386", 54], ["aarch64", 29], [
    "arm",
    54,
  ]];
  for (const [abi, nr] of numbers) {
    const options = { flags: 1, arch: archOf(abi), walls: ["terminal"] as const };
    const commands = [TIOCSTI, TIOCLINUX, TIOCSETD].map(BigInt);
    const high = abi === "x86_64" || abi === "aarch64" ? [0n, JUNK] : [0n];
    for (const junk of high) {
      const calls = commands.map((command) => ({ abi, nr, args: [0n, junk | command] }));
      assertVerdict(options, { verdict: EPERM, calls });
      assertVerdict({ ...options, walls: [] }, { verdict: SECCOMP_RET_ALLOW, calls });
    }
    // TCGETS, TIOCGWINSZ, FIONREAD and neighbours.
    const others = [0x5401n, 0x5413n, 0x541bn, 0x5411n, 0x541dn, 0x5422n, 0x5424n, 0x5412_0000n];
    assertVerdict(options, {
      verdict: SECCOMP_RET_ALLOW,
      calls: others.map((command) => ({ abi, nr, args: [0x5412n, command] })),
    });
  }
});

Deno.test("terminal with flag 16 alone still protects the terminal", () => {
  assertVerdict({ flags: 16, arch: "x86_64", walls: ["terminal"] }, {
    verdict: EPERM,
    calls: [{ abi: "x86_64", nr: 16, args: [0n, 0x5412n] }],
  });
});

const ABIS = Object.keys(AUDIT_ARCHITECTURES) as SyscallAbi[];
const SETID = { flags: 1, walls: ["setid"] as const };

/** The numbers of a call, and where its mode is; before it come its flags, if it has any. */
function numbersOf(call: string) {
  const { numbers } = SYSCALL_RULES.find((rule) => rule.call === call)!;
  return ABIS.flatMap((abi) => numbers[abi] === undefined ? [] : [{ abi, nr: numbers[abi] }]);
}

Deno.test("the setid wall forbids setuid and setgid bits, whatever else a mode has", () => {
  const modes = [0o4000n, 0o2000n, 0o6755n, 0o104755n, 0o2070n];
  const harmless = [0n, 0o777n, 0o1777n, 0o100644n];
  const calls: [string, number][] = [["chmod", 1], ["fchmod", 1], ["fchmodat", 2], [
    "fchmodat2",
    2,
  ]];
  for (const [call, index] of [...calls, ["creat", 1], ["mknod", 1], ["mknodat", 2]] as const) {
    const at = (mode: bigint) => [...Array.from({ length: index }, () => 0o6000n), mode];
    for (const { abi, nr } of numbersOf(call)) {
      const options = { ...SETID, arch: archOf(abi) };
      assertVerdict(options, {
        verdict: EPERM,
        calls: modes.map((m) => ({ abi, nr, args: at(m) })),
      });
      const allowed = harmless.map((m) => ({ abi, nr, args: at(m) }));
      assertVerdict(options, { verdict: SECCOMP_RET_ALLOW, calls: allowed });
    }
  }
});

Deno.test("the setid wall looks at the mode of open only where a file is made", () => {
  for (const [call, index] of [["open", 1], ["openat", 2]] as const) {
    for (const { abi, nr } of numbersOf(call)) {
      const options = { ...SETID, arch: archOf(abi) };
      const at = (flags: bigint, mode: bigint) => ({
        abi,
        nr,
        args: [...Array.from({ length: index }, () => 0o6100n), flags, mode],
      });
      const making = [0o100n, 0o101n, 0o20200002n, 0o20000000n];
      assertVerdict(options, { verdict: EPERM, calls: making.map((flags) => at(flags, 0o4755n)) });
      const harmless = [at(0o101n, 0o644n), at(0n, 0xffff_ffffn), at(0o200000n, 0o6777n)];
      assertVerdict(options, { verdict: SECCOMP_RET_ALLOW, calls: harmless });
    }
  }
  for (const { abi, nr } of numbersOf("openat2")) {
    assertVerdict({ ...SETID, arch: archOf(abi) }, { verdict: ENOSYS, calls: [{ abi, nr }] });
  }
});

Deno.test("the core wall forbids to set the limit on core files, and to set no other, nor to read it", () => {
  for (const { abi, nr } of numbersOf("setrlimit")) {
    const options = { flags: 1, walls: ["core"] as const, arch: archOf(abi) };
    assertVerdict(options, { verdict: EPERM, calls: [{ abi, nr, args: [4n, 1n] }] });
    assertVerdict(options, { verdict: SECCOMP_RET_ALLOW, calls: [{ abi, nr, args: [3n, 4n] }] });
  }
  for (const { abi, nr } of numbersOf("prlimit64")) {
    const options = { flags: 1, walls: ["core"] as const, arch: archOf(abi) };
    const set = [0x10n, 0x7f00_0000_0000n].map((at) => ({ abi, nr, args: [0n, 4n, at] }));
    assertVerdict(options, { verdict: EPERM, calls: set });
    const harmless = [[0n, 4n, 0n, 0x7f00n], [4n, 7n, 0x7f00n, 0n]];
    const calls = harmless.map((args) => ({ abi, nr, args }));
    assertVerdict(options, { verdict: SECCOMP_RET_ALLOW, calls });
  }
});

Deno.test("unknown bits are ignored", () => {
  assertEquals(
    buildSyscallFilter({ flags: 0x7fff_ffff, arch: "x86_64" })?.program,
    buildSyscallFilter({ flags: ALL_SYSCALL_FLAGS, arch: "x86_64" })?.program,
  );
});

Deno.test("describeFilter() prints a line for each instruction, with names", () => {
  const filter = buildSyscallFilter({ flags: 31, arch: "x86_64", walls: ["terminal"] });
  assert(filter !== undefined);
  const text = describeFilter(filter);
  assertEquals(text.split("\n").length, filter.instructionCount);
  for (const word of ["keyctl", "AF_VSOCK", "F_OFD_SETLKW", "TIOCSTI", "ENOSYS", "x32", "i386"]) {
    assertStringIncludes(text, word);
  }
});

Deno.test("describeFilter() prints what the bytes say", () => {
  const text = (options: BuildSyscallFilterOptions) =>
    describeFilter({ ...buildSyscallFilter(options)!, notes: [] });
  const lines = text({ flags: 1, arch: "aarch64" }).split("\n");
  assertEquals(lines.slice(0, 7), [
    "  0: load word at 4",
    "  1: if == 0xc00000b7 go on, else to 10",
    "  2: load word at 0",
    "  3: if == 217 go on, else to 5",
    "  4: return errno 38",
    "  5: if == 218 go on, else to 7",
    "  6: return errno 38",
  ]);
  assertEquals(lines.at(-1), ` ${lines.length - 1}: return kill the process`);
  assertStringIncludes(text({ flags: ALL_SYSCALL_FLAGS, arch: "aarch64" }), ": if >= 218 go to ");
});
