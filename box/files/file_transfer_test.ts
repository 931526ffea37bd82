import { assert, assertEquals, assertRejects } from "@std/assert";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_RDWR, O_TRUNC } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { System, SystemError } from "../../ffi/system.ts";
import { withFolder } from "../../tests/support/folder.ts";
import { copyAll, readAll, SMALL_BYTES, writeBytes } from "./file_transfer.ts";

function open(system: System, path: string, flags: number): number {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("openat", [AT_FDCWD, plan.string(path), flags | O_CLOEXEC, 0o600], { into: fd });
  system.run(plan, "open");
  return plan.result(fd);
}

/** Lengths around those at which something changes. */
const LENGTHS = [0, 1, 4095, 4096, SMALL_BYTES, SMALL_BYTES + 1, 1 << 20, (1 << 20) + 1, 3_000_000];

for (const isSizeKnown of [true, false]) {
  Deno.test(`content of any length is written, copied and read, its size being ${isSizeKnown ? "known" : "unknown"}`, () =>
    withFolder(async (folder) => {
      const system = await System.load();
      const bytes = new Uint8Array(LENGTHS.at(-1)!).map((_, i) => i % 251);
      for (const length of LENGTHS) {
        const content = bytes.subarray(0, length);
        const create = O_CREAT | O_TRUNC | O_RDWR;
        const [a, b] = [open(system, `${folder}/a`, create), open(system, `${folder}/b`, create)];
        await writeBytes(system, a, { bytes: content, what: "write" });
        system.close(a);
        const sizeBytes = isSizeKnown ? length : 0;
        const from = () => ({ fd: open(system, `${folder}/a`, 0), sizeBytes });
        const options = { to: b, limitBytes: length, what: "copy" };
        const [first, second] = [from(), from()];
        assertEquals(await copyAll(system, first, options), length);
        const found = Deno.readFileSync(`${folder}/b`);
        assert(found.length === length && found.every((byte, i) => byte === bytes[i]));
        const read = (limitBytes: number) =>
          readAll(system, second.fd, { sizeBytes, limitBytes, what: "read" });
        const all = await read(length);
        assert(all?.length === length && all.every((byte, i) => byte === bytes[i]));
        const third = from();
        if (length > 0) {
          const less = { ...options, limitBytes: length - 1 };
          assertEquals(await copyAll(system, third, less), undefined);
        }
        system.close(b, first.fd, second.fd, third.fd);
      }
    }));
}

Deno.test("what cannot be moved is an error, at once and on another thread", () =>
  withFolder(async (folder) => {
    const system = await System.load();
    Deno.writeTextFileSync(`${folder}/file`, "");
    const fd = open(system, `${folder}/file`, 0);
    for (const length of [1, SMALL_BYTES + 1]) {
      const options = { bytes: new Uint8Array(length), what: "write it" };
      const error = await assertRejects(() => writeBytes(system, fd, options), SystemError);
      assertEquals(error.message, "Cannot write it: Bad file descriptor (write: EBADF)");
    }
    system.close(fd);
  }));
