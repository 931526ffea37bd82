/** Descriptors that are transferred to a run. */

import { assertEquals, assertRejects } from "@std/assert";
import { Box, type RunOptions } from "isolate/mod.ts";
import { close, descriptors, makePipe, readAll } from "isolate/tests/support/descriptors.ts";

const BOX_ID = 873;

Deno.test("a pipe whose end was transferred ends with the program", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const { reader, writer } = makePipe();
  const read = readAll(reader);
  const run = box.run(["/bin/echo", "hello"], { stdout: { fd: writer, transfer: true } });
  assertEquals(new TextDecoder().decode(await read), "hello\n");
  assertEquals((await run).kind, "exit");
});

Deno.test("transferred descriptors are closed when the box has them, while the program runs", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const before = descriptors();
  const { reader, writer } = makePipe();
  const end = makePipe();
  const run = box.run(["/bin/cat"], {
    stdin: { fd: reader, transfer: true },
    stdout: { fd: end.writer, transfer: true },
    stderr: { fd: end.writer, transfer: true },
  });
  const read = readAll(end.reader);
  // Only with nobody else holding the ends does each side see the other's end.
  close(writer);
  assertEquals(await read, new Uint8Array());
  assertEquals((await run).kind, "exit");
  assertEquals(descriptors(), before);
});

/** A run that gets a pipe, and fails. */
async function failedRun(box: Box, command: string[], options: RunOptions): Promise<void> {
  const before = descriptors();
  const { reader, writer } = makePipe();
  const stdin = { fd: reader, transfer: true };
  await assertRejects(() => box.run(command, { ...options, stdin }));
  close(writer);
  assertEquals(descriptors(), before);
}

Deno.test("transferred descriptors are closed when a run fails before the box is started", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  await failedRun(box, [], {});
  await failedRun(box, ["/bin/true"], { cpus: [] });
  await failedRun(box, ["/bin/true"], { stdout: { file: "/no/such/place" } });
  await failedRun(box, ["/bin/true"], { workingDirectory: "/nowhere" });
  await failedRun(box, ["/bin/true"], { limits: { controlGroupMemoryKib: 1 } });
  const run = box.run(["/bin/sleep", "0.1"]);
  await failedRun(box, ["/bin/true"], {});
  await run;
  await box.cleanup();
  await failedRun(box, ["/bin/true"], {});
});

Deno.test("descriptors that are not transferred stay the caller's", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const { reader, writer } = makePipe();
  await box.run(["/bin/echo", "1"], { stdout: { fd: writer } });
  await box.run(["/bin/echo", "2"], { stdout: { fd: writer, limitBytes: 100 } });
  await box.run(["/bin/echo", "3"], { stdout: { fd: writer, transfer: false } });
  close(writer);
  assertEquals(new TextDecoder().decode(await readAll(reader)), "1\n2\n3\n");
});
