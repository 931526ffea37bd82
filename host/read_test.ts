import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_RDWR, O_TRUNC } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { System, SystemError } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { SandboxError } from "./errors.ts";
import { readAll, readAside, readFile, SMALL_BYTES } from "./read.ts";
import { copyAside, writeAside } from "./write.ts";

const system = await System.load();

function open(path: string, flags: number): number {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("openat", [AT_FDCWD, plan.string(path), flags | O_CLOEXEC, 0o600], { into: fd });
  system.run(plan, "open");
  return plan.result(fd);
}

/** Lengths near which something changes. */
const LENGTHS = [0, 1, 4095, 4096, SMALL_BYTES, SMALL_BYTES + 1, 1 << 20, (1 << 20) + 1, 3_000_000];

for (const isSizeKnown of [true, false]) {
  Deno.test(`content of any length is written, copied and read, its size being ${isSizeKnown ? "known" : "unknown"}`, () =>
    withFolder(async (folder) => {
      const bytes = new Uint8Array(LENGTHS.at(-1)!).map((_, i) => i % 251);
      for (const length of LENGTHS) {
        const content = bytes.subarray(0, length);
        const create = O_CREAT | O_TRUNC | O_RDWR;
        const [a, b] = [open(`${folder}/a`, create), open(`${folder}/b`, create)];
        await writeAside(system, a, { bytes: content, what: "write" });
        system.close(a);
        const sizeBytes = isSizeKnown ? length : 0;
        const from = () => ({ fd: open(`${folder}/a`, 0), sizeBytes });
        const options = { to: b, limitBytes: length, what: "copy" };
        const [first, second] = [from(), from()];
        assertEquals(await copyAside(system, first, options), length);
        const found = Deno.readFileSync(`${folder}/b`);
        assert(found.length === length && found.every((byte, i) => byte === bytes[i]));
        const third = from();
        const limits = { sizeBytes, limitBytes: length, what: "read" };
        for (
          const all of [
            await readAside(system, second.fd, limits),
            readAll(system, third.fd, limits),
          ]
        ) assert(all.length === length && all.every((byte, i) => byte === bytes[i]));
        const fourth = from();
        if (length > 0) {
          const less = { ...options, limitBytes: length - 1 };
          const message = `Cannot copy: it is larger than ${length - 1} bytes`;
          await assertRejects(() => copyAside(system, fourth, less), SandboxError, message);
        }
        system.close(b, first.fd, second.fd, third.fd, fourth.fd);
      }
    }));
}

Deno.test("what cannot be moved is an error, at once and on another thread", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    const fd = open(`${folder}/file`, 0);
    for (const length of [1, SMALL_BYTES + 1]) {
      const options = { bytes: new Uint8Array(length), what: "write it" };
      const error = await assertRejects(() => writeAside(system, fd, options), SystemError);
      assertEquals(error.message, "Cannot write it: Bad file descriptor (write: EBADF)");
    }
    system.close(fd);
  }));

Deno.test("readFile() reads files of any size, and an empty one", async () => {
  await withFolder(async (folder) => {
    for (const length of [0, 1, 65_536, 65_537, 200_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      await Deno.writeFile(`${folder}/file`, bytes, { mode: 0o640 });
      const file = readFile(system, `${folder}/file`);
      assertEquals(file?.bytes, bytes);
      assertEquals(file?.status.sizeBytes, length);
      assertEquals(file?.status.mode, 0o640);
    }
  });
});

Deno.test("readFile() gives undefined for a file that does not exist", () => {
  assertEquals(readFile(system, "/no/such/file"), undefined);
});

Deno.test("readFile() refuses a file that is larger than wanted", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/file`, new Uint8Array(101));
    assertThrows(
      () => readFile(system, `${folder}/file`, { limitBytes: 100 }),
      SandboxError,
      "larger than 100 bytes",
    );
    assertEquals(readFile(system, `${folder}/file`, { limitBytes: 101 })?.bytes.length, 101);
  });
});

Deno.test("readFile() says why a directory cannot be read, and closes it", async () => {
  await withFolder((folder) => {
    const before = openDescriptors();
    const error = assertThrows(() => readFile(system, folder), SystemError);
    assertEquals(error.code, "EISDIR");
    assertEquals(openDescriptors(), before);
  });
});

Deno.test("readFile() does not wait for a writer of a FIFO", async () => {
  await withFolder(async (folder) => {
    await new Deno.Command("mkfifo", { args: [`${folder}/fifo`] }).output();
    assertEquals(readFile(system, `${folder}/fifo`)?.bytes.length, 0);
  });
});

Deno.test("readFile() leaves no descriptor open", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "text");
    const before = openDescriptors();
    for (let round = 0; round < 5; round++) readFile(system, `${folder}/file`);
    assertEquals(openDescriptors(), before);
  });
});

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("environmentOf() and commandLineOf() give what the process was started with", async () => {
  const module = `
    import { System } from "${new URL("../ffi/system.ts", import.meta.url)}";
    import { commandLineOf, environmentOf } from "${new URL("read.ts", import.meta.url)}";
    const system = await System.load();
    const value = environmentOf(system).get("ISOLATE_TEST");
    const codes = (text) => [...text].map((c) => c.charCodeAt(0).toString(16)).join();
    console.log(codes(value), codes(commandLineOf(system).at(-1)));`;
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/module.ts`, module);
    const config = new URL("../deno.json", import.meta.url).pathname;
    const script = `export ISOLATE_TEST="$(printf 'a=\\377b')"; ` +
      `exec "$@" "$(printf 'x\\300')"`;
    const command = [Deno.execPath(), "run", "--no-check", "--config", config, "--allow-ffi"];
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, "sh", ...command, `${folder}/module.ts`],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals(text(stdout), "61,3d,dcff,62 78,dcc0\n", text(stderr));
  });
});
