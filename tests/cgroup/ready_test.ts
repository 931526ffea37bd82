/** Boxes with a control group that are ready before they are asked for: each run is measured for itself. */

import { assert, assertEquals } from "@std/assert";
import { Box, formatMeta, toMeta } from "isolate/mod.ts";
import { installC } from "../support/c_program.ts";
import { GREEDY, needsControlGroup } from "../support/control_group.ts";
import { CLIENT, parseMetaText, sh } from "../support/isolate.ts";
import { startService } from "../support/service.ts";
import { testWith } from "../support/skip.ts";

const BOX_ID = 590;
const FIRST_USER = 75500;
const MIB = 1024;
/** A third of a second and more, of which nothing may be left in the next run. */
const BUSY = "import time\nwhile time.process_time() < 0.4: pass";
/** What a process needs before it does anything. */
const SMALL_MIB = 15;

/** Runs a program with a memory limit, and gives what the meta-file says. */
type Run = (command: readonly string[], limitMib: number) => Promise<Record<string, string>>;

/** Checks that no run in a row is told what another one used. */
async function checkRuns(run: Run): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const large = await run(["greedy", "heap", `${60 * MIB}`], 200);
    assertEquals([large["exitcode"], large["cg-oom-killed"]], ["0", undefined]);
    assert(Number(large["cg-mem"]) >= 60 * MIB, large["cg-mem"]);
    const small = await run(["/bin/true"], 200);
    assert(Number(small["cg-mem"]) < SMALL_MIB * MIB, small["cg-mem"]);
    const busy = await run(["/usr/bin/python3", "-c", BUSY], 200);
    assert(Number(busy["time"]) >= 0.4, busy["time"]);
    const idle = await run(["/bin/true"], 200);
    assert(Number(idle["time"]) < Number(busy["time"]) / 2, `${idle["time"]}, ${busy["time"]}`);
    const killed = await run(["greedy", "heap", `${60 * MIB}`], 30);
    assertEquals([killed["status"], killed["cg-oom-killed"]], ["SG", "1"]);
    const spared = await run(["greedy", "heap", `${5 * MIB}`], 30);
    assertEquals([spared["exitcode"], spared["cg-oom-killed"]], ["0", undefined]);
    // What was limited for one run is not limited for the next.
    const unlimited = await run(["greedy", "heap", `${60 * MIB}`], 200);
    assertEquals(unlimited["exitcode"], "0");
  }
}

testWith(
  [needsControlGroup.peakOfRun()],
  "a box of the library that is ready has its control group to itself in each run",
  async () => {
    await using box = await Box.init({ boxId: BOX_ID, controlGroup: true, ready: true });
    await installC(`${box.directory}/box/greedy`, GREEDY, ["-pthread"]);
    await checkRuns(async (command, limitMib) => {
      const limits = { controlGroupMemoryKib: limitMib * MIB, processes: "unlimited" } as const;
      const outcome = await box.run(command, { limits, stdout: { path: "out" } });
      return parseMetaText(formatMeta(toMeta(outcome)));
    });
  },
);

testWith(
  [needsControlGroup.peakOfRun()],
  "a box of the service that is ready has its control group to itself in each run",
  async () => {
    await using service = await startService(["service_ready = 30"], { firstUser: FIRST_USER });
    const env = { ISOLATE_SERVICE: service.socket };
    const client = `${CLIENT} -b${BOX_ID + 1} --cg`;
    const path = (await sh(`${client} --init`, { env })).trim();
    await installC(`${path}/box/greedy`, GREEDY, ["-pthread"]);
    await checkRuns(async (command, limitMib) => {
      const words = command.map((word) => `'${word}'`).join(" ");
      const options = `-s -p -oout -M- --cg-mem=${limitMib * MIB}`;
      return parseMetaText(await sh(`${client} ${options} --run -- ${words} || true`, { env }));
    });
    const metrics = await sh(`${CLIENT} metrics; ${client} --cleanup`, { env });
    const hits = Number(/^isolate_ready_hits_total (\d+)$/m.exec(metrics)?.[1]);
    assert(hits >= 12, `${hits} of 14 runs found their box ready`);
  },
);
