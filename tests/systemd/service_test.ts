/**
 * The service under a real systemd, in the guest of `./dev vm-test` that has one: it must not be
 * installed on the machine that runs the tests.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  CLIENT,
  COMMAND,
  eventually,
  isolate,
  sh,
  start,
  startIsolate,
  succeed,
  type TestBox,
  withBox,
} from "../support/isolate.ts";
import { groupsIn } from "../support/control_group.ts";
import { startLoad } from "../support/service_load.ts";
import { needs, testWith } from "../support/skip.ts";

const REQUIREMENTS = [
  needs.path("/run/systemd/system", "systemd"),
  needs.path("/vm/run", "a guest"),
];

const UNITS = "/etc/systemd/system";
const FILE = "/run/isolate/cgroup";
const SOCKET = "/run/isolate/socket";
/** What the service reads, and every command without --config. */
const MACHINE_CONFIG = "/etc/isolate";
/** Clients are asked for boxes of these. */
const LOAD_BOX_IDS = [650, 651, 652, 653, 654, 655, 656, 657];
const GROUP = "/sys/fs/cgroup/isolate.slice/isolate.service";
const CONFIG = "/etc/isolate-service-test";
const OPTIONS = [`--config=${CONFIG}`, "--cg"];
const MEMORY_KIB = 65536;

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string> {
  return (await Deno.readTextFile(path)).trim();
}

async function systemctl(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await start(["systemctl", ...words]).result;
  if (code === 0) return stdout.trim();
  const status = await start(["systemctl", "status", "--no-pager", "-l", "isolate"]).result;
  throw new Error(`systemctl ${words.join(" ")}: ${stderr}\n${status.stdout}`);
}

async function property(name: string): Promise<string> {
  return await systemctl("show", "--value", `--property=${name}`, "isolate.service");
}

const UNIT_NAMES = [
  "isolate.service",
  "isolate.socket",
  "isolate.slice",
  "isolate-cg-keeper.service",
];

/** Starts the native client, as a user would. */
function startClient(args: readonly string[], through: readonly string[] = []) {
  return start([CLIENT, ...args], { env: { ISOLATE_SERVICE: SOCKET }, through });
}

/** Gives the units settings of their own until the test ends. */
async function withDropIn(unit: string, lines: string, test: () => Promise<void>): Promise<void> {
  const folder = `/run/systemd/system/${unit}.d`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/test.conf`, lines);
  await systemctl("daemon-reload");
  try {
    await test();
  } finally {
    await Deno.remove(folder, { recursive: true });
    await systemctl("daemon-reload");
  }
}

async function pidOf(): Promise<string> {
  return await property("MainPID");
}

/** Installs the units as they are, and the command where they expect it. */
async function install(): Promise<void> {
  const source = new URL("../../systemd/", import.meta.url).pathname;
  for (const name of UNIT_NAMES) {
    await Deno.copyFile(`${source}${name}`, `${UNITS}/${name}`);
  }
  await Deno.mkdir("/usr/local/bin", { recursive: true });
  const script = `#!/bin/sh\nexec ${COMMAND.join(" ")} "$@"\n`;
  await Deno.writeTextFile("/usr/local/bin/isolate", script, { mode: 0o755 });
  await Deno.writeTextFile(CONFIG, `cg_root = auto:${FILE}\n`, { mode: 0o644 });
  await systemctl("daemon-reload");
}

/** Registers a test that begins with the service running, and ends with it stopped. */
function serviceTest(name: string, test: () => Promise<void>): void {
  testWith(REQUIREMENTS, name, async () => {
    await install();
    await systemctl("start", "isolate.service");
    try {
      await test();
    } finally {
      await systemctl("stop", "isolate.socket", "isolate.service");
    }
  });
}

/** Starts a program that sleeps in a box with a group, and waits until it does. */
async function startSleeper(box: TestBox) {
  const running = startIsolate(
    box.args(["-p", "-o", "ready"], ["/bin/sh", "-c", "echo ready; exec sleep 300"]),
  );
  await eventually("the sleeper runs", async () => {
    return (await Deno.readTextFile(box.path("ready")).catch(() => "")) === "ready\n";
  });
  return running;
}

testWith(REQUIREMENTS, "the units are what systemd understands without a complaint", async () => {
  await install();
  const { code, stdout, stderr } = await start([
    "systemd-analyze",
    "verify",
    "--man=no",
    ...UNIT_NAMES.map((name) => `${UNITS}/${name}`),
  ]).result;
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => /isolate[.-]/.test(line));
  assertEquals([code, complaints], [0, []]);
});

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

serviceTest("a configuration that is wrong changes nothing, and systemctl says so", async () => {
  const pid = await pidOf();
  await Deno.writeTextFile(MACHINE_CONFIG, "service_clients = many\n");
  try {
    const { code } = await start(["systemctl", "reload", "isolate.service"]).result;
    assert(code !== 0, "the reload is refused");
    // The service looks itself, too.
    await sh(`kill -HUP ${pid}`);
    await eventually(
      "the status says why",
      async () => /Nothing was reloaded: .*many/.test(await property("StatusText")),
    );
    assertEquals([await pidOf(), await property("ActiveState")], [pid, "active"]);
    assertEquals((await startClient(["--version"]).result).code, 0);
  } finally {
    await Deno.remove(MACHINE_CONFIG);
  }
  await systemctl("reload", "isolate.service");
  await eventually(
    "the status is as before",
    async () => (await property("StatusText")).startsWith("Serving at"),
  );
  assertEquals([await pidOf(), await property("ActiveState")], [pid, "active"]);
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

testWith(REQUIREMENTS, "the first client starts the service, if it may connect", async () => {
  await install();
  await systemctl("start", "isolate.socket");
  try {
    assertEquals(await property("ActiveState"), "inactive");
    const { uid, gid, mode } = await Deno.stat(SOCKET);
    assertEquals([uid, gid, mode! & 0o7777], [0, 0, 0o660]);
    const through = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
    const refused = await startClient(["--version"], through).result;
    assertRefused(refused, `You may not use the isolate service at ${SOCKET}`);
    assertEquals(await property("ActiveState"), "inactive");
    const { code, stdout, stderr } = await startClient(["--version"]).result;
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "isolate");
    assertEquals(await property("ActiveState"), "active");
    assertStringIncludes(await property("StatusText"), "the socket of the service manager");
  } finally {
    await systemctl("stop", "isolate.socket", "isolate.service");
  }
  assert(!exists(SOCKET));
  assertRefused(await startClient(["--version"]).result, "No isolate service is running");
});

serviceTest("systemctl restart under load: not one call fails", async () => {
  for (const options of [[], ["--cg"]]) {
    const load = await startLoad({ socket: SOCKET, boxIds: LOAD_BOX_IDS, options });
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await systemctl("restart", "isolate.service");
    }
    const { commands, failures } = await load.end();
    assertEquals(failures, []);
    // An emulated processor needs a second for some of them.
    assert(commands > 2 * LOAD_BOX_IDS.length, `${commands} commands`);
  }
});

serviceTest("systemctl stop lets boxes end first, but not for ever", async () => {
  await Deno.writeTextFile(MACHINE_CONFIG, "service_stop_wait = 4\n");
  try {
    await systemctl("reload", "isolate.service");
    for (const id of ["658", "659"]) {
      assertEquals((await startClient(["-b", id, "--init"]).result).code, 0);
    }
    const script = "echo >started; exec sleep $1";
    const run = (id: string, seconds: string) =>
      startClient(["-b", id, "-p", "--run", "--", "/bin/sh", "-c", script, "sh", seconds]);
    await using short = run("658", "2");
    await using long = run("659", "300");
    for (const id of ["658", "659"]) {
      await eventually("it runs", () => exists(`/var/local/lib/isolate/${id}/box/started`));
    }
    const began = performance.now();
    await systemctl("stop", "isolate.socket", "isolate.service");
    assert(performance.now() - began < 60_000);
    assertEquals(await property("Result"), "success");
    assertEquals((await short.result).code, 0);
    const { code, stderr } = await long.result;
    assertEquals([code, /has ended; what it ran is dead/.test(stderr)], [2, true], stderr);
    assertEquals(await sh("pgrep -x sleep || true"), "");
    await systemctl("start", "isolate.service");
    for (const id of ["658", "659"]) await startClient(["-b", id, "--cleanup"]).result;
  } finally {
    await Deno.remove(MACHINE_CONFIG);
  }
});

testWith(REQUIREMENTS, "a service that hangs is started again by its watchdog", async () => {
  await install();
  await withDropIn("isolate.service", "[Service]\nWatchdogSec=10\n", async () => {
    await systemctl("start", "isolate.service");
    try {
      const pid = await pidOf();
      // It keeps its watchdog while nothing happens.
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      assertEquals([await pidOf(), await property("NRestarts")], [pid, "0"]);
      await sh(`kill -STOP ${pid}`);
      await eventually("there is another process", async () => {
        const found = await pidOf();
        return found !== pid && found !== "0" && (await property("ActiveState")) === "active";
      }, 90_000);
      assertEquals((await startClient(["--version"]).result).code, 0);
    } finally {
      await systemctl("stop", "isolate.socket", "isolate.service");
    }
  });
});

serviceTest("what a crashed service has left is in order when it is back", async () => {
  for (const options of [[], ["--cg"]]) {
    const box = ["-b660", ...options];
    assertEquals((await startClient([...box, "--init"]).result).code, 0);
    const directory = "/var/local/lib/isolate/660/box";
    await using running = startClient([
      ...box,
      ...["-p", "--run", "--", "/bin/sh", "-c", "echo >started; exec sleep 300"],
    ]);
    await eventually("it runs", () => exists(`${directory}/started`));
    const pid = await pidOf();
    await sh(`kill -KILL ${pid}`);
    const { code, stderr } = await running.result;
    assertEquals([code, stderr.split("\n").length], [2, 2], stderr);
    await eventually("it is back", async () => {
      const found = await pidOf();
      return (await property("ActiveState")) === "active" && found !== pid;
    }, 60_000);
    assertEquals(await sh("pgrep -x sleep || true"), "");
    assertEquals(Deno.statSync(`${directory}/started`).uid, 0);
    const again = await startClient([...box, "--run", "--", "/bin/cat", "started"]).result;
    assertEquals(again.code, 0, again.stderr);
    assertEquals((await startClient([...box, "--cleanup"]).result).code, 0);
  }
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

serviceTest("a service that crashes is started again", async () => {
  const pid = await property("MainPID");
  await sh(`kill -KILL ${pid}`);
  await eventually("there is a new process", async () => {
    return (await property("ActiveState")) === "active" && (await property("MainPID")) !== pid;
  }, 60_000);
  assertEquals(await read(FILE), GROUP);
  await withBox(646, async (box) => {
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  }, { options: OPTIONS });
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
