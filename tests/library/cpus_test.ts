/** On which CPUs a program runs. */

import { assertEquals, assertRejects } from "@std/assert";
import { Box, Capture, SandboxError } from "isolate/mod.ts";

const BOX_ID = 915;

/** The CPUs that a program in a box may use, as the kernel lists them. */
async function allowedIn(box: Box, cpus?: readonly number[]): Promise<string> {
  const stdout = new Capture({ limitBytes: 1 << 16 });
  const script = "grep Cpus_allowed_list /proc/self/status";
  await box.run(["/bin/sh", "-c", script], {
    stdout,
    limits: { processes: 5 },
    ...(cpus ? { cpus } : {}),
  });
  return stdout.text().split("\t")[1]!.trim();
}

function ownCpus(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return /^Cpus_allowed_list:\t(.*)$/m.exec(status)![1]!;
}

Deno.test("a program runs on the CPUs asked for, and this process where it did before", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const own = ownCpus();
  const last = Number(own.split(/[-,]/).at(-1));
  assertEquals(await allowedIn(box, [last]), String(last));
  assertEquals(await allowedIn(box, [last, last]), String(last));
  assertEquals(ownCpus(), own);
  assertEquals(await allowedIn(box), own);
});

Deno.test("CPUs that do not exist are refused", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  for (const cpus of [[], [-1], [0.5], [NaN], [0, 8192]]) {
    await assertRejects(() => box.run(["/bin/true"], { cpus }), RangeError, "Cannot choose CPUs");
  }
  const message = "cpus: cannot put the program on CPU 8191";
  await assertRejects(() => box.run(["/bin/true"], { cpus: [8191] }), SandboxError, message);
});
