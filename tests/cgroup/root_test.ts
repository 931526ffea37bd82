/** Where control groups are made, and why they cannot be. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  cgTest,
  groupsIn,
  needsControlGroup,
  place,
  removeGroups,
} from "../support/control_group.ts";
import {
  assertRefused,
  COMMAND,
  type CommandResult,
  DIRECT,
  isolate,
  start,
  succeed,
  withBox,
  withScratch,
} from "../support/isolate.ts";
import { testWith } from "../support/skip.ts";

/** A configuration of the test's own, with boxes and locks of its own. */
async function withConfig(
  lines: (scratch: string) => string[] | Promise<string[]>,
  test: (config: string, scratch: string) => Promise<void>,
): Promise<void> {
  await withScratch(async (scratch) => {
    const own = [`box_root = ${scratch}/boxes`, `lock_root = ${scratch}/locks`];
    const file = `${scratch}/config`;
    await Deno.writeTextFile(file, [...own, ...await lines(scratch), ""].join("\n"));
    await Deno.chmod(file, 0o644);
    await test(`--config=${file}`, scratch);
  });
}

/**
 * Runs the command where a script has changed the mounts, in a mount namespace of its own. A service
 * would be elsewhere.
 */
function isolateWhere(script: string, args: readonly string[]): Promise<CommandResult> {
  const shell = ["unshare", "--mount", "--propagation=private", "/bin/bash", "-ec"];
  const env = { ISOLATE_SERVICE: "off" };
  return start([...shell, `${script}\nexec "$@"`, "bash", ...DIRECT, ...args], { env }).result;
}

/** A group for tests, in all hierarchies if it is one of v1; gives its name for `cg_root`. */
async function withGroup(
  name: string,
  test: (directory: string, all: readonly string[]) => Promise<void>,
): Promise<void> {
  const all = [...new Set(Object.values(place().directories))]
    .filter((path) => path !== undefined)
    .map((path) => `${path.slice(0, path.lastIndexOf("/"))}/${name}`);
  try {
    await test(`${place().directories.memory!.replace(/\/[^/]+$/, "")}/${name}`, all);
  } finally {
    await removeGroups(all);
  }
}

async function lives(options: readonly string[], run: readonly string[] = []): Promise<string> {
  let stdout = "";
  await withBox(550, async (box) => {
    const result = await box.run(["-p4", ...run], [
      "/bin/bash",
      "-c",
      "ulimit -u; cat /proc/self/status",
    ]);
    assertEquals(result.code, 0, result.stderr);
    assertEquals(result.meta["cg-enabled"], "1");
    stdout = result.stdout;
  }, { options: ["--cg", ...options] });
  return stdout;
}

cgTest("--print-cg-root prints the directory", async () => {
  const directory = (await succeed(["--print-cg-root"])).trimEnd();
  assertEquals(directory, place().directories.memory);
  await Deno.stat(directory);
});

cgTest("cg_root can be a directory", async () => {
  await withGroup("isolate-test-550", async (directory, all) => {
    await withConfig(() => [`cg_root = ${directory}`], async (config) => {
      // A v2 group must exist: somebody has delegated it.
      if (place().version === 2) await Deno.mkdir(directory);
      assertEquals(await succeed([config, "--print-cg-root"]), `${directory}\n`);
      await lives([config], ["--cg-mem=50000"]);
      await withBox(551, () => {
        for (const parent of all) assertEquals(groupsIn(parent, 551).length, 1);
        return Promise.resolve();
      }, { options: ["--cg", config] });
    });
  });
});

testWith([needsControlGroup.version(1)], "with v1 cg_root may be a group in groups", async () => {
  await withGroup("isolate-test-552", async (directory) => {
    await withConfig(() => [`cg_root = ${directory}/inner`], async (config) => {
      assertEquals(await succeed([config, "--print-cg-root"]), `${directory}/inner\n`);
      await lives([config]);
    });
  });
});

testWith(
  [needsControlGroup.version(1)],
  "with v1 cg_root may name what holds the hierarchies, as version 1 of the classic command had it",
  async () => {
    const { memory } = place().directories;
    const hierarchies = memory!.replace(/\/[^/]+\/[^/]+$/, "");
    await withConfig(() => [`cg_root = ${hierarchies}`], async (config) => {
      assertEquals(await succeed([config, "--print-cg-root"]), `${memory}\n`);
    });
  },
);

cgTest("cg_root can be read from a file", async () => {
  await withGroup("isolate-test-553", async (directory) => {
    if (place().version === 2) await Deno.mkdir(directory);
    await withConfig((scratch) => [`cg_root = auto:${scratch}/cgroup`], async (config, scratch) => {
      const missing = await isolate([config, "--print-cg-root"]);
      assertRefused(
        missing,
        /from .*\/cgroup \(configured as cg_root\): no such file; is the service/,
      );
      assertRefused(await isolate([config, "--cg", "--init"]), "no such file");
      await Deno.writeTextFile(`${scratch}/cgroup`, "relative/path\n");
      const wrong = await isolate([config, "--print-cg-root"]);
      assertRefused(wrong, "does not hold an absolute path");
      await Deno.writeTextFile(`${scratch}/cgroup`, `${directory}\n`);
      for (const [uid, mode] of [[0, 0o666], [1000, 0o644]] as const) {
        await Deno.chown(`${scratch}/cgroup`, uid, 0);
        await Deno.chmod(`${scratch}/cgroup`, mode);
        const foreign = await isolate([config, "--print-cg-root"]);
        assertRefused(foreign, "must belong to root and not be writable by others");
      }
      await Deno.chown(`${scratch}/cgroup`, 0, 0);
      assertEquals(await succeed([config, "--print-cg-root"]), `${directory}\n`);
      await lives([config]);
    });
  });
});

cgTest("a cg_root that lies nowhere is refused with the reason", async () => {
  await withConfig((scratch) => [`cg_root = ${scratch}`], async (config) => {
    const result = await isolate([config, "--print-cg-root"]);
    const message = /configured as cg_root\) lies in no cgroup file system \(mounted here: \/sys/;
    assertRefused(result, message);
  });
});

testWith(
  [needsControlGroup.version(1)],
  "with v1 cg_root is a group of the memory controller",
  async () => {
    await withConfig(() => [`cg_root = ${place().directories.pids}`], async (config) => {
      const result = await isolate([config, "--print-cg-root"]);
      assertRefused(result, /does not lie below .*, where the memory controller of cgroup v1 is/);
    });
  },
);

testWith(
  [needsControlGroup.version(2)],
  "with v2 a cg_root that does not exist is refused",
  async () => {
    await withConfig(() => [`cg_root = ${place().directories.memory}-nowhere`], async (config) => {
      const result = await isolate([config, "--cg", "--init"]);
      assertRefused(result, /configured as cg_root\) does not exist: is the service/);
    });
  },
);

cgTest("a cg_root that others may write to, or that is somebody else's, is refused", async () => {
  await withGroup("isolate-test-554", async (directory) => {
    await Deno.mkdir(directory);
    await withConfig(() => [`cg_root = ${directory}`], async (config) => {
      for (const [uid, mode] of [[1000, 0o755], [0, 0o777]] as const) {
        await Deno.chown(directory, uid, 0);
        await Deno.chmod(directory, mode);
        const result = await isolate([config, "--cg", "--init"]);
        assertRefused(result, /must belong to root and not be writable by others/);
        assertRefused(await isolate([config, "--print-cg-root"]), "must belong to root");
      }
      await Deno.chown(directory, 0, 0);
      await Deno.chmod(directory, 0o755);
      await lives([config]);
    });
  });
});

cgTest("read-only control groups are refused with the reason", async () => {
  const { memory } = place().directories;
  const mount = memory!.replace(/\/[^/]+$/, "");
  const script = `mount --bind ${mount} ${mount}; mount -o remount,bind,ro ${mount}`;
  const sentence = `Control groups cannot be used: ${mount} is mounted read-only`;
  assertRefused(await isolateWhere(script, ["--print-cg-root"]), sentence);
  assertRefused(await isolateWhere(script, ["-b550", "--cg", "--init"]), sentence);
  // A run without control groups does not need them.
  const result = await isolateWhere(script, ["-b550", "--init"]);
  assertEquals(result.code, 0, result.stderr);
  await succeed(["-b550", "--cleanup"]);
});

cgTest("where no control groups are mounted, the reason says so", async () => {
  const result = await isolateWhere("mount -t tmpfs none /sys/fs/cgroup", ["--print-cg-root"]);
  assertRefused(result, "Control groups cannot be used: no cgroup file system is mounted");
});

testWith(
  [needsControlGroup.version(1)],
  "without the memory controller the reason names it",
  async () => {
    const mount = place().directories.memory!.replace(/\/[^/]+$/, "");
    const result = await isolateWhere(`mount -t tmpfs none ${mount}`, ["--print-cg-root"]);
    assertRefused(result, "cannot be used without the memory controller");
    assertStringIncludes(
      result.stderr,
      "no cgroup v1 file system with the memory controller is mounted",
    );
  },
);

testWith(
  [needsControlGroup.version(1)],
  "without the pids controller a resource limit serves",
  async () => {
    const mount = place().directories.pids!.replace(/\/[^/]+$/, "");
    const script = `mount -t tmpfs none ${mount}`;
    try {
      const init = await isolateWhere(script, ["-b551", "--cg", "--init"]);
      assertEquals(init.code, 0, init.stderr);
      const args = ["-b551", "--cg", "-p3", "-s", "--run", "--", "/bin/bash", "-c", "ulimit -u"];
      assertEquals((await isolateWhere(script, args)).stdout, "3\n");
    } finally {
      await isolate(["-b551", "--cg", "--cleanup"]);
    }
  },
);

testWith(
  [needsControlGroup.version(2)],
  "a group without the memory controller is refused",
  async () => {
    const outer = `${place().directories.memory}/outer-555`;
    try {
      // Nothing is enabled for the groups in it.
      await Deno.mkdir(`${outer}/inner`, { recursive: true });
      await withConfig(() => [`cg_root = ${outer}/inner`], async (config) => {
        const result = await isolate([config, "--print-cg-root"]);
        assertRefused(
          result,
          /outer-555\/inner has no memory controller: the group above must enable/,
        );
      });
    } finally {
      await removeGroups([outer]);
    }
  },
);

testWith(
  [needsControlGroup.version(2)],
  "without the pids and cpuset controllers the rest works",
  async () => {
    const outer = `${place().directories.memory}/outer-556`;
    try {
      await Deno.mkdir(`${outer}/inner`, { recursive: true });
      await Deno.writeTextFile(`${outer}/cgroup.subtree_control`, "+memory");
      const lines = [`cg_root = ${outer}/inner`];
      await withConfig(() => lines, async (config) => {
        assertMatch(await lives([config], ["--cg-mem=50000"]), /^4$/m, "a resource limit serves");
      });
      await withConfig(() => [...lines, "box550.cpus = 0"], async (config) => {
        try {
          await succeed([config, "--cg", "-b550", "--init"]);
          const result = await isolate([config, "--cg", "-b550", "--run", "--", "/bin/true"]);
          assertRefused(result, /cpuset/);
        } finally {
          await isolate([config, "--cg", "-b550", "--cleanup"]);
        }
      });
    } finally {
      await removeGroups([outer]);
    }
  },
);

testWith(
  [needsControlGroup.version(2)],
  "a group with processes in it cannot hold boxes, and says why",
  async () => {
    const outer = `${place().directories.memory}/outer-557`;
    const sleeper = new Deno.Command("/bin/sleep", { args: ["300"] }).spawn();
    try {
      await Deno.mkdir(outer);
      await Deno.writeTextFile(`${outer}/cgroup.procs`, `${sleeper.pid}`);
      await withConfig(() => [`cg_root = ${outer}`], async (config) => {
        const result = await isolate([config, "--print-cg-root"]);
        assertRefused(
          result,
          /Cannot enable the memory controller in .*outer-557, in which there must be no/,
        );
      });
    } finally {
      sleeper.kill("SIGKILL");
      await sleeper.status;
      await removeGroups([outer]);
    }
  },
);

testWith(
  [needsControlGroup.controller("cpuset")],
  "boxN.cpus and boxN.mems hold while they are configured",
  async () => {
    const allowed = async (config: string, key: string) =>
      new RegExp(`^${key}:\\s+(.*)$`, "m").exec(await lives([config]))?.[1];
    const status = await Deno.readTextFile("/proc/self/status");
    const everywhere = /^Cpus_allowed_list:\s+(.*)$/m.exec(status)?.[1];
    const last = everywhere!.split(/[-,]/).at(-1)!;
    await withConfig(() => [`box550.cpus = ${last}`, "box550.mems = 0"], async (config) => {
      assertEquals(await allowed(config, "Cpus_allowed_list"), last);
      assertEquals(await allowed(config, "Mems_allowed_list"), "0");
    });
    await withConfig(() => ["box551.cpus = 0"], async (config) => {
      assertEquals(await allowed(config, "Cpus_allowed_list"), everywhere, "that is another box's");
    });
    // In one box, from run to run.
    await withConfig(() => [], async (config, scratch) => {
      const file = `${scratch}/config`;
      const plain = await Deno.readTextFile(file);
      await withBox(550, async (box) => {
        const cpus = async () =>
          /^Cpus_allowed_list:\s+(.*)$/m.exec(await box.sh("cat /proc/self/status"))?.[1];
        for (
          const [line, expected] of [["box550.cpus = 0", "0"], [`box550.cpus = ${last}`, last], [
            "",
            everywhere,
          ], ["box550.mems = 0", everywhere]]
        ) {
          await Deno.writeTextFile(file, `${plain}${line}\n`);
          assertEquals(await cpus(), expected, line);
        }
        await Deno.writeTextFile(file, `${plain}box550.cpus = 4000\n`);
        const { code, stderr, meta } = await box.run([], ["/bin/true"]);
        assertEquals([code, meta["status"]], [2, "XX"]);
        assertStringIncludes(stderr, "cpuset.cpus");
        await Deno.writeTextFile(file, plain);
      }, { options: ["--cg", config] });
    });
  },
);

testWith(
  [needsControlGroup.version(1)],
  "without the cpuset controller boxN.cpus is an error, not silence",
  async () => {
    const mount = place().directories.cpuset!.replace(/\/[^/]+$/, "");
    await withConfig(() => ["box550.cpus = 0"], async (config) => {
      const script = `mount -t tmpfs none ${mount}`;
      try {
        assertEquals((await isolateWhere(script, [config, "-b550", "--cg", "--init"])).code, 0);
        const result = await isolateWhere(script, [
          config,
          "-b550",
          "--cg",
          "--run",
          "--",
          "/bin/true",
        ]);
        assertRefused(result, "no cgroup file system with the cpuset controller is mounted");
        assert(!result.stderr.includes("undefined"));
      } finally {
        await isolate([config, "-b550", "--cg", "--cleanup"]);
      }
    });
  },
);

cgTest("those who share control groups, but no locks, leave each other's boxes alone", async () => {
  const id = 553;
  // Those of one user count together.
  const ids = (first: number) => [`first_uid = ${first}`, `first_gid = ${first}`];
  await withConfig(() => ids(64000), async (one) => {
    await withConfig(() => ids(66000), async (other) => {
      const all = (config: string) => isolate([config, `-b${id}`, "--cg", "--cleanup"]);
      try {
        for (const config of [one, other]) await succeed([config, `-b${id}`, "--cg", "--init"]);
        const program = ["/bin/sh", "-c", "echo up; sleep 1; echo ended"];
        const args = [one, `-b${id}`, "--cg", "-p2", "--run", "--", ...program];
        const running = start([...COMMAND, ...args]).result;
        await new Promise((resolve) => setTimeout(resolve, 300));
        const run = [other, `-b${id}`, "--cg", "--cg-mem=50000", "--run", "--", "/bin/true"];
        assertEquals((await isolate(run)).code, 0);
        for (const command of ["--cleanup", "--init", "--cleanup"]) {
          await succeed([other, `-b${id}`, "--cg", command]);
        }
        const { code, stdout, stderr } = await running;
        assertEquals([code, stdout], [0, "up\nended\n"], stderr);
      } finally {
        await all(one);
        await all(other);
      }
    });
  });
});
