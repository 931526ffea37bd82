import { ABI_VERSION } from "isolate/ffi/abi.ts";
import { embeddedShim } from "isolate/ffi/embedded.ts";
import { loadLibrary, ShimError } from "isolate/ffi/library.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { abiRecordOffset, HOST_SHIM } from "isolate/tests/support/shim.ts";
import { withFolder } from "isolate/tests/support/folder.ts";

const ROOT = new URL("../", import.meta.url);
const NAME = HOST_SHIM.slice(HOST_SHIM.lastIndexOf("/") + 1);
const ARCH = Deno.build.arch === "aarch64" ? "aarch64" : "x86_64";

/** Runs a module of its own; gives what it printed. */
async function runModule(
  code: string,
  options: { env?: Record<string, string>; through?: string[]; permissions?: string[] } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const module = `data:text/typescript,${encodeURIComponent(code)}`;
  const permissions = options.permissions ?? ["--allow-ffi", "--allow-import"];
  const config = new URL("deno.json", ROOT).pathname;
  const deno = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--no-check", "--config", config];
  const [program, ...args] = [...options.through ?? [], ...deno, ...permissions, module];
  const output = await new Deno.Command(program!, { args, env: options.env ?? {} }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

function planOfPid(): { plan: Plan; image: Uint8Array<ArrayBuffer>; pid: () => number } {
  const plan = new Plan();
  const slot = plan.slot("pid");
  plan.step("getpid", [], { into: slot });
  return { plan, image: plan.encode(), pid: () => plan.result(slot) };
}

/** A folder with a file of the shim's name that holds `bytes`. */
async function withShim(
  bytes: Uint8Array | undefined,
  test: (directory: URL) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    if (bytes) await Deno.writeFile(`${folder}/${NAME}`, bytes);
    await test(new URL(`file://${folder}/`));
  });
}

for (const from of ["file", "embedded"] as const) {
  Deno.test(`the shim ${from === "file" ? "from its file" : "that is embedded"} executes plans`, async () => {
    const { exec, origin } = await loadLibrary({ from });
    assertEquals(origin, from === "file" ? HOST_SHIM : "embedded");
    const { image, pid } = planOfPid();
    assertEquals(exec(image), 0);
    assertEquals(pid(), Deno.pid);
  });

  Deno.test(`the shim ${from === "file" ? "from its file" : "that is embedded"} gives a descriptor of itself`, async () => {
    const { imageFd } = await loadLibrary({ from });
    assert(imageFd > 2);
    assertEquals(await Deno.readFile(`/proc/self/fd/${imageFd}`), embeddedShim(ARCH));
    const flags = await Deno.readTextFile(`/proc/self/fdinfo/${imageFd}`);
    assert(
      /^flags:\s+0?2\d{6}$|^flags:\s+0?1[24]\d{6}$/m.test(flags),
      `closed on execve: ${flags}`,
    );
  });
}

Deno.test("the file beside the module is taken where there is one", async () => {
  assertEquals((await loadLibrary()).origin, HOST_SHIM);
});

Deno.test("the embedded shim is taken where there is no file", async () => {
  await withShim(undefined, async (directory) => {
    assertEquals((await loadLibrary({ directory })).origin, "embedded");
  });
});

Deno.test("the embedded shim is taken for a module that comes from elsewhere than a file", async () => {
  const directory = new URL("https://example.org/lib/");
  assertEquals((await loadLibrary({ directory })).origin, "embedded");
});

Deno.test("a missing file that was asked for is an error with the command that builds it", async () => {
  await withShim(undefined, async (directory) => {
    const error = await assertRejects(
      () => loadLibrary({ from: "file", directory }),
      ShimError,
    );
    assertStringIncludes(error.message, `${directory.pathname}${NAME}`);
    assertStringIncludes(error.message, "./dev shim");
    assert(!error.message.includes("\n"), error.message);
  });
});

/** What a file can be instead of a shim; none of it may end the process. */
const BAD_FILES: readonly (readonly [string, (good: Uint8Array<ArrayBuffer>) => Uint8Array])[] = [
  ["empty", () => new Uint8Array()],
  ["cut short within its header", (good) => good.subarray(0, 40)],
  ["a text", () => new TextEncoder().encode("version https://example.org/spec\n".repeat(9))],
];

for (const [what, make] of BAD_FILES) {
  Deno.test(`a file that is ${what} is an error with the command that builds it`, async () => {
    await withShim(make(embeddedShim(ARCH)), async (directory) => {
      for (const from of ["file", undefined] as const) {
        const error = await assertRejects(
          () => loadLibrary({ directory, ...from ? { from } : {} }),
          ShimError,
        );
        assertStringIncludes(error.message, NAME);
        assertStringIncludes(error.message, "./dev shim");
        assert(!error.message.includes("\n"), error.message);
      }
    });
  });
}

Deno.test("the shim of another machine is not loaded", async () => {
  const other = embeddedShim(ARCH === "x86_64" ? "aarch64" : "x86_64");
  await withShim(other, async (directory) => {
    await assertRejects(() => loadLibrary({ from: "file", directory }), ShimError, "./dev shim");
    // The C library's loader treats such a file as if it were not there.
    assertEquals((await loadLibrary({ directory })).origin, "embedded");
  });
});

for (const version of [ABI_VERSION - 1, ABI_VERSION + 1]) {
  Deno.test(`a shim of version ${version} is refused with the command that builds the right one`, async () => {
    const bytes = embeddedShim(ARCH);
    new DataView(bytes.buffer).setUint32(abiRecordOffset(bytes) + 8, version, true);
    await withShim(bytes, async (directory) => {
      const error = await assertRejects(() => loadLibrary({ directory }), ShimError);
      assertStringIncludes(error.message, `is of version ${version}`);
      assertStringIncludes(error.message, `needs ${ABI_VERSION}`);
      assertStringIncludes(error.message, "./dev shim");
    });
  });
}

Deno.test("a shim with structures of other sizes is refused", async () => {
  const bytes = embeddedShim(ARCH);
  new DataView(bytes.buffer).setUint32(abiRecordOffset(bytes) + 16, 72, true);
  await withShim(bytes, async (directory) => {
    await assertRejects(() => loadLibrary({ directory }), ShimError, "./dev shim");
  });
});

Deno.test("a path may have spaces and letters of all kinds", async () => {
  await withFolder(async (folder) => {
    const inner = `${folder}/ä b%41`;
    await Deno.mkdir(inner);
    await Deno.copyFile(HOST_SHIM, `${inner}/${NAME}`);
    const directory = new URL(`file://${inner.replaceAll("%", "%25")}/`);
    const { origin, imageFd } = await loadLibrary({ directory });
    assertEquals(origin, `${inner}/${NAME}`);
    assertEquals(await Deno.readFile(`/proc/self/fd/${imageFd}`), embeddedShim(ARCH));
  });
});

Deno.test("the embedded shim is loaded through no file system, not even the temporary one", async () => {
  const code = `
    import { loadLibrary } from "${new URL("ffi/library.ts", ROOT)}";
    import { System } from "${new URL("ffi/system.ts", ROOT)}";
    import { readText } from "${new URL("host/read.ts", ROOT)}";
    const system = new System(await loadLibrary({ from: "embedded" }));
    console.log(readText(system, "/proc/self/maps", { limitBytes: 1 << 24 }));`;
  const { code: status, stdout, stderr } = await runModule(code, {
    env: { TMPDIR: "/nonexistent", TMP: "/nonexistent", TEMP: "/nonexistent" },
  });
  assertEquals(status, 0, stderr);
  // Wherever the checkout and its Deno lie.
  const runtime = Deno.realPathSync(Deno.execPath());
  const lines = stdout.split("\n").filter((line) => !line.includes(runtime));
  const shim = lines.filter((line) => line.includes("isolate"));
  assert(shim.length > 0, "the shim is mapped");
  for (const line of shim) assert(line.includes("/memfd:isolate-shim (deleted)"), line);
  assertEquals(lines.filter((line) => line.includes(" r-xp ") && line.includes("/tmp/")), []);
});

testWith(
  [needs.command("strace")],
  "loading the embedded shim makes and opens no file",
  async () => {
    await withFolder(async (folder) => {
      const code = `
        import { loadLibrary } from "${new URL("ffi/library.ts", ROOT)}";
        console.error("BEGIN"); await loadLibrary({ from: "embedded" }); console.error("END");`;
      const through = ["strace", "-f", "-qq", "-o", `${folder}/log`, "-e", "trace=%file,write"];
      const { code: status, stderr } = await runModule(code, { through });
      assertEquals(status, 0, stderr);
      const log = await Deno.readTextFile(`${folder}/log`);
      const part = log.slice(log.indexOf("BEGIN"), log.lastIndexOf("END"));
      const opened = [...part.matchAll(/open(?:at)?\((?:AT_FDCWD, )?"([^"]*)", (\S+)/g)];
      assert(opened.some(([, path]) => path!.startsWith("/proc/self/fd/")), part);
      for (const [line, path, flags] of opened) {
        assert(!flags!.includes("O_CREAT"), line);
        assert(!/^\/(tmp|var|dev\/shm)\//.test(path!), line);
      }
    });
  },
);

Deno.test("without the permission the runtime's own error comes through", async () => {
  const code = `
    import { library } from "${new URL("ffi/library.ts", ROOT)}";
    try { await library(); } catch (error) { console.log(error.name, error.message); }`;
  const { stdout } = await runModule(code, { permissions: ["--allow-import"] });
  assert(stdout.startsWith("NotCapable"), stdout);
  assertStringIncludes(stdout, "--allow-ffi");
});

/** Waits for a signal's number in a pipe and prints it. */
const SIGNAL_MODULE = `
  import { loadLibrary } from "${new URL("ffi/library.ts", ROOT)}";
  import { System } from "${new URL("ffi/system.ts", ROOT)}";
  import { Plan } from "${new URL("ffi/plan.ts", ROOT)}";
  const library = await loadLibrary();
  const system = new System(library);
  const make = new Plan();
  const pair = make.alloc(8);
  make.step("pipe2", [pair, 0]);
  system.run(make, "make a pipe");
  const fds = [make.view(pair).getInt32(0, true), make.view(pair).getInt32(4, true)];
  for (const signal of [2, 11]) library.signal(signal, fds[1]);
  await Deno.stdout.write(new TextEncoder().encode("READY\\n"));
  const plan = new Plan();
  const byte = plan.alloc(1);
  plan.step("read", [fds[0], byte, 1]);
  await library.execAside(plan.encode());
  console.log("GOT " + plan.content(byte)[0]);
  Deno.exit(0);`;

testWith(
  [needs.command("python3")],
  "a signal that a terminal sends is caught as one that a process sends",
  async () => {
    // Types Ctrl-C on a terminal of its own as soon as the module is ready.
    const typist = [
      "import os, pty, sys",
      "pid, fd = pty.fork()",
      "if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])",
      "seen = b''; typed = False",
      "while True:",
      "    try: piece = os.read(fd, 1024)",
      "    except OSError: break",
      "    if not piece: break",
      "    seen += piece",
      "    if b'READY' in seen and not typed: os.write(fd, b'\\x03'); typed = True",
      "print(seen.decode(), os.waitpid(pid, 0)[1])",
    ].join("\n");
    const { stdout } = await runModule(SIGNAL_MODULE, { through: ["python3", "-c", typist] });
    assert(/GOT 2\r?\n 0\n$/.test(stdout), stdout);
  },
);

Deno.test("a fault's signal that another process sends is caught", async () => {
  const script = `"$@" > "$OUT" & pid=$!; while ! grep -q READY "$OUT"; do sleep 0.02; done; ` +
    `kill -SEGV $pid; wait $pid; echo $? >> "$OUT"`;
  await withFolder(async (folder) => {
    const through = ["sh", "-c", script, "sh"];
    const out = `${folder}/out`;
    await Deno.writeTextFile(out, "");
    await runModule(SIGNAL_MODULE, { through, env: { OUT: out } });
    assertEquals(await Deno.readTextFile(out), "READY\nGOT 11\n0\n");
  });
});
