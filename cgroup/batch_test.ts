import { assertEquals, assertThrows } from "@std/assert";
import { ERRNO } from "../ffi/errno.ts";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { Batch } from "./batch.ts";
import { ControlGroupError } from "./types.ts";

/** Files of control groups are files: an ordinary folder is enough. */
async function withBatch(
  test: (batch: Batch, folder: string, log: string[]) => void | Promise<void>,
): Promise<void> {
  const system = await System.load();
  await withFolder(async (folder) => {
    const log: string[] = [];
    const batch = new Batch(system, (level, message) => log.push(`${level} ${message()}`));
    await test(batch, folder, log);
  });
}

Deno.test("Batch reads, writes and opens in order, in one call", async () => {
  await withBatch(async (batch, folder, log) => {
    await Deno.writeTextFile(`${folder}/a`, "12\n");
    const before = batch.read(`${folder}/a`);
    batch.write(`${folder}/a`, "345");
    const after = batch.read(`${folder}/a`);
    const opened = batch.open(folder, { flags: 0 });
    batch.run("test");
    assertEquals([before.text, after.text], ["12", "345"]);
    assertEquals(await Deno.realPath(`/proc/self/fd/${opened.fd}`), await Deno.realPath(folder));
    (await System.load()).close(opened.fd);
    assertEquals(log, [
      `2 Control group: read ${folder}/a: "12"`,
      `2 Control group: write "345" to ${folder}/a`,
      `2 Control group: read ${folder}/a: "345"`,
    ]);
  });
});

Deno.test("Batch names the file and the value that failed, and closes what it has opened", async () => {
  await withBatch(async (batch, folder) => {
    const opened = batch.open(folder, { flags: 0 });
    batch.write(`${folder}/missing`, "1");
    const message = `Cannot write "1" to ${folder}/missing: there is no such file or control group`;
    assertThrows(() => batch.run("test"), ControlGroupError, message);
    assertEquals(await Deno.stat(`/proc/self/fd/${opened.fd}`).catch(() => "closed"), "closed");
  });
});

Deno.test("Batch goes on after errors that are tolerated, and tells of them", async () => {
  await withBatch(async (batch, folder, log) => {
    await Deno.writeTextFile(`${folder}/b`, "b");
    const tolerate = [ERRNO.ENOENT];
    const missing = batch.read(`${folder}/a`, { tolerate });
    const present = batch.read(`${folder}/b`, { tolerate });
    batch.run("test");
    assertEquals([missing.errno, missing.text], [ERRNO.ENOENT, undefined]);
    assertEquals([present.errno, present.text], [0, "b"]);
    assertEquals(log.length, 2);
  });
});

Deno.test("Batch tolerates no other error", async () => {
  await withBatch((batch, folder) => {
    const access = batch.read(folder, { tolerate: [ERRNO.ENOENT] });
    assertThrows(() => batch.run("test"), ControlGroupError, "Is a directory (EISDIR)");
    assertEquals(access.errno, ERRNO.EISDIR);
  });
});

Deno.test("Batch follows no symbolic links", async () => {
  await withBatch(async (batch, folder) => {
    await Deno.writeTextFile(`${folder}/file`, "secret");
    await Deno.symlink("file", `${folder}/link`);
    batch.read(`${folder}/link`);
    assertThrows(() => batch.run("test"), ControlGroupError, "Too many levels of symbolic links");
  });
});

Deno.test("Batch cuts no number in two", async () => {
  await withBatch(async (batch, folder) => {
    const lines = Array.from({ length: 1000 }, (_, i) => `${100_000 + i}`);
    await Deno.writeTextFile(`${folder}/cgroup.procs`, lines.join("\n") + "\n");
    const access = batch.read(`${folder}/cgroup.procs`);
    batch.run("test");
    const read = access.text!.split("\n");
    assertEquals(read, lines.slice(0, read.length));
  });
});
