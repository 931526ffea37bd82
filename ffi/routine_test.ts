import { assert, assertEquals, assertThrows } from "@std/assert";
import { F_DUPFD_CLOEXEC } from "./linux.ts";
import { Routine } from "./routine.ts";
import { System, SystemError } from "./system.ts";

const system = await System.load();

const COPY = new Routine("copy", ["source", "lowest number"], (plan, source, lowest) => {
  const [copy, before] = [plan.slot("copy"), plan.slot("before")];
  const data = plan.struct([7]);
  plan.step("load", [data, 4], { into: before });
  plan.step("store", [data, 4, lowest]);
  plan.step("fcntl", [source, F_DUPFD_CLOEXEC, lowest], { into: copy, what: "copy it" });
  plan.step("close", [copy]);
  return { copy, before };
});

Deno.test("a routine is built once, and gets other numbers each time", () => {
  let builds = 0;
  const routine = new Routine("count", ["source"], (plan, source) => {
    builds++;
    const copy = plan.slot("copy");
    plan.step("fcntl", [source, F_DUPFD_CLOEXEC, 100], { into: copy });
    plan.step("close", [copy]);
    return copy;
  });
  for (const fd of [0, 1, 2]) {
    const { plan, parts } = routine.run(system, fd);
    assert(plan.result(parts) >= 100);
  }
  assertEquals(builds, 1);
});

Deno.test("each execution of a routine begins with what was planned", () => {
  for (const lowest of [200, 300, 200]) {
    const { plan, parts } = COPY.run(system, 0, lowest);
    assertEquals(plan.result(parts.copy), lowest);
    assertEquals(plan.result(parts.before), 7);
  }
  const failed = COPY.attempt(system, -1, 200);
  assertEquals(failed.failure?.code, "EBADF");
  assert(failed.plan.result(failed.parts.copy) < 0);
});

Deno.test("a routine that fails says what it could not do, and succeeds the next time", () => {
  assertThrows(() => COPY.run(system, -1, 200), SystemError, "Cannot copy it: ");
  assertEquals(COPY.attempt(system, 0, 200).failure, undefined);
});

Deno.test("a trace shows each execution of a routine, with its numbers", () => {
  const seen: string[] = [];
  const traced = new System(system.library, (plan, title) => {
    const copied = plan.steps.find(({ operation }) => operation === "fcntl");
    seen.push(`${title} ${copied?.args.join()}`);
  });
  COPY.run(traced, 0, 200);
  COPY.run(traced, 1, 300);
  assertEquals(seen, [`copy 0,${F_DUPFD_CLOEXEC},200`, `copy 1,${F_DUPFD_CLOEXEC},300`]);
});

Deno.test("any number of descriptors is closed", async () => {
  const { descriptors } = await import("isolate/tests/support/descriptors.ts");
  const before = descriptors().length;
  for (const count of [0, 1, 5, 16, 17, 40]) {
    const fds = Array.from({ length: count }, () => {
      const plan = COPY_ONLY.run(system, 0);
      return plan.plan.result(plan.parts);
    });
    system.close(...fds, -1);
    assertEquals(descriptors().length, before, `${count}`);
  }
});

const COPY_ONLY = new Routine("copy", ["source"], (plan, source) => {
  const copy = plan.slot("copy");
  plan.step("fcntl", [source, F_DUPFD_CLOEXEC, 3], { into: copy });
  return copy;
});
