/** Kernels that are not at hand: groups whose files are in an ordinary folder. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ERRNO } from "../ffi/errno.ts";
import type { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { ControlGroupFiles } from "./files.ts";
import { type ControlGroup, ControlGroupError } from "./types.ts";
import { rootV1 } from "./v1.ts";
import { enableControllers, rootV2 } from "./v2.ts";

const V1_FILES: Record<string, string> = {
  "cgroup.procs": "",
  "cpuacct.usage": "1000000\n",
  "memory.limit_in_bytes": "",
  "memory.max_usage_in_bytes": "",
  "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
  "memory.swappiness": "",
  "tasks": "",
};

const V2_FILES: Record<string, string> = {
  "cgroup.procs": "",
  "cpu.stat": "usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\n",
  "memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n",
  "memory.current": "0\n",
  "memory.max": "",
};

async function withGroup(
  version: 1 | 2,
  extra: Record<string, string>,
  test: (group: ControlGroup, folder: string, log: string[]) => Promise<void>,
  system?: System,
): Promise<void> {
  const log: string[] = [];
  const files = new ControlGroupFiles(system ?? await System.load(), (level, message) => {
    if (level === 1) log.push(message());
  });
  await withFolder(async (folder) => {
    const root = version === 2
      ? rootV2(files, { directory: folder, reason: "a test" })
      : rootV1(files, {
        directories: { memory: folder, cpuacct: folder, cpuset: undefined, pids: undefined },
        reason: "a test",
      });
    assertEquals([root.version, root.directory], [version, folder]);
    await Deno.mkdir(`${folder}/box-1`);
    for (
      const [name, text] of Object.entries({ ...version === 1 ? V1_FILES : V2_FILES, ...extra })
    ) {
      await Deno.writeTextFile(`${folder}/box-1/${name}`, text);
    }
    await test(root.group("box-1"), `${folder}/box-1`, log);
  });
}

Deno.test("v1 without accounting of swap says so, and keeps the group from swapping", async () => {
  await withGroup(1, {}, async (group, folder, log) => {
    group.begin({ memoryKib: 100 }).close();
    assertEquals(await Deno.readTextFile(`${folder}/memory.limit_in_bytes`), "102400");
    assertEquals(await Deno.readTextFile(`${folder}/memory.swappiness`), "0");
    assertEquals(log.length, 1);
    assertStringIncludes(log[0]!, "Swap is not accounted for");
  });
  await withGroup(1, {}, async (group, folder, log) => {
    const run = group.begin({});
    assertEquals([await Deno.readTextFile(`${folder}/memory.limit_in_bytes`), log], ["-1", []]);
    assertEquals(run.limitsProcesses, false);
    run.close();
  });
});

Deno.test("v1 limits memory and swap together", async () => {
  const extra = { "memory.memsw.limit_in_bytes": "", "memory.memsw.max_usage_in_bytes": "" };
  await withGroup(1, extra, async (group, folder, log) => {
    const run = group.begin({ memoryKib: 100 });
    assertEquals(await Deno.readTextFile(`${folder}/memory.memsw.limit_in_bytes`), "102400");
    assertEquals(log, []);
    await Deno.writeTextFile(`${folder}/cpuacct.usage`, "3500000\n");
    await Deno.writeTextFile(`${folder}/memory.oom_control`, "oom_kill_disable 0\noom_kill 5\n");
    await Deno.writeTextFile(`${folder}/memory.memsw.max_usage_in_bytes`, "4096\n");
    assertEquals(run.usage(), { cpuTimeMs: 2.5, peakMemoryKib: 4, oomKills: 2 });
    run.close();
  });
});

/** Says of so many plans that a signal has broken them off. */
class InterruptedSystem extends System {
  interruptions = 0;

  override run(plan: Plan, title: string): void {
    super.run(plan, title);
    if (title !== "limit the memory of the box" || this.interruptions === 0) return;
    this.interruptions--;
    Object.defineProperty(plan, "result", { value: () => -ERRNO.EINTR });
  }
}

Deno.test("v1 limits memory although signals interrupt that, but does not try for ever", async () => {
  const system = Object.setPrototypeOf(await System.load(), InterruptedSystem.prototype);
  await withGroup(1, {}, async (group, folder) => {
    system.interruptions = 3;
    group.begin({ memoryKib: 100 }).close();
    assertEquals(await Deno.readTextFile(`${folder}/memory.limit_in_bytes`), "102400");
    system.interruptions = Infinity;
    assertThrows(() => group.begin({ memoryKib: 100 }), ControlGroupError, "(EINTR)");
  }, system);
});

Deno.test("v1 without the cpuset controller refuses to choose CPUs", async () => {
  await withGroup(1, {}, (group) => {
    const message = "no cgroup file system with the cpuset controller is mounted";
    assertThrows(() => group.begin({ cpus: "0" }), ControlGroupError, message);
    return Promise.resolve();
  });
});

Deno.test("v2 limits swap to nothing, and gives CPUs back that are not configured any more", async () => {
  const extra = { "memory.swap.max": "", "pids.max": "", "cpuset.cpus": "", "cpuset.mems": "" };
  await withGroup(2, extra, async (group, folder, log) => {
    const text = async () => {
      const found: string[] = [];
      for (const name of ["memory.max", ...Object.keys(extra)]) {
        found.push(await Deno.readTextFile(`${folder}/${name}`));
        await Deno.writeTextFile(`${folder}/${name}`, "");
      }
      return found;
    };
    const run = group.begin({ memoryKib: 100, processes: 5, cpus: "0-1" });
    assertEquals(await text(), ["102400", "0", "5", "0-1", "\n"]);
    assertEquals([run.limitsProcesses, run.fds], [true, [run.birthFd]]);
    run.close();
    group.begin({}).close();
    assertEquals(await text(), ["max", "max", "max", "\n", "\n"]);
    assertEquals(log, []);
  });
});

Deno.test("v2 works without swap, pids, cpuset and a peak of memory", async () => {
  await withGroup(2, {}, async (group, folder, log) => {
    const run = group.begin({ memoryKib: 100, processes: 5 });
    assertEquals(run.limitsProcesses, false);
    assertStringIncludes(log[0]!, "Swap is not accounted for");
    await Deno.writeTextFile(`${folder}/cpu.stat`, "usage_usec 7500\n");
    await Deno.writeTextFile(`${folder}/memory.events`, "oom 2\noom_kill 2\n");
    assertEquals(run.usage(), { cpuTimeMs: 2.5, peakMemoryKib: undefined, oomKills: 1 });
    run.close();
    assertThrows(() => group.begin({ cpus: "0" }), ControlGroupError, "cpuset.cpus");
  });
});

Deno.test("v2 reads the peak of the box where the kernel has none of a run", async () => {
  await withGroup(2, { "memory.peak": "8192\n" }, async (group, folder) => {
    // As before Linux 6.12: it can only be read. Root could write an ordinary file all the same.
    await Deno.remove(`${folder}/memory.peak`);
    const run = group.begin({});
    await Deno.writeTextFile(`${folder}/memory.peak`, "8192\n");
    assertEquals(run.usage().peakMemoryKib, 8);
    run.close();
  });
});

Deno.test("v2 resets the peak where the kernel can, and reads it where it was reset", async () => {
  await withGroup(2, { "memory.peak": "8192\n" }, async (group, folder) => {
    const run = group.begin({});
    assertEquals(await Deno.readTextFile(`${folder}/memory.peak`), "0192\n", "written to");
    await Deno.rename(`${folder}/memory.peak`, `${folder}/reset`);
    await Deno.writeTextFile(`${folder}/memory.peak`, "999999999\n");
    await Deno.writeTextFile(`${folder}/reset`, "4096\n");
    assertEquals(run.usage().peakMemoryKib, 4, "the same descriptor");
    run.close();
  });
});

Deno.test("v2 says how much memory is in the way of a limit", async () => {
  await withGroup(2, { "memory.current": "4194304\n" }, (group) => {
    const message = "to 1024 KiB: 4096 KiB are in use before the program begins";
    assertThrows(() => group.begin({ memoryKib: 1024 }), ControlGroupError, message);
    group.begin({ memoryKib: 8192 }).close();
    group.begin({}).close();
    return Promise.resolve();
  });
});

Deno.test("begin() makes a group again that is gone, where it can", async () => {
  for (const version of [1, 2] as const) {
    await withGroup(version, {}, async (group, folder) => {
      await Deno.remove(folder, { recursive: true });
      // An ordinary directory has no files of limits.
      assertThrows(() => group.begin({}), ControlGroupError);
      assert(Deno.statSync(folder).isDirectory);
    });
  }
});

Deno.test("begin() says that the group above is gone, too", async () => {
  for (const version of [1, 2] as const) {
    await withGroup(version, {}, async (group, folder) => {
      const above = folder.slice(0, folder.lastIndexOf("/"));
      await Deno.remove(above, { recursive: true });
      assertThrows(() => group.begin({}), ControlGroupError, "gone, with those around it");
      await Deno.mkdir(above);
    });
  }
});

Deno.test("begin() leaves no descriptor behind when it fails", async () => {
  const open = () => Array.from(Deno.readDirSync("/proc/self/fd")).length;
  for (const [version, missing] of [[1, "memory.oom_control"], [2, "memory.events"]] as const) {
    await withGroup(version, {}, async (group, folder) => {
      await Deno.remove(`${folder}/${missing}`);
      const before = open();
      assertThrows(() => group.begin({}), ControlGroupError, missing);
      assertEquals(open(), before);
    });
  }
});

Deno.test("enableControllers() enables what is offered and not yet enabled", async () => {
  const files = new ControlGroupFiles(await System.load(), () => {});
  await withFolder(async (folder) => {
    const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
    await write("cgroup.controllers", "cpuset cpu io memory\n");
    await write("cgroup.subtree_control", "");
    enableControllers(files, folder);
    // An ordinary file keeps the last word only.
    assertStringIncludes(await Deno.readTextFile(`${folder}/cgroup.subtree_control`), "+cpuset");
    await write("cgroup.subtree_control", "memory cpuset\n");
    enableControllers(files, folder);
    assertEquals(await Deno.readTextFile(`${folder}/cgroup.subtree_control`), "memory cpuset\n");
    await write("cgroup.controllers", "cpu io\n");
    const { message } = assertThrows(() => enableControllers(files, folder), ControlGroupError);
    assert(message.includes("has no memory controller"), message);
  });
});
