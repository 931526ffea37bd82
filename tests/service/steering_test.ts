/** Looking at boxes and steering them, through the service and without it. */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import {
  assertRefused,
  eventually,
  isolate,
  parseMetaText,
  startIsolate,
  withScratch,
} from "../support/isolate.ts";
import { STEERING } from "isolate/cli/steering_table.ts";
import { OTHER, runsSoon, steeringTest, USER } from "../support/steering.ts";

steeringTest("list and status show what runs, and afterwards how it ended", async (steered) => {
  const { client, begin, status } = steered;
  assertMatch((await client(["list"])).stdout, /^1 +7100 +idle/m);
  await using run = begin(
    ["-b1", "-p3", "--wall-time=30", "--run", "--", "/bin/sh", "-c", "sleep 20 & wait"],
    USER,
  );
  await runsSoon(steered, "sleep");
  assertMatch(
    (await client(["list"], USER)).stdout,
    /^1 +7100 +running .* 2 +wall 30 s, processes 3 +\/bin\/sh -c 'sleep 20 & wait'$/m,
  );
  const seen = await status(1);
  assertEquals(seen.processes.map(({ name, pidInBox }) => [name, pidInBox]), [
    ["sh", 2],
    ["sleep", 3],
  ]);
  assertEquals(seen.processes[0]?.descriptors.count, 3);
  assertMatch((await client(["status", "1"], USER)).stdout, /descriptor 0: \/dev\/null/);
  assertEquals((await client(["signal", "1", "segv"], USER)).code, 0);
  assertEquals((await run.result).code, 1);
  assertEquals((await status(1)).last?.outcome, {
    ...(await status(1)).last!.outcome,
    kind: "signal",
    signal: 11,
  });
  assertMatch((await client(["status", "1"], USER)).stdout, /Caught fatal signal 11/);
});

steeringTest("status has the crash of the last run, until the next one", async (steered) => {
  const { client, status } = steered;
  const crash = ["-b1", "--crash-report", "--run", "--", "/bin/sh", "-c", "kill -SEGV $$"];
  assertEquals((await client(crash, USER)).code, 1);
  const { last } = await status(1, USER);
  assertEquals([last?.crash?.signal, last?.crash?.codeName, last?.crash?.thread], [
    11,
    "SI_USER",
    2,
  ]);
  const registers = Object.entries(last!.crash!.registers);
  assert(registers.length > 20);
  for (const [name, value] of registers) {
    assertMatch(`${name}=${value}`, /^[a-z_0-9]+=0x[0-9a-f]+$/);
  }
  const { stdout } = await client(["status", "1"], USER);
  assertMatch(stdout, /Crash: SIGSEGV, SI_USER, in thread 2 of the box\n +\w+=0x/);
  assertRefused(await client(["status", "1"], OTHER), "There is no box 1");
  // Without being asked for nothing is traced, and nothing is left of the crash before.
  await client(crash.filter((argument) => argument !== "--crash-report"), USER);
  assertEquals((await status(1)).last?.crash, null);
  await client(crash, USER);
  await client(["--cleanup", "-b1"], USER);
  await client(["--init", "-b1"], USER);
  assertEquals((await status(1)).last, null);
});

steeringTest("a traced program is stopped, and killed", async (steered) => {
  const { client, begin, status } = steered;
  await using run = begin(
    ["-b1", "--crash-report", "--run", "--", "/bin/sh", "-c", "while :; do :; done"],
    USER,
  );
  await eventually("it runs", async () => (await status(1)).processes[0]?.name === "sh");
  await client(["stop", "1"], USER);
  await eventually("it is stopped", async () => (await status(1)).state === "stopped");
  await client(["continue", "1"], USER);
  await eventually("it goes on", async () => (await status(1)).state === "running");
  await client(["stop", "1"], USER);
  await client(["kill", "1"], USER);
  assertEquals((await run.result).stderr, "Interrupted\n");
});

steeringTest("a watched list goes on until it is interrupted", async ({ begin }) => {
  await using watching = begin(["list", "--watch", "--json"], USER);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  watching.kill("SIGINT");
  const { code, stdout } = await watching.result;
  assertEquals(code, 0);
  const lists = stdout.trim().split("\n").map((line) => JSON.parse(line) as { id: number }[]);
  assert(lists.length >= 2);
  assertEquals(lists[0]?.map(({ id }) => id), [1]);
});

steeringTest(
  "a stopped box does nothing, and its clock goes on unless told otherwise",
  async (steered) => {
    const { client, begin, status } = steered;
    const script = "while :; do :; done";
    await using run = begin(
      ["-b1", "-p9", "--wall-time=3", "--run", "--", "/bin/sh", "-c", `(${script}) & ${script}`],
      USER,
    );
    await eventually("it runs", async () => (await status(1)).processes.length === 2);
    assertEquals((await client(["stop", "1", "--pause-clock"], USER)).code, 0);
    const [before] = [await status(1)];
    assertEquals(before.state, "stopped");
    await new Promise((resolve) => setTimeout(resolve, 3500));
    assertEquals((await status(1)).wallTimeMs, before.wallTimeMs);
    assertEquals((await client(["continue", "1"], USER)).code, 0);
    assertEquals((await status(1)).state, "running");
    assertEquals((await client(["stop", "1"], USER)).code, 0);
    const { code, stderr } = await run.result;
    assertEquals([code, stderr], [1, "Time limit exceeded (wall clock)\n"]);
  },
);

/** Many processes that start others all the time. */
const FORKING = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do while :; do /bin/true; done & done; wait";

steeringTest(
  "stopping catches all processes of a fork bomb, and killing ends it",
  async (steered) => {
    const { client, begin, status } = steered;
    await using run = begin(
      ["-b1", "-p40", "--run", "--", "/bin/sh", "-c", FORKING],
      USER,
    );
    await eventually("there are many", async () => (await status(1)).processes.length > 10);
    for (let round = 0; round < 5; round++) {
      await client(["stop", "1"]);
      await eventually("all stop", async () => (await status(1)).state === "stopped");
      await client(["continue", "1"]);
    }
    assertEquals((await client(["kill", "1"], USER)).code, 0);
    assertEquals((await run.result).stderr.split("\n").at(-2), "Interrupted");
    assertEquals((await status(1)).processes, []);
  },
);

steeringTest("nobody sees or steers the boxes of others", async (steered) => {
  const { client, begin } = steered;
  await using _run = begin(["-b1", "--run", "--", "/bin/sleep", "20"], USER);
  await runsSoon(steered, "sleep");
  assertEquals((await client(["list"], OTHER)).stdout, "There are no boxes.\n");
  for (const args of [["status", "1"], ["signal", "1", "9"], ["stop", "1"], ["kill", "1"]]) {
    assertRefused(await client(args, OTHER), `There is no box 1 of user ${OTHER}`);
  }
  assertRefused(await client(["status", "0"], OTHER), "may not use box 0, only 1-9");
  assertRefused(await client(["status", "0"], 7102), "may not use boxes");
  assertRefused(await client(["list", "--config=/etc/shadow"], USER), "only by root");
  assertMatch((await client(["list"], USER)).stdout, /running/);
});

steeringTest(
  "the last run of an earlier owner is not shown to the next one",
  async ({ client, status }) => {
    await client(["-b1", "--run", "--", "/bin/echo", "secret"], USER);
    assert((await status(1, USER)).last);
    await client(["--cleanup", "-b1"], USER);
    await client(["--init", "-b1"], OTHER);
    assertEquals((await status(1, OTHER)).last, null);
  },
);

steeringTest("what a program is called can do nothing to a terminal", async (steered) => {
  const { client, begin } = steered;
  const evil = "\x1b[2J\u202eevil\n0  0  root";
  await using _run = begin(
    ["-b1", "-p2", "--run", "--", "/bin/sh", "-c", "sleep 20; :", evil],
    USER,
  );
  await runsSoon(steered, "sh");
  for (const args of [["list"], ["status", "1"]]) {
    const { stdout } = await client(args);
    // deno-lint-ignore no-control-regex
    assertNotMatch(stdout, /[\x1b\u202e]|^0 {2}0/m);
    assertMatch(stdout, /evil/);
  }
});

steeringTest("mistakes get one sentence", async ({ client }) => {
  assertRefused(await client(["status"]), "ID is missing");
  assertRefused(await client(["status", "1", "2"]), "Too many parameters: 2");
  assertRefused(await client(["status", "x"]), "Invalid numeric parameter: x");
  assertRefused(await client(["status", "7"]), "There is no box 7");
  assertRefused(await client(["signal", "1", "foo"]), "There is no signal foo");
  assertRefused(await client(["signal", "1", "0"]), "out of range");
  assertRefused(await client(["kill", "99999"]), "out of range");
  for (const args of [["stop", "1"], ["stop", "1", "--pause-clock"], ["signal", "1", "9"]]) {
    assertRefused(await client(args), "Nothing runs in box 1");
  }
  assertMatch((await client(["stop", "--help"])).stdout, /^Usage: isolate stop \[OPTION...\] ID/);
});

Deno.test("isolate.ts hands over what the service carries out", async () => {
  const source = await Deno.readTextFile(new URL("../../isolate.ts", import.meta.url));
  const names = /\(-\|\(([a-z|]+)\)\$\)/.exec(source)?.[1]?.split("|");
  assertEquals(names, STEERING.map(({ name }) => name));
});

Deno.test("without a service boxes can be seen and steered by root", async () => {
  const off = { env: { ISOLATE_SERVICE: "off" } };
  const direct = (args: readonly string[]) => isolate(args, off);
  await withScratch(async (scratch) => {
    try {
      await direct(["-b693", "--init"]);
      const args = [`-M${scratch}/meta`, "-b693", "-p3", "--run", "--", "/bin/sh", "-c"];
      await using sleeping = startIsolate([...args, "sleep 20 & wait"], off);
      await eventually("it runs", async () => {
        return /^693 +0 +running .* 2 +- +sh$/m.test((await direct(["list"])).stdout);
      });
      assertEquals((await direct(["stop", "693"])).code, 0);
      assertMatch((await direct(["list"])).stdout, /^693 +0 +stopped/m);
      assertRefused(await direct(["stop", "693", "--pause-clock"]), "does not run it");
      assertRefused(await direct(["metrics"]), "no metrics without a service");
      assertEquals((await direct(["kill", "693"])).code, 0);
      await sleeping.result;
      assertEquals(parseMetaText(await Deno.readTextFile(`${scratch}/meta`))["exitsig"], "9");
    } finally {
      await direct(["-b693", "--cleanup"]);
    }
  });
});
