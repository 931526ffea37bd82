/** The life of boxes, through the library. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Box, defaultSettings, Sandbox, SandboxError, type SandboxErrorKind } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";

const BOX_ID = 402;

async function refused(kind: SandboxErrorKind, work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, SandboxError);
  assertEquals(error.kind, kind, error.message);
  return error.message;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("init() makes an empty box, and cleanup() leaves nothing of it", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  assertEquals(box.boxId, BOX_ID);
  assertEquals([...Deno.readDirSync(`${box.directory}/box`)], []);
  assertEquals(Deno.statSync(`${box.directory}/box`).mode! & 0o7777, 0o700);
  await Deno.writeTextFile(`${box.directory}/box/file`, "");
  await box.run(["/bin/sh", "-c", "echo > /tmp/kept; echo > made"]);
  await box.cleanup();
  assert(!exists(box.directory));
});

Deno.test("a box that goes out of scope is cleaned up, after an error too", async () => {
  let directory = "";
  const work = async () => {
    await using box = await Box.init({ boxId: BOX_ID });
    directory = box.directory;
    assert(exists(`${directory}/box`));
    throw new Error("in the middle");
  };
  await assertRejects(work, Error, "in the middle");
  assert(!exists(directory));
});

Deno.test("init() resets a box that was left behind", async () => {
  const first = await Box.init({ boxId: BOX_ID });
  await Deno.writeTextFile(`${first.directory}/box/old`, "");
  first.release();
  await using second = await Box.init({ boxId: BOX_ID });
  assertEquals([...Deno.readDirSync(`${second.directory}/box`)], []);
});

Deno.test("open() finds a released box as it was left, any number of times", async () => {
  const first = await Box.init({ boxId: BOX_ID });
  await Deno.writeTextFile(`${first.directory}/box/kept`, "still here");
  first.release();
  for (let i = 0; i < 2; i++) {
    const box = await Box.open({ boxId: BOX_ID });
    const outcome = await box.run([
      "/bin/sh",
      "-c",
      "read -r a < kept; test \"$a\" = 'still here'",
    ]);
    box.release();
    assert(outcome.kind === "exit" && outcome.exitCode === 0);
  }
  assertEquals(await Box.remove({ boxId: BOX_ID }), true);
});

Deno.test("open() refuses a box that was never made or that is gone", async () => {
  await Box.remove({ boxId: BOX_ID });
  const message = await refused("no-box", () => Box.open({ boxId: BOX_ID }));
  assertEquals(message, `Box not found, did you run \`isolate --box-id=${BOX_ID} --init'?`);
});

Deno.test("remove() returns whether there was a box", async () => {
  (await Box.init({ boxId: BOX_ID })).release();
  assertEquals(await Box.remove({ boxId: BOX_ID }), true);
  assertEquals(await Box.remove({ boxId: BOX_ID }), false);
});

Deno.test("the same box cannot be taken twice at once, not even in one process", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  for (const take of [Box.init, Box.open, Box.remove]) {
    const message = await refused("box-in-use", () => take({ boxId: BOX_ID }));
    const who = `(box ${BOX_ID}, process ${Deno.pid})`;
    assertEquals(message, `This box is currently in use by another process ${who}`);
  }
  assert(exists(`${box.directory}/box`));
});

Deno.test("wait: true waits until the box is free", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  const next = Box.init({ boxId: BOX_ID, wait: true });
  let cleaned = false;
  setTimeout(() => {
    cleaned = true;
    box.cleanup();
  }, 50);
  await using _box = await next;
  assert(cleaned);
});

Deno.test("waiting for a box can be aborted", async () => {
  await using _box = await Box.init({ boxId: BOX_ID });
  const signal = AbortSignal.timeout(50);
  const options = { boxId: BOX_ID, wait: true, signal };
  const error = await assertRejects(() => Box.init(options), DOMException);
  assertEquals(error.name, "TimeoutError");
});

Deno.test("run() refuses a second program while one runs, which is not disturbed", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const first = box.run(["/bin/sleep", "0.2"]);
  await refused("box-in-use", () => box.run(["/bin/true"]));
  await refused("box-in-use", () => box.cleanup());
  const outcome = await first;
  assert(outcome.kind === "exit" && outcome.exitCode === 0);
  assertEquals((await box.run(["/bin/true"])).kind, "exit");
});

Deno.test("run() refuses a box that was released, and cleanup() then does nothing", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  box.release();
  await refused("no-box", () => box.run(["/bin/true"]));
  await box.cleanup();
  box.release();
  assert(exists(`${box.directory}/box`));
  assertEquals(await Box.remove({ boxId: BOX_ID }), true);
});

Deno.test("run() refuses an empty command", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await assertRejects(() => box.run([]), TypeError, "The command must be an array");
});

Deno.test("box ids outside the configured range are refused", async () => {
  for (const boxId of [-1, 1000, 0.5]) {
    for (const take of [Box.init, Box.open, Box.remove]) {
      await assertRejects(() => take({ boxId }), RangeError, "Sandbox ID out of range");
    }
  }
});

Deno.test("a sandbox of its own has its own boxes, locks and users", () =>
  withFolder(async (folder) => {
    Deno.chmodSync(folder, 0o755);
    const settings = {
      ...defaultSettings(),
      boxRoot: `${folder}/boxes`,
      lockRoot: `${folder}/locks`,
      firstUid: 70_000,
      firstGid: 80_000,
      numBoxes: 2,
    };
    const sandbox = await Sandbox.open({ settings });
    await using _machines = await Box.init({ boxId: BOX_ID });
    await using box = await Box.init({ boxId: 1, sandbox });
    assertEquals(box.directory, `${folder}/boxes/1`);
    await box.run(["/bin/sh", "-c", 'exec id > "$0"', "ids"]);
    const text = await Deno.readTextFile(`${box.directory}/box/ids`);
    assertEquals(text, "uid=70001 gid=80001 groups=80001\n");
    await assertRejects(() => Box.init({ boxId: 2, sandbox }), RangeError, "allowed: 0-1");
  }));

Deno.test("a box acts for its owner, and refuses others but root", async () => {
  const settings = defaultSettings();
  const sandboxOf = (uid: number) => Sandbox.open({ settings, actAs: { uid, gid: uid } });
  const alice = await sandboxOf(65_001);
  const bob = await sandboxOf(65_002);
  const box = await Box.init({ boxId: BOX_ID, sandbox: alice });
  assertEquals(Deno.statSync(`${box.directory}/box`).uid, 65_001);
  box.release();
  for (const take of [Box.init, Box.open, Box.remove]) {
    const message = await refused("foreign-box", () => take({ boxId: BOX_ID, sandbox: bob }));
    assertEquals(message, "This box belongs to a different user (uid 65001)");
  }
  const again = await Box.open({ boxId: BOX_ID, sandbox: alice });
  await again.run(["/bin/sh", "-c", "echo > made"]);
  assertEquals(Deno.statSync(`${box.directory}/box/made`).uid, 65_001);
  again.release();
  assertEquals(await Box.remove({ boxId: BOX_ID }), true);
});

Deno.test("restricted_init lets only root make boxes", async () => {
  const settings = { ...defaultSettings(), restrictedInit: true };
  const sandbox = await Sandbox.open({ settings, actAs: { uid: 65_001, gid: 65_001 } });
  const message = await refused("restricted", () => Box.init({ boxId: BOX_ID, sandbox }));
  assertEquals(message, "New sandboxes can be created only by root");
  await using _box = await Box.init({ boxId: BOX_ID, sandbox: await Sandbox.open({ settings }) });
});

Deno.test("init() with a size gives the box a file system of its own, and cleanup() takes it away", async () => {
  const size = { sizeKib: 64, inodes: 10 };
  const box = await Box.init({ boxId: 403, size });
  try {
    const outcome = await box.run(["/bin/sh", "-c", "exec head -c 100000 /dev/zero > big"], {
      stderr: { path: "/dev/null" },
    });
    assertEquals(outcome.kind === "exit" && outcome.exitCode, 1);
    assertEquals(Deno.statSync(`${box.directory}/box/big`).size, 65536);
  } finally {
    await box.cleanup();
  }
  assert(!Deno.readTextFileSync("/proc/self/mountinfo").includes(`${box.directory}/box`));
});
