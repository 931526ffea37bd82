import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { operationsOf } from "../tests/support/plans.ts";
import { SandboxError } from "./errors.ts";
import { asCaller, callerIdentity, type Identity, withCallerRights } from "./identity.ts";

const NOBODY: Identity = { uid: 65534, gid: 65533, groups: [7, 8] };

/** The effective ids and groups of this thread, by the kernel's account. */
function currentIds(): string[] {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  return ["Uid", "Gid", "Groups", "CapEff"].map((key) =>
    new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, "m").exec(status)![1]!
  );
}

Deno.test("callerIdentity() returns the user of this process, groups included", async () => {
  const { uid, gid, groups } = callerIdentity(await System.load());
  assertEquals([uid, gid], [Deno.uid(), Deno.gid()]);
  const [, , listed] = currentIds();
  assertEquals(groups, listed === "" ? [] : listed!.split(" ").map(Number));
});

/** Sets the real and the effective user id of this thread; the saved one stays root's. */
function setUser(system: System, real: number, effective: number): void {
  const plan = new Plan();
  plan.step("setresuid", [real, effective, -1]);
  system.run(plan, "set the user");
}

for (
  const { who, real, effective, message } of [
    { who: "an ordinary user", real: 1000, effective: 1000, message: "effective user is 1000" },
    { who: "root who is somebody else for now", real: 0, effective: 7, message: "as root" },
    { who: "root by a setuid file", real: 1000, effective: 0, message: "must not be setuid root" },
  ]
) {
  Deno.test(`callerIdentity() refuses ${who}`, async () => {
    const system = await System.load();
    setUser(system, real, effective);
    try {
      const error = assertThrows(() => callerIdentity(system), SandboxError);
      assertEquals(error.kind, "missing-rights");
      assertStringIncludes(error.message.toLowerCase(), message);
    } finally {
      setUser(system, 0, 0);
    }
  });
}

Deno.test("asCaller() does things with the rights of the caller, and restores our own", async () => {
  const system = await System.load();
  const before = currentIds();
  const own = callerIdentity(system);
  const plan = new Plan();
  const [shadow, passwd, groups] = ["shadow", "passwd", "groups"].map((name) => plan.slot(name));
  const list = plan.alloc(4 * 16);
  asCaller(plan, { caller: NOBODY, own }, () => {
    const open = (path: string) => [AT_FDCWD, plan.string(path), O_CLOEXEC, 0];
    plan.step("openat", open("/etc/shadow"), { into: shadow!, ignore: "all" });
    plan.step("openat", open("/etc/passwd"), { into: passwd! });
    plan.step("getgroups", [16, list], { into: groups! });
  });
  system.run(plan, "look as nobody");
  system.close(plan.result(passwd!), plan.result(shadow!));
  assertEquals(plan.result(shadow!), -ERRNO.EACCES);
  assertEquals(plan.result(groups!), 2);
  assertEquals([0, 4].map((at) => plan.view(list).getUint32(at, true)), [7, 8]);
  assertEquals(currentIds(), before);
});

Deno.test("asCaller() restores our own ids after a step has failed", async () => {
  const system = await System.load();
  const before = currentIds();
  const plan = new Plan();
  asCaller(plan, { caller: NOBODY, own: callerIdentity(system) }, () => {
    plan.step("openat", [AT_FDCWD, plan.string("/etc/shadow"), O_CLOEXEC, 0]);
  });
  assertEquals(system.attempt(plan, "look as nobody")?.code, "EACCES");
  assertEquals(currentIds(), before);
});

Deno.test("asCaller() switches nothing where the user is the same", () => {
  const own: Identity = { uid: 0, gid: 0, groups: [4, 5] };
  const operations = (identity: Identity) => {
    const plan = new Plan();
    asCaller(plan, { caller: identity, own }, () => plan.step("getuid", []));
    return operationsOf(plan);
  };
  assertEquals(operations({ uid: 0, gid: 0, groups: [4, 5] }), ["getuid"]);
  const switched = [
    ...["setgroups", "setresgid", "setresuid", "getuid"],
    ...["setresuid", "setresgid", "setgroups"],
  ];
  for (const groups of [[], [4], [5, 4], [4, 5, 6]]) {
    assertEquals(operations({ uid: 0, gid: 0, groups }), switched);
  }
  assertEquals(operations({ uid: 1, gid: 0, groups: [4, 5] }), switched);
  assertEquals(operations({ uid: 0, gid: 1, groups: [4, 5] }), switched);
});

Deno.test("withCallerRights() restores our own rights whether the work succeeds or fails", async () => {
  const system = await System.load();
  const before = currentIds();
  const own = callerIdentity(system);
  const ids = withCallerRights({ system, caller: NOBODY, own }, currentIds);
  assertEquals(ids, ["0\t65534\t0\t65534", "0\t65533\t0\t65533", "7 8", "0000000000000000"]);
  assertEquals(currentIds(), before);
  const fail = () => {
    throw new RangeError("failed");
  };
  assertThrows(() => withCallerRights({ system, caller: NOBODY, own }, fail), RangeError);
  assertEquals(currentIds(), before);
  assertEquals(withCallerRights({ system, caller: own, own }, currentIds), before);
});
