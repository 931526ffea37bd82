import { assert, assertEquals, assertGreater } from "@std/assert";
import { ERRNO } from "../../ffi/errno.ts";
import { Plan } from "../../ffi/plan.ts";
import { System } from "../../ffi/system.ts";
import { openFolder, withFolder } from "../../tests/support/folder.ts";
import { planWriterCheck, waitForWriters } from "./writers.ts";

function check(system: System, file: { parent: number; name: string }): number {
  const plan = new Plan();
  const granted = planWriterCheck(plan, file);
  system.run(plan, "who writes");
  return plan.result(granted);
}

/** Gives `test` a file in a folder, for tests in which something holds it open. */
async function withFile(
  test: (file: { system: System; parent: number; name: string; path: string }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const system = await System.load();
    const parent = openFolder(system, folder);
    const path = `${folder}/program`;
    Deno.writeTextFileSync(path, "#!/bin/true\n");
    try {
      await test({ system, parent, name: "program", path });
    } finally {
      system.close(parent);
    }
  });
}

Deno.test("planWriterCheck() finds nobody where a file is only read, and leaves no lease", () =>
  withFile(async ({ system, path, ...file }) => {
    using _reader = await Deno.open(path);
    assertEquals(check(system, file), 0);
    // A lease that is still held would make this one wait.
    (await Deno.open(path, { write: true })).close();
    assertEquals(check(system, file), 0);
  }));

Deno.test("planWriterCheck() finds a writer of the file, in this process or in another", () =>
  withFile(async ({ system, path, ...file }) => {
    const writer = await Deno.open(path, { write: true });
    assertEquals(check(system, file), -ERRNO.EAGAIN);
    writer.close();
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", `exec 9>>"$0"; echo open; read -r line`, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await child.stdout[Symbol.asyncIterator]().next();
    assertEquals(check(system, file), -ERRNO.EAGAIN);
    await child.stdin.close();
    await child.status;
    assertEquals(check(system, file), 0);
  }));

Deno.test("planWriterCheck() accepts a file that is gone", () =>
  withFile(({ system, parent }) => {
    assert(check(system, { parent, name: "nothing" }) < 0);
    return waitForWriters(system, { parent, name: "nothing", what: "test" }, -ERRNO.ENOENT);
  }));

Deno.test("waitForWriters() waits until the last writer has closed the file", () =>
  withFile(async ({ system, path, parent, name }) => {
    const writer = await Deno.open(path, { write: true });
    let closed = false;
    setTimeout(() => {
      closed = true;
      writer.close();
    }, 50);
    await waitForWriters(system, { parent, name, what: "test" }, -ERRNO.EAGAIN);
    assert(closed);
  }));

/** The work of a thread that starts processes all the time. */
const STARTER = `
  let stop = false;
  self.onmessage = () => { stop = true; };
  for (let count = 0;; count++) {
    await new Deno.Command("/bin/true").output();
    if (count === 0) self.postMessage("started");
    if (stop) break;
    await new Promise((resolve) => setTimeout(resolve));
  }
  self.postMessage("stopped");
  self.close();
`;

Deno.test("a file that was just closed can be executed after waitForWriters(), whatever is started meanwhile", () =>
  withFile(async ({ system, parent, path }) => {
    const url = `data:application/javascript,${encodeURIComponent(STARTER)}`;
    const workers = [1, 2].map(() => new Worker(url, { type: "module" }));
    const told = () =>
      Promise.all(
        workers.map((worker) => new Promise((resolve) => worker.onmessage = resolve)),
      );
    await told();
    let held = 0;
    const endMs = Date.now() + 20_000;
    for (let i = 0; i < 100 || (held === 0 && Date.now() < endMs); i++) {
      const name = `program${i}`;
      const file = await Deno.open(`${path}${i}`, { write: true, create: true, mode: 0o755 });
      await file.write(new TextEncoder().encode("#!/bin/true\n"));
      await new Promise((resolve) => setTimeout(resolve));
      file.close();
      const granted = check(system, { parent, name });
      if (granted === -ERRNO.EAGAIN) held++;
      await waitForWriters(system, { parent, name, what: "test" }, granted);
      assertEquals(check(system, { parent, name }), 0);
      const { success } = await new Deno.Command(`${path}${i}`).output();
      assert(success);
    }
    const stopped = told();
    for (const worker of workers) worker.postMessage("stop");
    await stopped;
    // Otherwise this test would show nothing.
    assertGreater(held, 0);
  }));
