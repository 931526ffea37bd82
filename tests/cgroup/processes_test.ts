/** Processes of a control group: how many there may be, and that none of them survives. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Box, type Limits } from "isolate/mod.ts";
import {
  GroupBox,
  groupTest,
  isReady,
  libraryTest,
  membersOf,
  needsControlGroup,
} from "../support/control_group.ts";
import { eventually, processesOf } from "../support/isolate.ts";

libraryTest(
  510,
  "the limit of processes is an exact count of processes and threads",
  async (box) => {
    const says = async (words: string, processes: Limits["processes"]) =>
      (await box.run(words, { processes })).stdout;
    assertEquals(await says("forks 9", undefined), "1 processes\n");
    assertEquals(await says("forks 9", 4), "4 processes\n");
    assertEquals(await says("threads 9", 4), "4 threads\n");
    assertEquals(await says("forks 300", 100), "100 processes\n");
    assertEquals(await says("forks 300", "unlimited"), "300 processes\n");
    assertEquals(await says("forks 9", 3), "3 processes\n");
  },
);

groupTest(510, "--processes limits them, by default to one", async (box) => {
  const says = async (options: string[]) =>
    (await box.run(["-w60", ...options], ["greedy", "forks", "9"])).stdout;
  assertEquals(await says([]), "1 processes\n");
  assertEquals(await says(["--processes=4"]), "4 processes\n");
  assertEquals(await says(["-p"]), "9 processes\n");
});

libraryTest(
  511,
  "the pids controller and a resource limit hold together",
  async (box) => {
    const { stdout } = await box.run(["/bin/bash", "-c", "ulimit -u"], { processes: 5 });
    assertEquals(stdout, "5\n");
    assertEquals((await box.run("forks 9", { processes: 2 })).stdout, "2 processes\n");
  },
  [needsControlGroup.controller("pids")],
);

libraryTest(512, "200 forks in a row need no more processes and memory than one", async (box) => {
  const limits = { processes: 2, controlGroupMemoryKib: 32768 };
  const { outcome, meta, stdout } = await box.run("row 200", limits);
  assertEquals([outcome.kind, stdout, meta["cg-oom-killed"]], ["exit", "row done\n", undefined]);
});

libraryTest(513, "all limits can be set at once, and each of them is hit", async (box) => {
  const limits: Limits = {
    processes: 5,
    // For emulated processors: those who wait for a real one are charged for it.
    cpuTimeMs: 20_000,
    wallTimeMs: 100_000,
    controlGroupMemoryKib: 40960,
    addressSpaceKib: 200_000,
    fileSizeKib: 1024,
    openFiles: 32,
  };
  const run = (words: string | string[], more: Limits = {}) =>
    box.run(words, { ...limits, ...more });
  assertEquals((await run("forks 9")).stdout, "5 processes\n");
  assertEquals((await run("heap 81920")).outcome.kind, "memory-limit");
  assertEquals((await run("heap 300000")).meta["exitsig"], "11", "malloc gives nothing");
  assertEquals((await run("file 2048 big")).meta["exitsig"], "25");
  const slow = await run("busy 60000 2", { cpuTimeMs: 1000 });
  assertEquals([slow.meta["status"], slow.meta["message"]], ["TO", "Time limit exceeded"]);
  assertEquals([slow.meta["killed"], slow.meta["cg-oom-killed"]], ["1", undefined]);
  const asleep = await run("wait 60000", { wallTimeMs: 100 });
  assertEquals(asleep.meta["message"], "Time limit exceeded (wall clock)");
  // Two in one run: the verdict is the time limit, and what was killed before is reported too.
  const both = await run(["/bin/sh", "-c", "./greedy child 81920; ./greedy spin 60000"], {
    cpuTimeMs: 4000,
  });
  assertEquals([both.meta["status"], both.meta["cg-oom-killed"]], ["TO", "1"]);
});

libraryTest(514, "nothing of a run is alive when it returns", async (box) => {
  await box.run("background 50 3");
  assertEquals(await membersOf(514), []);
  assertEquals(await processesOf(60514), []);
});

groupTest(
  515,
  "when the keeper is killed, so is everything in the group, and the box works on",
  async (box) => {
    await using running = box.start(["-p", "-w60"], ["greedy", "wait", "60000"]);
    await isReady(box);
    assertEquals((await membersOf(515)).length, 1);
    running.kill("SIGKILL");
    await running.result;
    await eventually("the group is empty", async () => (await membersOf(515)).length === 0);
    const next = await box.run(["-p"], ["greedy", "spin", "50"]);
    assertEquals(next.code, 0, next.stderr);
    assert(Number(next.meta["time"]) < 1);
  },
);

groupTest(516, "a run right after the keeper was killed counts only its own", async (box) => {
  await using running = box.start(["-p", "-w60"], ["greedy", "busy", "60000", "2"]);
  await eventually("the program runs", async () => (await membersOf(516)).length === 3);
  running.kill("SIGKILL");
  await running.result;
  const { code, meta, stderr } = await box.run(["-p4", "-t5"], ["greedy", "spin", "100"]);
  assertEquals(code, 0, stderr);
  assert(Number(meta["time"]) < 1, meta["time"]);
});

libraryTest(517, "two boxes at once do not see each other's usage", async (box) => {
  await using second = await Box.init({ boxId: 518, controlGroup: true });
  const other = new GroupBox(second);
  const large = box.run("together 61440 3", { cpuTimeMs: 30_000 });
  for (let i = 0; i < 3; i++) {
    const { outcome, meta } = await other.run(["/bin/true"], {
      controlGroupMemoryKib: 20480,
      processes: 1,
      cpuTimeMs: 5000,
    });
    assertEquals(outcome.kind, "exit");
    assert(outcome.usage.cpuTimeMs < 500, `${outcome.usage.cpuTimeMs}`);
    assert(Number(meta["cg-mem"]) < 20480, meta["cg-mem"]);
  }
  const { meta, stdout } = await large;
  assertStringIncludes(stdout, "together done");
  assert(Number(meta["cg-mem"]) > 3 * 60 * 1024);
});
