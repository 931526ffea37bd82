import { F_DUPFD } from "../../ffi/linux.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Plan } from "../../ffi/plan.ts";
import { System, SystemError } from "../../ffi/system.ts";
import { withFolder } from "../../tests/support/folder.ts";
import { SandboxError } from "../../host/errors.ts";
import { BoxLock } from "./lock.ts";
import { Waiter } from "../keep/waiter.ts";

const RECORD = {
  ownerUid: 4_000_000_000,
  ownerGid: 4_000_000_001,
  controlGroup: true,
  initialised: true,
  quota: false,
  ownFileSystem: false,
  pooled: false,
};

async function take(lockRoot: string): Promise<BoxLock> {
  const lock = await BoxLock.take(await System.load(), { lockRoot, boxId: 3, create: true });
  assert(lock);
  return lock;
}

Deno.test("BoxLock.take() makes an empty file that only root can read", () =>
  withFolder(async (lockRoot) => {
    const lock = await take(lockRoot);
    const { mode, size } = Deno.statSync(`${lockRoot}/3`);
    assertEquals([mode! & 0o7777, size], [0o600, 0]);
    assertEquals(lock.read(), undefined);
    lock.release();
  }));

Deno.test("BoxLock.take() returns nothing if there is no file and it may not make one", () =>
  withFolder(async (lockRoot) => {
    const options = { lockRoot, boxId: 3, create: false };
    assertEquals(await BoxLock.take(await System.load(), options), undefined);
    assertEquals([...Deno.readDirSync(lockRoot)], []);
  }));

Deno.test("BoxLock keeps the record for the next process", () =>
  withFolder(async (lockRoot) => {
    for (let flags = 0; flags < 32; flags++) {
      const record = {
        ...RECORD,
        controlGroup: (flags & 1) !== 0,
        initialised: (flags & 2) !== 0,
        quota: (flags & 4) !== 0,
        ownFileSystem: (flags & 8) !== 0,
        pooled: (flags & 16) !== 0,
      };
      const first = await take(lockRoot);
      first.write(record);
      first.release();
      const second = await take(lockRoot);
      assertEquals(second.read(), record);
      second.release();
    }
  }));

Deno.test("BoxLock.clear() frees the box and keeps the file", () =>
  withFolder(async (lockRoot) => {
    const lock = await take(lockRoot);
    lock.write(RECORD);
    lock.clear();
    assertEquals(lock.read(), undefined);
    assertEquals(Deno.statSync(`${lockRoot}/3`).size, 0);
    lock.release();
  }));

Deno.test("BoxLock.read() takes a file that holds something else for that of a free box", () =>
  withFolder(async (lockRoot) => {
    for (const content of ["", "short", "sixteen bytes...", "much more than sixteen bytes"]) {
      Deno.writeTextFileSync(`${lockRoot}/3`, content);
      const lock = await take(lockRoot);
      assertEquals(lock.read(), undefined, content);
      lock.release();
    }
  }));

Deno.test("BoxLock.take() refuses a box that is in use, and leaves no descriptor open", () =>
  withFolder(async (lockRoot) => {
    const lock = await take(lockRoot);
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    for (let i = 0; i < 3; i++) {
      const error = await assertRejects(() => take(lockRoot), SandboxError);
      assertEquals(error.kind, "box-in-use");
      const who = `(box 3, process ${Deno.pid})`;
      assertEquals(error.message, `This box is currently in use by another process ${who}`);
    }
    assertEquals([...Deno.readDirSync("/proc/self/fd")].length, before);
    lock.release();
    (await take(lockRoot)).release();
  }));

Deno.test("BoxLock.take() refuses a box that another process has locked", () =>
  withFolder(async (lockRoot) => {
    const holder = new Deno.Command("flock", {
      args: [`${lockRoot}/3`, "/bin/sh", "-c", "echo locked; read -r line"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await holder.stdout[Symbol.asyncIterator]().next();
    const error = await assertRejects(() => take(lockRoot), SandboxError);
    await holder.stdin.close();
    await holder.status;
    assertEquals(error.kind, "box-in-use");
    (await take(lockRoot)).release();
  }));

Deno.test("BoxLock.release() frees the box even if a child that is being started has a copy", () =>
  withFolder(async (lockRoot) => {
    const system = await System.load();
    const lock = await take(lockRoot);
    const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name));
    const fd = links.find((fd) => linkOf(fd) === `${lockRoot}/3`)!;
    const plan = new Plan();
    const copy = plan.slot("copy");
    plan.step("fcntl", [fd, F_DUPFD, 3], { into: copy });
    system.run(plan, "copy the descriptor, as a clone does");
    lock.release();
    (await take(lockRoot)).release();
    system.close(plan.result(copy));
  }));

function linkOf(fd: number): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // That of the listing itself.
  }
}

Deno.test("BoxLock.take() waits for a box that is in use, if it is given a waiter", () =>
  withFolder(async (lockRoot) => {
    const system = await System.load();
    const waiter = Waiter.create(system);
    const lock = await take(lockRoot);
    let released = false;
    setTimeout(() => {
      released = true;
      lock.release();
    }, 60);
    const next = await BoxLock.take(system, { lockRoot, boxId: 3, create: true, waiter });
    assert(released);
    next!.release();
    waiter.close();
  }));

Deno.test("BoxLock.take() stops waiting when its signal is aborted", () =>
  withFolder(async (lockRoot) => {
    const system = await System.load();
    const waiter = Waiter.create(system);
    const lock = await take(lockRoot);
    const abort = AbortSignal.timeout(40);
    const options = { lockRoot, boxId: 3, create: true, waiter, abort };
    const error = await assertRejects(() => BoxLock.take(system, options), DOMException);
    assertEquals(error.name, "TimeoutError");
    lock.release();
    (await take(lockRoot)).release();
    waiter.close();
  }));

Deno.test("BoxLock.take() follows no link", () =>
  withFolder(async (lockRoot) => {
    Deno.writeTextFileSync(`${lockRoot}/target`, "precious");
    Deno.symlinkSync("target", `${lockRoot}/3`);
    const error = await assertRejects(() => take(lockRoot), SystemError);
    assertEquals(error.code, "ELOOP");
    assertEquals(Deno.readTextFileSync(`${lockRoot}/target`), "precious");
  }));

Deno.test("BoxLock.take() names the lock file that cannot be opened", () =>
  withFolder(async (lockRoot) => {
    Deno.mkdirSync(`${lockRoot}/3`);
    const error = await assertRejects(() => take(lockRoot), SystemError);
    assert(error.message.includes(`open the lock file ${lockRoot}/3`), error.message);
  }));
