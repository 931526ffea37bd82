/**
 * The service under a real systemd: its units, and how it starts, stops and starts again. Its groups have
 * a file of their own.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRefused, eventually, sh, start, withBox } from "../support/isolate.ts";
import { startLoad } from "../support/service_load.ts";
import { testWith } from "../support/skip.ts";
import {
  exists,
  FILE,
  GROUP,
  install,
  MACHINE_CONFIG,
  OPTIONS,
  pidOf,
  property,
  read,
  REQUIREMENTS,
  serviceTest,
  SOCKET,
  startClient,
  systemctl,
  UNIT_NAMES,
  UNITS,
  withDropIn,
} from "../support/systemd.ts";

/** Clients are asked for boxes of these. */
const LOAD_BOX_IDS = [650, 651, 652, 653, 654, 655, 656, 657];

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
  // On an emulated processor that is not alone, eight runs may take longer than is waited by default.
  await Deno.writeTextFile(MACHINE_CONFIG, "service_stop_wait = 120\n");
  try {
    await systemctl("reload", "isolate.service");
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
  } finally {
    await Deno.remove(MACHINE_CONFIG);
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
