/**
 * The groups of a service under a real systemd, in the guest of `./dev vm-test` that has one: it must not
 * be installed on the machine that runs the tests.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { groupsIn } from "../support/control_group.ts";
import { assertRefused, eventually, isolate, succeed, withBox } from "../support/isolate.ts";
import { testWith } from "../support/skip.ts";
import {
  CONFIG,
  exists,
  FILE,
  GROUP,
  install,
  MEMORY_KIB,
  OPTIONS,
  property,
  read,
  REQUIREMENTS,
  serviceTest,
  startSleeper,
  systemctl,
} from "../support/systemd.ts";

testWith(REQUIREMENTS, "without the service, --cg says that it is not running", async () => {
  await install();
  assert(!exists(FILE));
  assertRefused(await isolate([...OPTIONS, "--init"]), "is the service that writes it running?");
  const check = await isolate(["check", "--json", `--config=${CONFIG}`]);
  assertEquals(check.stderr, "");
  const found: { check: string; verdict: string; commands: string[] }[] = JSON.parse(check.stdout);
  const groups = found.find(({ check }) => check === "control-groups");
  assertEquals([check.code, groups?.verdict], [1, "fail"]);
  assertEquals(groups?.commands, ["systemctl enable --now isolate.service"]);
});

serviceTest("the service is ready when it has its groups, and names them in the file", async () => {
  assertEquals(await property("ActiveState"), "active");
  assertEquals(await property("SubState"), "running");
  assertEquals(await property("Slice"), "isolate.slice");
  assertEquals(await property("Delegate"), "yes");
  assertStringIncludes(await property("StatusText"), GROUP);
  assertEquals(await read(FILE), GROUP);
  const pid = await property("MainPID");
  assertEquals(await read(`${GROUP}/daemon/cgroup.procs`), pid);
  assertEquals(await read(`/proc/${pid}/comm`), "deno");
  assertEquals(await read(`${GROUP}/cgroup.procs`), "");
  const enabled = (await read(`${GROUP}/cgroup.subtree_control`)).split(" ");
  for (const name of ["memory", "pids", "cpuset"]) assert(enabled.includes(name), `${enabled}`);
  assertEquals(await succeed([...OPTIONS, "--print-cg-root"]), `${GROUP}\n`);
});

serviceTest(
  "boxes get their groups below the service, also where the configuration says auto",
  async () => {
    for (const options of [OPTIONS, ["--cg"]]) {
      await withBox(640, async (box) => {
        assertEquals(groupsIn(GROUP, 640).length, 1);
        const { code, meta, stderr } = await box.run([`--cg-mem=${MEMORY_KIB}`, "-p4"], [
          "/bin/sh",
          "-c",
          "true; true",
        ]);
        assertEquals(code, 0, stderr);
        assertEquals(meta["cg-enabled"], "1");
        assert(Number(meta["cg-mem"]) > 0);
        assertEquals(await read(`${groupsIn(GROUP, 640)[0]}/memory.max`), `${MEMORY_KIB * 1024}`);
      }, { options });
      assertEquals(groupsIn(GROUP, 640), []);
    }
  },
);

serviceTest("a box that runs out of memory does not stop the service", async () => {
  await withBox(641, async (box) => {
    const options = [`--cg-mem=${MEMORY_KIB}`, "-p"];
    const { code, meta } = await box.run(options, [
      "/bin/sh",
      "-c",
      "head -c 200000000 /dev/zero | tail -c 1000000000 | cat > /dev/null; exit 7",
    ]);
    assertEquals([code, meta["cg-oom-killed"]], [1, "1"]);
    // systemd learns of it later.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assertEquals(await property("ActiveState"), "active");
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  }, { options: OPTIONS });
});

serviceTest("systemctl reload writes the file again, and running boxes do not notice", async () => {
  await withBox(642, async (box) => {
    const running = await startSleeper(box);
    const pid = await property("MainPID");
    await Deno.remove(FILE);
    await systemctl("reload", "isolate.service");
    await eventually("the file is back", () => exists(FILE));
    assertEquals(await read(FILE), GROUP);
    assertEquals([await property("MainPID"), await property("ActiveState")], [pid, "active"]);
    assertEquals((await read(`${groupsIn(GROUP, 642)[0]}/cgroup.procs`)).split("\n").length, 1);
    running.kill("SIGTERM");
    const { code, stderr, meta } = await box.resultOf(running);
    assertEquals([code, meta.message], [1, "Interrupted"], stderr);
  }, { options: OPTIONS });
});

serviceTest("systemctl daemon-reload leaves the groups of boxes alone", async () => {
  await withBox(643, async (box) => {
    const running = await startSleeper(box);
    await systemctl("daemon-reload");
    assertEquals((await read(`${groupsIn(GROUP, 643)[0]}/cgroup.procs`)).split("\n").length, 1);
    assertStringIncludes(await read(`${GROUP}/cgroup.subtree_control`), "memory");
    running.kill("SIGTERM");
    assertEquals((await running.result).code, 1);
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  }, { options: OPTIONS });
});

serviceTest("systemctl stop kills what runs in boxes, and takes groups and file away", async () => {
  await withBox(644, async (box) => {
    const running = await startSleeper(box);
    const started = performance.now();
    await systemctl("stop", "isolate.service");
    assert(performance.now() - started < 30_000, "the sleeper did not have to be waited for");
    const { code, stderr, meta } = await box.resultOf(running);
    // The group is gone with all its numbers: nothing is known about the run.
    assertEquals([code, meta.status], [2, "XX"]);
    assertStringIncludes(stderr, `${GROUP}/box-644`);
    assertEquals([exists(FILE), exists(GROUP)], [false, false]);
    assertEquals(await property("Result"), "success");
    await systemctl("start", "isolate.service");
  }, { options: OPTIONS });
});

serviceTest("systemctl restart brings everything back, the groups of boxes too", async () => {
  await withBox(645, async (box) => {
    await systemctl("restart", "isolate.service");
    assertEquals(await read(FILE), GROUP);
    assertEquals(groupsIn(GROUP, 645), []);
    assertEquals((await box.run([`--cg-mem=${MEMORY_KIB}`], ["/bin/true"])).code, 0);
    assertEquals(await read(`${groupsIn(GROUP, 645)[0]}/memory.max`), `${MEMORY_KIB * 1024}`);
  }, { options: OPTIONS });
});

testWith(REQUIREMENTS, "where no service is wanted, cg-keeper keeps the groups alone", async () => {
  await install();
  await systemctl("start", "isolate-cg-keeper.service");
  try {
    assertEquals(await read(FILE), GROUP.replace("isolate.service", "isolate-cg-keeper.service"));
    await withBox(661, async (box) => {
      assertEquals((await box.run([`--cg-mem=${MEMORY_KIB}`], ["/bin/true"])).code, 0);
    }, { options: OPTIONS });
  } finally {
    await systemctl("stop", "isolate-cg-keeper.service");
  }
  assert(!exists(FILE));
});

serviceTest("limits of isolate.slice hold for all boxes together", async () => {
  await systemctl("set-property", "--runtime", "isolate.slice", "TasksMax=40");
  try {
    await withBox(647, async (box) => {
      const script = "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done";
      const { code, stderr } = await box.run(["-p"], ["/bin/sh", "-c", script]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Cannot fork");
    }, { options: OPTIONS });
  } finally {
    await systemctl("set-property", "--runtime", "isolate.slice", "TasksMax=infinity");
  }
});
