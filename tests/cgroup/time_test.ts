/** CPU time of a control group: of all processes, of this run only. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { groupTest, libraryTest } from "../support/control_group.ts";
import { inSomeTry } from "../support/tries.ts";

libraryTest(520, "CPU time is that of all processes together", async (box) => {
  await inSomeTry(async () => {
    const { outcome, stdout } = await box.run("busy 150 4");
    const measuredMs = parseInt(stdout);
    assert(measuredMs > 550, stdout);
    // The clock of an emulated machine is rough.
    assertAlmostEquals(outcome.usage.cpuTimeMs, measuredMs, 100 + 0.2 * measuredMs);
  });
});

libraryTest(521, "CPU time is that of this run, also in the second and third one", async (box) => {
  await inSomeTry(async () => {
    for (const ms of [300, 20, 150]) {
      const { outcome } = await box.run(`spin ${ms}`);
      assertAlmostEquals(outcome.usage.cpuTimeMs, ms, 60 + 0.1 * ms);
    }
  });
});

libraryTest(522, "CPU time of processes that nobody has waited for counts", async (box) => {
  const { outcome, stdout } = await box.run("background 400 2");
  assertEquals([outcome.kind, stdout], ["exit", "background left behind\n"]);
  // However busy the machine is, two processes get some CPU in 400 ms.
  assert(outcome.usage.cpuTimeMs > 50, `${outcome.usage.cpuTimeMs}`);
  const alone = await box.run("background 400 2", {}, { controlGroupTiming: false });
  const [all, main] = [outcome.usage.cpuTimeMs, alone.outcome.usage.cpuTimeMs];
  assert(main < all / 2, `${main} of ${all}`);
});

libraryTest(523, "the CPU time limit is that of all processes, wherever they are", async (box) => {
  for (const words of ["busy 60000 3", "background 60000 3"]) {
    await inSomeTry(async () => {
      const { outcome, meta } = await box.run(words, { cpuTimeMs: 300 });
      assertEquals([meta["status"], meta["killed"]], ["TO", "1"]);
      assertEquals(meta["message"], "Time limit exceeded");
      const { cpuTimeMs } = outcome.usage;
      assert(cpuTimeMs >= 300 && cpuTimeMs < 1500, `${words}: ${cpuTimeMs}`);
    });
  }
});

groupTest(
  524,
  "--no-cg-timing limits the time of the main process and what it has waited for",
  async (box) => {
    const run = (options: string[], words: string) =>
      box.run(["-p", "-w60", ...options], ["greedy", ...words.split(" ")]);
    const result = await run(["--no-cg-timing", "-t1"], "background 3000 2");
    assertEquals([result.code, result.stdout], [0, "background left behind\n"], result.stderr);
    assertEquals(result.meta["cg-enabled"], "1");
    const spinning = await run(["--no-cg-timing", "-t0.2"], "spin 5000");
    assertEquals([spinning.meta["status"], spinning.meta["killed"]], ["TO", "1"]);
    const group = await run(["--cg-timing", "-t0.3"], "background 60000 2");
    assertEquals([group.meta["status"], group.meta["killed"]], ["TO", "1"]);
  },
);

libraryTest(525, "the extra time lets the group run on to its real time", async (box) => {
  await inSomeTry(async () => {
    const { outcome, meta } = await box.run("busy 150 2", { cpuTimeMs: 100, extraTimeMs: 2000 });
    assertEquals([meta["status"], meta["killed"]], ["TO", undefined]);
    const { cpuTimeMs } = outcome.usage;
    assert(cpuTimeMs >= 300 && cpuTimeMs < 1500, `${cpuTimeMs}`);
  });
});
