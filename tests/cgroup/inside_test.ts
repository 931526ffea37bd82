/** `--root-inside` and `--address` in a box with a control group: each holds as it does alone. */

import { assert, assertEquals } from "@std/assert";
import { installC } from "../support/c_program.ts";
import { GREEDY, membersOf, needsControlGroup } from "../support/control_group.ts";
import {
  eventually,
  processesOf,
  sh,
  type TestBox,
  withBox,
  withScratch,
} from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 592;
const BRIDGE = "iso-test3";
const ADDRESS = "10.213.79.5/24";
/** What the interface of a box with that address is called on the host. */
const INTERFACE = "iso-0ad54f05";
const OPTIONS = ["--root-inside", `--address=${ADDRESS}`];
const REQUIREMENTS = [needsControlGroup.any(), needs.command("ip")];

function boxTest(name: string, test: (box: TestBox) => Promise<void>): void {
  testWith(REQUIREMENTS, name, () =>
    withScratch(async (scratch) => {
      const config = `${scratch}/config`;
      await Deno.writeTextFile(config, `bridge = ${BRIDGE}\nlock_root = ${scratch}/locks\n`);
      await withBox(BOX_ID, async (box) => {
        await installC(box.path("greedy"), GREEDY, ["-pthread"]);
        await test(box);
      }, { options: ["--cg", `--config=${config}`] });
    }));
}

async function interfaces(): Promise<string> {
  return await sh(`ls /sys/class/net | grep -xE '${BRIDGE}|${INTERFACE}' || true`);
}

async function assertNothingLeft(): Promise<void> {
  assertEquals(await processesOf(60000 + BOX_ID), []);
  assertEquals(await membersOf(BOX_ID), []);
  assertEquals(await interfaces(), "");
}

boxTest(
  "root inside with an address has the memory, processes and CPUs of its group",
  async (box) => {
    const limits = [...OPTIONS, "--cg-mem=40960", "-p8", "--cpus=0", "-w100"];
    const script = `id -u; ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f4
    grep Cpus_allowed_list /proc/self/status
    ./greedy child 81920`;
    const { stdout, stderr, meta } = await box.run(limits, ["/bin/bash", "-c", script]);
    const seen = `0\n${ADDRESS}\nCpus_allowed_list:\t0\nchild signal 9\n`;
    assertEquals(stdout, seen, stderr);
    assertEquals(meta["cg-oom-killed"], "1");
    assert(Number(meta["cg-mem"]) <= 40960, meta["cg-mem"]);
    const forks = await box.run(limits, ["greedy", "forks", "50"]);
    assertEquals(forks.stdout, "8 processes\n", forks.stderr);
    await assertNothingLeft();
  },
);

boxTest("the CPU time of root inside with an address is that of its group", async (box) => {
  const { meta } = await box.run([...OPTIONS, "-p", "-t0.3", "-w60"], [
    "greedy",
    "busy",
    "60000",
    "2",
  ]);
  assertEquals(meta["status"], "TO");
  assert(Number(meta["time"]) >= 0.3, meta["time"]);
  await assertNothingLeft();
});

boxTest("a command that is killed leaves nothing of root inside with an address", async (box) => {
  const running = box.start([...OPTIONS, "-p"], ["greedy", "background", "60000", "2"]);
  await eventually("it runs", async () => (await membersOf(BOX_ID)).length >= 3);
  assert((await interfaces()).includes(INTERFACE));
  running.kill("SIGKILL");
  await running.result;
  await eventually("all is over", async () => (await membersOf(BOX_ID)).length === 0);
  await eventually("its interface is gone", async () => !(await interfaces()).includes(INTERFACE));
  const again = await box.run([...OPTIONS, "--wait"], ["/bin/true"]);
  assertEquals(again.code, 0, again.stderr);
  await assertNothingLeft();
});
