import { OPERATION_CODES, PLAN, STEP } from "isolate/ffi/abi.ts";
import { ERRNO } from "isolate/ffi/errno.ts";
import { library } from "isolate/ffi/library.ts";
import {
  AT_FDCWD,
  CLONE_VFORK,
  CLONE_VM,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  P_PID,
  WEXITED,
} from "isolate/ffi/linux.ts";
import { type Data, Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const system = await System.load();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Adds steps that send `data` through a pipe; gives the room where it comes out. */
function throughPipe(plan: Plan, data: Data): Data {
  const pair = plan.alloc(8);
  const out = plan.alloc(data.length);
  const [reader, writer] = [plan.slot("reader"), plan.slot("writer")];
  plan.step("pipe2", [pair, O_CLOEXEC]);
  system.run(plan, "make a pipe");
  const [readFd, writeFd] = [plan.view(pair).getInt32(0, true), plan.view(pair).getInt32(4, true)];
  plan.steps.length = 0;
  plan.step("fcntl", [readFd, F_DUPFD_CLOEXEC, 3], { into: reader });
  plan.step("fcntl", [writeFd, F_DUPFD_CLOEXEC, 3], { into: writer });
  plan.step("write", [writer, data, data.length]);
  plan.step("read", [reader, out, out.length]);
  for (const fd of [reader, writer, readFd, writeFd]) plan.step("close", [fd], { always: true });
  return out;
}

Deno.test("encode() lays out the header, steps, slots, pointers and data", () => {
  const plan = new Plan();
  const slot = plan.slot("result");
  const target = plan.string("target");
  const array = plan.pointers([target]);
  plan.reportFd = 7;
  plan.step("mkdirat", [AT_FDCWD, target, 0o755], {
    into: slot,
    ignore: ERRNO.EEXIST,
    always: true,
  });
  const image = plan.encode();
  const view = new DataView(image.buffer, image.byteOffset);
  assertEquals(view.getUint32(PLAN.magic, true), 0x4c505349);
  assertEquals(view.getUint32(PLAN.totalSize, true), image.length);
  assertEquals(image.length % 8, 0);
  assertEquals(image.at(-1), 0);
  assertEquals(
    [PLAN.stepCount, PLAN.mainCount, PLAN.slotCount, PLAN.pointerCount, PLAN.reportFd]
      .map((at) => view.getInt32(at, true)),
    [1, 1, 1, 1, 7],
  );
  const step = PLAN.size;
  assertEquals(view.getUint16(step + STEP.operation, true), OPERATION_CODES.get("mkdirat"));
  assertEquals(view.getUint8(step + STEP.flags), 2);
  assertEquals(view.getUint8(step + STEP.ignoredErrno), ERRNO.EEXIST);
  assertEquals(view.getUint16(step + STEP.resultSlot, true), 0);
  assertEquals(view.getUint16(step + STEP.guardSlot, true), 0xffff);
  assertEquals(view.getUint32(step + STEP.kinds, true), 0x010);
  const pointers = step + STEP.size + 8;
  assertEquals(view.getUint32(pointers, true), array.offset);
  assertEquals(view.getUint32(pointers + 4, true), target.offset);
  assertEquals(text(image.subarray(pointers + 8, pointers + 14)), "target");
});

Deno.test("numbers are sign-extended and bigints keep all their bits", () => {
  const plan = new Plan();
  plan.step("close", [-1, 0xffffffff, 2 ** 40 + 5, -1n, 1n << 63n, -(2 ** 33)]);
  const image = plan.encode();
  const view = new DataView(image.buffer, image.byteOffset);
  const args = [0, 1, 2, 3, 4, 5].map((i) =>
    view.getBigUint64(PLAN.size + STEP.args + 8 * i, true)
  );
  assertEquals(args, [
    2n ** 64n - 1n,
    0xffffffffn,
    2n ** 40n + 5n,
    2n ** 64n - 1n,
    2n ** 63n,
    2n ** 64n - 2n ** 33n,
  ]);
});

Deno.test("a slot carries a result to later steps and to the caller", () => {
  const plan = new Plan();
  const pid = plan.slot("pid");
  const group = plan.slot("group");
  plan.step("getpid", [], { into: pid });
  plan.step("getpgid", [pid], { into: group });
  system.run(plan, "who am I");
  assertEquals(plan.result(pid), Deno.pid);
  // The fifth word; in a container it is 0 if the group is one outside.
  const [, , ownGroup] = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ");
  assertEquals(plan.result(group), Number(ownGroup));
});

Deno.test("a step with a guard runs only if the slot holds the value", () => {
  const plan = new Plan();
  const [pid, failed, yes, no] = ["pid", "failed", "yes", "no"].map((name) => plan.slot(name));
  plan.step("getpid", [], { into: pid! });
  plan.step("close", [-1], { into: failed!, ignore: "all" });
  plan.step("getppid", [], { into: yes!, when: [pid!, Deno.pid] });
  plan.step("getppid", [], { into: no!, when: [pid!, 0] });
  plan.step("getpid", [], { into: pid!, when: [failed!, -ERRNO.EBADF] });
  system.run(plan, "guards");
  assertEquals(plan.result(yes!), Deno.ppid);
  assertEquals(plan.result(no!), -1, "as if it had failed");
  assertEquals(plan.result(failed!), -ERRNO.EBADF);
});

Deno.test("a failing step ends the plan, but for those that always run", () => {
  const plan = new Plan();
  const [skipped, after] = [plan.slot("skipped"), plan.slot("after")];
  plan.step("close", [-1]);
  plan.step("getpid", [], { into: skipped });
  plan.step("getpid", [], { into: after, always: true });
  plan.step("fchdir", [-1], { always: true });
  const failure = system.attempt(plan, "fail");
  assertEquals(failure?.errno, ERRNO.EBADF);
  assertEquals(failure?.step, plan.steps[0], "the first failure counts");
  assertEquals(plan.result(skipped), -1);
  assertEquals(plan.result(after), Deno.pid);
});

Deno.test("a step can ignore one errno, or all", () => {
  const plan = new Plan();
  plan.step("close", [-1], { ignore: ERRNO.EBADF });
  plan.step("close", [-1], { ignore: "all" });
  assertEquals(system.attempt(plan, "ignored"), undefined);
  const other = new Plan();
  other.step("close", [-1], { ignore: ERRNO.ENOENT });
  assertEquals(system.attempt(other, "not ignored")?.code, "EBADF");
});

Deno.test("string() encodes what is not valid UTF-8, and refuses a NUL", () => {
  const plan = new Plan();
  const broken = plan.string("a\udcff");
  const next = plan.string("ä");
  assertEquals([broken.length, next.length], [3, 3]);
  assertThrows(() => plan.string("a\0b"), TypeError, "NUL");
  plan.encode();
  assertEquals([...plan.content(broken)], [0x61, 0xff, 0]);
  assertEquals([...plan.content(next)], [0xc3, 0xa4, 0]);
});

Deno.test("strings lie one after the other without leftovers, also when one is refused", () => {
  const plan = new Plan();
  const pieces = ["", "x", "漢".repeat(500), "\udc80".repeat(700), "end"];
  const data: Data[] = [];
  for (const piece of pieces) {
    data.push(plan.string(piece));
    assertThrows(() => plan.string("\0"));
  }
  plan.encode();
  assertEquals(
    data.map((piece) => plan.content(piece).at(-1)),
    pieces.map(() => 0),
  );
  assertEquals(text(plan.content(data[2]!).subarray(0, -1)), pieces[2]);
  assertEquals(plan.content(data[3]!).subarray(0, -1).every((byte) => byte === 0x80), true);
  assertEquals(text(plan.content(data[4]!)), "end\0");
});

Deno.test("struct() writes 32-bit numbers and 64-bit bigints without padding", () => {
  const plan = new Plan();
  plan.bytes(new Uint8Array(3));
  const data = plan.struct([1, -1, 2n, -2n, 0xffffffff]);
  plan.encode();
  assertEquals(data.offset % 8, 0);
  assertEquals(data.length, 28);
  const view = plan.view(data);
  assertEquals([0, 4, 24].map((at) => view.getInt32(at, true)), [1, -1, -1]);
  assertEquals([8, 16].map((at) => view.getBigInt64(at, true)), [2n, -2n]);
});

Deno.test("data of any size goes to the kernel and back", () => {
  for (const length of [1, 7, 8, 1023, 1024, 1025, 60_000]) {
    const plan = new Plan();
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    const data = plan.bytes(bytes);
    const out = throughPipe(plan, data);
    system.run(plan, "through a pipe");
    assertEquals(plan.content(out, length), bytes);
  }
});

Deno.test("a slot takes the place of a descriptor, and store() puts it into a structure", () => {
  const plan = new Plan();
  const fd = plan.slot("event");
  const ready = plan.slot("ready");
  const wanted = plan.struct([0, 1]);
  plan.step("memfd_create", [plan.string("x"), MFD_CLOEXEC], { into: fd });
  plan.step("store", [wanted.part(0, 4), 4, fd]);
  plan.step("ppoll", [wanted, 1, plan.struct([0n, 0n]), 0, 8], { into: ready });
  plan.step("close", [fd]);
  system.run(plan, "poll");
  assertEquals(plan.result(ready), 1);
  assertEquals(plan.view(wanted).getInt32(0, true), plan.result(fd));
});

Deno.test("pointers() ends with a null pointer and point() reaches into structures", () => {
  const plan = new Plan();
  const words = ["one", "two"].map((word) => plan.string(word));
  const array = plan.pointers(words);
  const vector = plan.struct([0n, 3n]);
  plan.point(vector, 0, words[1]!);
  plan.step("getpid", []);
  system.run(plan, "pointers are set when the plan is decoded");
  const base = plan.view(array).getBigUint64(0, true) - BigInt(words[0]!.offset);
  assertEquals(plan.view(array).getBigUint64(8, true), base + BigInt(words[1]!.offset));
  assertEquals(plan.view(array).getBigUint64(16, true), 0n);
  assertEquals(plan.view(vector).getBigUint64(0, true), base + BigInt(words[1]!.offset));
});

Deno.test("because() names the rule of the steps inside and of no others, whatever happens", () => {
  const plan = new Plan();
  plan.because("outer", () => {
    plan.because("inner", () => plan.step("getpid", []));
    plan.step("getpid", []);
    assertThrows(() =>
      plan.because("broken", () => {
        throw new Error("no");
      })
    );
    plan.step("getpid", []);
  });
  plan.step("getpid", []);
  assertEquals(plan.steps.map((step) => step.reason), ["inner", "outer", "outer", ""]);
});

Deno.test("spawn() makes a child that runs its steps, and only those", () => {
  const plan = new Plan();
  const child = plan.slot("child");
  const info = plan.alloc(128);
  const args = plan.cloneArgs();
  plan.spawn(args, { into: child }, () => plan.step("exit_group", [42]));
  plan.step("waitid", [P_PID, child, info, WEXITED, 0]);
  assertEquals(plan.steps.map((step) => step.operation), ["spawn", "waitid"]);
  assertEquals(plan.childSteps().map((step) => step.operation), ["exit_group"]);
  assertEquals(plan.childOf(0)?.length, 1);
  assertEquals(plan.childOf(1), undefined);
  system.run(plan, "make a child");
  assertEquals(plan.view(info).getInt32(12 + 12, true), 42);
});

Deno.test("a child whose steps come to their end exits with 0, one that fails with 125", () => {
  for (const [fails, status] of [[false, 0], [true, 125]] as const) {
    const plan = new Plan();
    const child = plan.slot("child");
    const info = plan.alloc(128);
    const args = plan.cloneArgs();
    plan.spawn(args, { into: child }, () => plan.step("close", [-1], fails ? {} : { ignore: 9 }));
    plan.step("waitid", [P_PID, child, info, WEXITED, 0]);
    system.run(plan, "make a child");
    assertEquals(plan.view(info).getInt32(24, true), status);
  }
});

Deno.test("exec() itself reports the failure of a child that shares our memory", () => {
  const plan = new Plan();
  const child = plan.slot("child");
  // A stack that is not aligned; the child aligns it.
  const stack = plan.alloc(16384 + 8).part(8, 16384 - 4);
  const args = plan.cloneArgs({ flags: CLONE_VM | CLONE_VFORK, stack });
  const info = plan.alloc(128);
  plan.step("getpid", []);
  plan.spawn(args, { into: child }, () => {
    plan.step("getpid", []);
    plan.step("fchdir", [-1], { what: "enter nothing" });
  });
  plan.step("waitid", [P_PID, child, info, WEXITED, 0], { always: true });
  const failure = system.attempt(plan, "make a child");
  assertEquals(failure?.step?.options.what, "enter nothing");
  assertEquals(failure?.code, "EBADF");
  assertEquals(plan.view(info).getInt32(24, true), 125);
});

Deno.test("several children each run their own steps", () => {
  const plan = new Plan();
  const infos = [3, 4, 5].map((status) => {
    const child = plan.slot("child");
    const args = plan.cloneArgs();
    plan.spawn(args, { into: child }, () => {
      plan.step("getpid", []);
      plan.step("exit_group", [status]);
    });
    const info = plan.alloc(128);
    plan.step("waitid", [P_PID, child, info, WEXITED, 0]);
    return info;
  });
  system.run(plan, "make children");
  assertEquals(infos.map((info) => plan.view(info).getInt32(24, true)), [3, 4, 5]);
});

Deno.test("spawn() refuses children of children", () => {
  const plan = new Plan();
  const args = plan.alloc(88);
  assertThrows(
    () => plan.spawn(args, {}, () => plan.spawn(args, {}, () => {})),
    RangeError,
    "nest",
  );
});

Deno.test("results cannot be read from a plan that was never encoded", () => {
  const plan = new Plan();
  const slot = plan.slot("result");
  assertThrows(() => plan.result(slot), RangeError, "never encoded");
});

Deno.test("a plan that was executed can be executed again", async () => {
  const { exec } = await library();
  const plan = new Plan();
  const slot = plan.slot("pid");
  plan.step("getpid", [], { into: slot });
  const image = plan.encode();
  for (let round = 0; round < 3; round++) assertEquals(exec(image), 0);
  assertEquals(plan.result(slot), Deno.pid);
});

Deno.test("put() changes an argument between two executions", () => {
  const plan = new Plan();
  const [fd, flags] = [plan.slot("copy"), plan.slot("flags")];
  const [source, wanted] = [plan.slot("source"), plan.slot("lowest number")];
  plan.step("fcntl", [source, F_DUPFD_CLOEXEC, wanted], { into: fd });
  plan.step("fcntl", [fd, F_GETFD, 0], { into: flags });
  plan.step("close", [fd], { always: true });
  assertThrows(() => plan.put(source, 0), RangeError, "never encoded");
  const execute = system.prepare(plan, "copy a descriptor");
  plan.put(source, 0);
  for (const lowest of [200, 300]) {
    plan.put(wanted, lowest);
    assertEquals(execute(), undefined);
    assertEquals(plan.result(fd), lowest);
  }
});

Deno.test("a step can write as many bytes as an earlier step has read, and none if that failed", () => {
  const plan = new Plan();
  const [read, write] = [plan.slot("read end"), plan.slot("write end")];
  const [copied, refused] = [plan.slot("copied"), plan.slot("refused")];
  const buffer = plan.alloc(64);
  const hello = plan.bytes(new TextEncoder().encode("hello"));
  plan.step("write", [write, hello, 5]);
  plan.step("read", [read, buffer, 64], { into: copied });
  plan.step("write", [write, buffer, copied], { into: copied });
  plan.step("read", [read, buffer, 64]);
  // Nothing is left to read: what the slot holds is an errno.
  plan.step("read", [read, buffer, 64], { into: refused, ignore: "all" });
  plan.step("write", [write, buffer, refused], { into: refused, ignore: "all" });
  const open = new Plan();
  const pipe = open.struct([-1, -1]);
  open.step("pipe2", [pipe, O_NONBLOCK]);
  system.run(open, "make a pipe");
  const fds = [0, 4].map((at) => open.view(pipe).getInt32(at, true));
  const execute = system.prepare(plan, "copy");
  plan.put(read, fds[0]!);
  plan.put(write, fds[1]!);
  try {
    assertEquals(execute(), undefined);
    assertEquals(plan.result(copied), 5);
    assert([-ERRNO.EFAULT, -ERRNO.EINVAL].includes(plan.result(refused)));
  } finally {
    system.close(...fds);
  }
});

Deno.test("a plan is executed on another thread too", async () => {
  const { execAside } = await library();
  const plan = new Plan();
  const slot = plan.slot("pid");
  plan.step("getpid", [], { into: slot });
  assertEquals(await execAside(plan.encode()), 0);
  assertEquals(plan.result(slot), Deno.pid);
});

Deno.test("an empty plan succeeds", () => {
  assertEquals(system.attempt(new Plan(), "nothing"), undefined);
});
