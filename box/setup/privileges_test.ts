import { assertEquals } from "@std/assert";
import { PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { operationsOf, stepsOf, structOf } from "../../tests/support/plans.ts";
import { planBecome, planBoundCapabilities } from "./privileges.ts";

Deno.test("planBecome() gives up groups before ids, ids before capabilities", () => {
  const plan = new Plan();
  planBecome(plan, { uid: 60001, gid: 60002, groups: [] });
  assertEquals(
    operationsOf(plan),
    ["setgroups", "setresgid", "setresuid", "capset", "prctl"],
  );
  assertEquals(stepsOf(plan, "setgroups")[0]!.args[0], 0);
  assertEquals(stepsOf(plan, "setresgid")[0]!.args, [60002, 60002, 60002]);
  assertEquals(stepsOf(plan, "setresuid")[0]!.args, [60001, 60001, 60001]);
});

Deno.test("planBoundCapabilities() leaves none, whichever the kernel has", () => {
  const plan = new Plan();
  planBoundCapabilities(plan);
  const dropped = stepsOf(plan, "prctl").filter(({ args }) => args[0] === PR_CAPBSET_DROP);
  assertEquals(dropped.map(({ args }) => args[1]), Array.from({ length: 64 }, (_, i) => i));
});

Deno.test("planBecome() sets empty capability sets and no_new_privs, and insists on both", () => {
  const plan = new Plan();
  planBecome(plan, { uid: 1, gid: 1, groups: [] });
  const [capset] = stepsOf(plan, "capset");
  const sets = structOf(plan, capset!, 1);
  assertEquals(new Uint8Array(sets.buffer, sets.byteOffset, sets.byteLength), new Uint8Array(24));
  const last = plan.steps.at(-1)!;
  assertEquals([last.operation, ...last.args], ["prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
  assertEquals([capset!.options.ignore, last.options.ignore], [undefined, undefined]);
});

Deno.test("planBecome() hands over supplementary groups", () => {
  const plan = new Plan();
  planBecome(plan, { uid: 1, gid: 1, groups: [7, 8, 9] });
  const [step] = stepsOf(plan, "setgroups");
  assertEquals(step!.args[0], 3);
  const groups = structOf(plan, step!, 1);
  assertEquals([0, 4, 8].map((at) => groups.getUint32(at, true)), [7, 8, 9]);
});
