/** A short run of the harness that damages plans: see shim/fuzz.c, also for a longer one. */

import { Box, Sandbox } from "isolate/mod.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { assert, assertEquals } from "@std/assert";
import { needs, testWith } from "./support/skip.ts";
import { withFolder } from "./support/folder.ts";

const ROUNDS = Number(Deno.env.get("ISOLATE_FUZZ_ROUNDS") ?? 30_000);
const SEED = Number(Deno.env.get("ISOLATE_FUZZ_SEED") ?? 1);

const SOURCE = new URL("../shim/fuzz.c", import.meta.url).pathname;
const FLAGS = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-strict-aliasing";

/** The plans of a whole life of a box, by what they are for. */
async function realPlans(): Promise<Map<string, Uint8Array>> {
  const plans = new Map<string, Uint8Array>();
  const sandbox = await Sandbox.open();
  Object.defineProperty(sandbox.system, "trace", {
    value: (plan: Plan, title: string) => plans.set(title, plan.encode().slice()),
  });
  await using box = await Box.init({ sandbox, boxId: 398 });
  await box.run(["/bin/sh", "-c", "echo \udcff"], {
    limits: { cpuTimeMs: 1000, wallTimeMs: 10_000 },
    stdout: { path: "out.txt" },
    stderr: "stdout",
  });
  return plans;
}

/** A small plan with one of everything, in which damage is dense. */
function smallPlan(): Plan {
  const plan = new Plan();
  const pid = plan.slot("pid");
  const word = plan.alloc(8);
  const text = plan.string("text");
  plan.step("getpid", [], { into: pid });
  plan.step("store", [word, 8, pid]);
  for (const guard of [0, 1]) {
    plan.spawn(plan.cloneArgs(), { into: pid, when: [pid, guard] }, () => {
      plan.step("write", [1, text, text.length], { ignore: "all" });
      plan.step("execve", [text, plan.pointers([text, text]), plan.pointers([])]);
    });
  }
  plan.step("read", [0, word, 8], { always: true });
  plan.step("reap", [pid]);
  return plan;
}

testWith(
  [needs.root(), needs.command("gcc")],
  "no damaged plan makes the decoder or the interpreter leave its buffer",
  async () => {
    await withFolder(async (folder) => {
      const program = `${folder}/fuzz`;
      const compiler = await new Deno.Command("gcc", {
        args: [...FLAGS.split(" "), "-Wall", "-Wextra", "-Werror", "-o", program, SOURCE],
      }).output();
      assert(compiler.success, new TextDecoder().decode(compiler.stderr));
      const plans = await realPlans();
      assert(plans.has("the box"), [...plans.keys()].join(", "));
      const images = [...plans.values(), smallPlan().encode(), new Plan().encode()];
      const files = images.map((image, i) => {
        Deno.writeFileSync(`${folder}/${i}.plan`, image);
        return `${folder}/${i}.plan`;
      });
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args: [String(SEED), String(ROUNDS), ...files],
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const [, rounds, accepted, calls] = /^(\d+) rounds: (\d+) accepted, (\d+) calls\n$/
        .exec(new TextDecoder().decode(stdout))?.map(Number) ?? [];
      assertEquals(rounds, ROUNDS);
      // It would prove little if nearly all or nearly none were good.
      assert(accepted! > ROUNDS / 20 && accepted! < ROUNDS * 0.95, `${accepted} accepted`);
      assert(calls! > accepted!, `${calls} calls`);
    });
  },
);
