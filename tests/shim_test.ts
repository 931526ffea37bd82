/** The built shim: the same bytes from the same sources, small, and without dependencies. */

import { embeddedShim } from "isolate/ffi/embedded.ts";
import { AF_UNIX, PR_SET_CHILD_SUBREAPER, SOCK_SEQPACKET } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { assert, assertEquals } from "@std/assert";
import { ELF, readElf } from "./support/elf.ts";
import { withFolder } from "./support/folder.ts";
import { type Arch, ARCHITECTURES, HOST_SHIM, needsZig, shimPath, ZIG } from "./support/shim.ts";
import { needs, testWith } from "./support/skip.ts";

const ROOT = new URL("../", import.meta.url).pathname;
/** Few enough lines to read in one sitting. */
const SHIM_LINES_MAX = 680;
/** The program of its own, the same inside of Deno, and how the latter starts once more. */
const CLIENT_LINES_MAX = 430;

testWith(
  [needsZig()],
  "zig build makes the committed libraries and clients byte for byte",
  async () => {
    await withFolder(async (folder) => {
      const { success, stderr } = await new Deno.Command(ZIG, {
        args: ["build", "--prefix", `${folder}/out`, "--cache-dir", `${folder}/cache`],
        cwd: ROOT,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      for (
        const name of ARCHITECTURES.flatMap((arch) => [`libisolate-${arch}.so`, `isolate-${arch}`])
      ) {
        const built = await Deno.readFile(`${folder}/lib/${name}`);
        const committed = await Deno.readFile(`${ROOT}lib/${name}`);
        // Not assertEquals(): nobody wants to read the difference.
        assert(isSame(built, committed), `lib/${name} is stale: ./dev shim`);
      }
    });
  },
);

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("the sources of the shim, and those of the client, can be read in one sitting", async () => {
  const lines = { shim: 0, client: 0 };
  for await (const { name } of Deno.readDir(`${ROOT}shim`)) {
    if (!/\.[ch]$/.test(name) || name === "fuzz.c") continue;
    const source = await Deno.readTextFile(`${ROOT}shim/${name}`);
    lines[name.startsWith("client") ? "client" : "shim"] += source.split("\n").length - 1;
  }
  assert(lines.shim > 100 && lines.shim <= SHIM_LINES_MAX, `${lines.shim} lines`);
  assert(lines.client > 100 && lines.client <= CLIENT_LINES_MAX, `${lines.client} lines`);
});

for (const arch of ARCHITECTURES) {
  const bytes = Deno.readFileSync(shimPath(arch));

  Deno.test(`ffi/embedded.ts holds the ${arch} library`, () => {
    assert(isSame(embeddedShim(arch), bytes), "ffi/embedded.ts is stale: ./dev shim");
  });

  Deno.test(`the ${arch} library is for that machine, and a program at the same time`, () => {
    const elf = readElf(bytes);
    assertEquals([elf.type, elf.machine], [ELF.typeShared, ELF.machine[arch]]);
    assert(elf.entry > 0n);
    assert(!elf.segments.some(({ type }) => type === ELF.segment.interpreter));
  });

  Deno.test(`the ${arch} library exports its interface and needs nothing from anybody`, () => {
    const { symbols, dynamic } = readElf(bytes);
    assertEquals(symbols.filter(({ defined }) => !defined), []);
    assertEquals(
      symbols.map(({ name }) => name).sort(),
      [
        "_start",
        "isolate_abi",
        "isolate_again",
        "isolate_client",
        "isolate_exec",
        "isolate_signal",
      ],
    );
    const NEEDED = 1;
    assert(!dynamic.includes(NEEDED), "another library is needed");
  });

  Deno.test(`the ${arch} library has nothing to relocate and nothing that runs when loaded`, () => {
    const { dynamic, sections } = readElf(bytes);
    const tags = {
      jumps: 23,
      relocationsWithAddends: 7,
      relocations: 17,
      relative: 36,
      texts: 22,
      init: 12,
      fini: 13,
      initArray: 25,
      finiArray: 26,
    };
    for (const [what, tag] of Object.entries(tags)) assert(!dynamic.includes(tag), what);
    assert(!sections.includes(ELF.section.relocations));
    assert(!sections.includes(ELF.section.relocationsWithAddends));
  });

  Deno.test(`the ${arch} library has no memory that is writable and executable`, () => {
    const { segments } = readElf(bytes);
    assertEquals(segments.filter(({ writable, executable }) => writable && executable), []);
    const stack = segments.find(({ type }) => type === ELF.segment.stack);
    assertEquals(stack?.executable, false);
  });

  Deno.test(`the ${arch} library has no path of the machine that built it`, () => {
    const text = new TextDecoder("latin1").decode(bytes);
    assert(!/\/(home|root|work|tmp|usr|build)\//.test(text));
    assert(bytes.length < 16_384, `${bytes.length} bytes`);
  });
}

/** Executes a library as the program that it also is, with a plan as descriptor 3. */
async function runInit(
  plan: Plan | Uint8Array,
  options: { arch?: Arch; args?: string[]; before?: string } = {},
): Promise<{ code: number; stdout: string }> {
  return await withResult(async (folder) => {
    const image = plan instanceof Plan ? plan.encode() : plan;
    await Deno.writeFile(`${folder}/plan`, image);
    const library = options.arch ? shimPath(options.arch) : HOST_SHIM;
    const emulator = options.arch && options.arch !== Deno.build.arch
      ? `qemu-${options.arch} `
      : "";
    const script = `${options.before ?? ""} exec ${emulator}"$@" 3< ${folder}/plan`;
    const { code, stdout } = await new Deno.Command("bash", {
      args: ["-c", script, "bash", library, ...options.args ?? ["3"]],
      stderr: "inherit",
    }).output();
    return { code, stdout: new TextDecoder().decode(stdout) };
  });
}

async function withResult<T>(make: (folder: string) => Promise<T>): Promise<T> {
  let result: T | undefined;
  await withFolder(async (folder) => {
    result = await make(folder);
  });
  return result!;
}

function helloPlan(): Plan {
  const plan = new Plan();
  const [pid, again] = [plan.slot("pid"), plan.slot("again")];
  const text = plan.string("hello\n");
  plan.step("getpid", [], { into: pid });
  plan.step("getpgid", [pid], { into: again });
  plan.step("close", [-1], { into: again, ignore: 9 });
  plan.step("write", [1, text, 6], { when: [again, -9] });
  plan.step("write", [1, text, 6], { when: [again, 0] });
  plan.step("exit_group", [7]);
  return plan;
}

testWith([needs.command("bash")], "init carries out the plan in its descriptor", async () => {
  assertEquals(await runInit(helloPlan()), { code: 7, stdout: "hello\n" });
});

const emulated: Arch = Deno.build.arch === "aarch64" ? "x86_64" : "aarch64";
testWith(
  [needs.command("bash"), needs.command(`qemu-${emulated}`)],
  `init carries out the same plan on ${emulated}`,
  async () => {
    assertEquals(await runInit(helloPlan(), { arch: emulated }), { code: 7, stdout: "hello\n" });
  },
);

Deno.test("init exits with 125 when a step fails, or it has no good plan", async () => {
  const failing = new Plan();
  failing.step("close", [-1]);
  assertEquals(await runInit(failing), { code: 125, stdout: "" });
  const damaged = helloPlan().encode();
  damaged[0]! ^= 1;
  assertEquals(await runInit(damaged), { code: 125, stdout: "" });
  assertEquals(await runInit(new Uint8Array()), { code: 125, stdout: "" });
  for (const args of [[], [""], ["x"], ["99"], ["1"]]) {
    assertEquals(await runInit(helloPlan(), { args }), { code: 125, stdout: "" });
  }
});

Deno.test("init resets what its caller ignored, handled or blocked", async () => {
  const plan = new Plan();
  const words = ["cat", "/proc/self/status"].map((word) => plan.string(word));
  plan.step("execve", [plan.string("/bin/cat"), plan.pointers(words), plan.pointers([])]);
  const before = "trap '' HUP INT PIPE TERM CHLD USR1 RTMIN RTMAX;";
  const none = "0".repeat(16);
  const { code, stdout } = await runInit(plan, { before });
  assertEquals(code, 0);
  for (const name of ["SigBlk", "SigIgn", "SigCgt"]) {
    assert(stdout.includes(`${name}:\t${none}\n`), stdout);
  }
});

Deno.test("init reaps orphans, reports the end of the program, and exits", async () => {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("socketpair", [AF_UNIX, SOCK_SEQPACKET, 0, pair]);
  // Init has closed its plan: these are descriptors 3 and 4.
  plan.reportFd = 4;
  const program = plan.slot("program");
  const args = plan.cloneArgs();
  plan.spawn(args, { into: program }, () => {
    const words = ["sh", "-c", "(sleep 0.05 & sleep 0.1 & exit 3) & sleep 0.2; exit 9"];
    const argv = plan.pointers(words.map((word) => plan.string(word)));
    plan.step("execve", [plan.string("/bin/sh"), argv, plan.pointers([])]);
  });
  // A second child, started later, which copies the report to standard output.
  const reader = plan.slot("reader");
  plan.spawn(args, { into: reader }, () => {
    const report = plan.alloc(72);
    const length = plan.slot("length");
    plan.step("read", [3, report, 72], { into: length });
    plan.step("write", [1, report, 72]);
  });
  plan.step("prctl", [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0]);
  plan.step("reap", [program, 0]);
  const { code, bytes } = await withResult(async (folder) => {
    await Deno.writeFile(`${folder}/plan`, plan.encode());
    const { code } = await new Deno.Command("bash", {
      args: ["-c", `exec ${HOST_SHIM} 3 3< ${folder}/plan > ${folder}/out`],
    }).output();
    for (let i = 0; i < 200 && (await Deno.stat(`${folder}/out`)).size < 72; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { code, bytes: await Deno.readFile(`${folder}/out`) };
  });
  assertEquals(code, 0);
  const view = new DataView(bytes.buffer);
  const [kind, , status, childCode] = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  assertEquals([kind, status, childCode], [3, 9, 1]);
  const cpuNs = view.getBigInt64(32, true) * 1_000_000_000n + view.getBigInt64(40, true);
  assert(cpuNs > 0n && cpuNs < 5_000_000_000n, `${cpuNs}`);
  assert(view.getBigInt64(48, true) > 100n, "peak memory in KiB");
});
