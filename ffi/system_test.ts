import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_WRONLY } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { System, SystemError, timespecMs } from "isolate/ffi/system.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { withFolder } from "isolate/tests/support/folder.ts";

const system = await System.load();

function open(path: string, flags: number = O_CLOEXEC): number {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("openat", [AT_FDCWD, plan.string(path), flags, 0o600], { into: fd });
  system.run(plan, "open a file");
  return plan.result(fd);
}

Deno.test("run() throws an error that names the option, what was tried, and why it failed", () => {
  const plan = new Plan();
  plan.because("directory rule 'x=/no/such'", () => {
    plan.step("openat", [AT_FDCWD, plan.string("/no/such"), 0, 0], { what: "open /no/such" });
  });
  const error = assertThrows(() => system.run(plan, "open"), SystemError);
  assertEquals(
    error.message,
    "directory rule 'x=/no/such': cannot open /no/such: No such file or directory (openat: ENOENT)",
  );
  assertEquals([error.errno, error.code, error.step], [2, "ENOENT", plan.steps[0]]);
});

Deno.test("an error without an option and without words still names the call and the path", () => {
  const plan = new Plan();
  plan.step("openat", [AT_FDCWD, plan.string("/no/such"), 0, 0]);
  const error = system.attempt(plan, "open");
  assertEquals(
    error?.message,
    "Cannot openat /no/such: No such file or directory (openat: ENOENT)",
  );
});

Deno.test("an error of a call without a path names the call", () => {
  const plan = new Plan();
  plan.step("close", [-1]);
  const error = system.attempt(plan, "close");
  assertEquals(error?.message, "Cannot close: Bad file descriptor (close: EBADF)");
});

Deno.test("attempt() says which of many steps failed", () => {
  const plan = new Plan();
  for (let i = 0; i < 5; i++) plan.step("getpid", []);
  plan.step("fchdir", [-1], { what: "enter it" });
  assertEquals(system.attempt(plan, "many")?.step?.options.what, "enter it");
});

Deno.test("a plan that the shim refuses is an error of ours, and says so", () => {
  const plan = new Plan();
  const room = plan.alloc(8);
  plan.step("store", [room, 3, 1]);
  const error = system.attempt(plan, "refused");
  assertEquals(error?.step, undefined);
  assertStringIncludes(error!.message, "malformed plan (a bug in isolate)");
});

Deno.test("trace gets a plan before it is executed", () => {
  const seen: string[] = [];
  const traced = new System(system.library, (plan, title) => {
    seen.push(title);
    assertThrows(() => plan.result(plan.slots[0]!), RangeError);
  });
  const plan = new Plan();
  const pid = plan.slot("pid");
  plan.step("getpid", [], { into: pid });
  traced.run(plan, "who am I");
  assertEquals(seen, ["who am I"]);
  assertEquals(plan.result(pid), Deno.pid);
});

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("writeAll() writes everything", async () => {
  await withFolder(async (folder) => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i);
    const fd = open(`${folder}/file`, O_WRONLY | O_CREAT | O_CLOEXEC);
    system.writeAll(fd, bytes, "a file");
    system.close(fd);
    assertEquals(await Deno.readFile(`${folder}/file`), bytes);
  });
});

Deno.test("writeAll() says what could not be written", () => {
  const fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const error = assertThrows(
    () => system.writeAll(fd, new Uint8Array(1), "the meta-file x"),
    SystemError,
  );
  assertEquals(
    error.message,
    "Cannot write the meta-file x: No space left on device (write: ENOSPC)",
  );
  system.close(fd);
});

Deno.test("close() takes any descriptors, also those that are not open", () => {
  const fd = open("/dev/null");
  const before = openDescriptors();
  system.close(fd, -1, 999_999);
  assertEquals(openDescriptors(), before - 1);
  system.close();
});

Deno.test("nowMs() goes on, in milliseconds", async () => {
  const before = system.nowMs();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const passed = system.nowMs() - before;
  assert(passed >= 19 && passed < 5000, `${passed}`);
});

Deno.test("clockMs() gives undefined for a clock that there is not", () => {
  assertEquals(system.clockMs(99), undefined);
});

Deno.test("timespecMs() keeps what is below a millisecond", () => {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigInt64(8, 5n, true);
  view.setBigInt64(16, 1_250_000n, true);
  assertEquals(timespecMs(view, 8), 5001.25);
});
