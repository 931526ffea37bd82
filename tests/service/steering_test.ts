/** Looking at boxes and steering them, through the service and without it. */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import {
  assertRefused,
  type CommandOptions,
  type CommandResult,
  eventually,
  isolate,
  parseMetaText,
  type RunningCommand,
  start,
  startIsolate,
  withScratch,
} from "../support/isolate.ts";
import { STEERING } from "isolate/cli/steering_table.ts";
import { startService } from "../support/service.ts";

const CLIENT = new URL(`../../lib/isolate-${Deno.build.arch}`, import.meta.url).pathname;
const USER = 7100;
const OTHER = 7101;

const as = (uid: number) => ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];

interface Steered {
  /** Runs the native client, as root unless a user is named. */
  client(args: readonly string[], uid?: number): Promise<CommandResult>;
  begin(args: readonly string[], uid?: number): RunningCommand;
  /** What `status --json` says. */
  status(id: number, uid?: number): Promise<Status>;
  metricsSocket: string;
}

interface Status {
  state: string;
  program: string[] | null;
  wallTimeMs: number | null;
  processes: { name: string; pidInBox: number; descriptors: { count: number } }[];
  last: {
    outcome: { kind: string; signal?: number };
    crash: {
      signal: number;
      codeName: string;
      thread: number;
      registers: Record<string, string>;
    } | null;
  } | null;
}

/** Starts a service with boxes of its own, and makes box 1 for a user. */
function steeringTest(name: string, test: (steered: Steered) => Promise<void>): void {
  Deno.test(name, async () => {
    await withScratch(async (scratch) => {
      const metricsSocket = `${scratch}/metrics`;
      await using service = await startService([
        "box_root = /var/local/lib/isolate-steering",
        `lock_root = ${scratch}/locks`,
        "first_uid = 72000",
        "first_gid = 72000",
        `service_user.${USER} = 0-9`,
        `service_user.${OTHER} = 1-9`,
        `service_metrics_socket = ${metricsSocket}`,
      ]);
      const begin = (args: readonly string[], uid?: number) => {
        const options: CommandOptions = { env: { ISOLATE_SERVICE: service.socket } };
        return start([CLIENT, ...args], uid ? { ...options, through: as(uid) } : options);
      };
      const client = (args: readonly string[], uid?: number) => begin(args, uid).result;
      const status = async (id: number, uid?: number) =>
        JSON.parse((await client(["status", `${id}`, "--json"], uid)).stdout) as Status;
      try {
        assertEquals((await client(["--init", "-b1"], USER)).code, 0);
        await test({ client, begin, status, metricsSocket });
      } finally {
        await client(["--cleanup", "-b1"]);
      }
    });
  });
}

async function runsSoon({ status }: Steered, name: string): Promise<void> {
  await eventually(`${name} runs`, async () => {
    return (await status(1)).processes.some((process) => process.name === name);
  });
}

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

steeringTest("metrics count runs, and are to be had by HTTP", async ({ client, metricsSocket }) => {
  await client(["-b1", "--run", "--", "/bin/true"], USER);
  await client(["-b1", "--run", "--", "/bin/false"], USER);
  const { stdout } = await client(["metrics"]);
  assertMatch(stdout, /^isolate_runs_total\{outcome="success"\} 1$/m);
  assertMatch(stdout, /^isolate_runs_total\{outcome="failure"\} 1$/m);
  assertMatch(stdout, /^isolate_run_wall_seconds_count 2$/m);
  assertMatch(stdout, /^isolate_ready_hits_total 1$/m);
  assertMatch(stdout, /^isolate_boxes\{state="ready"\} 1$/m);
  using reader = await Deno.connect({ transport: "unix", path: metricsSocket });
  await reader.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  const text = await new Response(reader.readable).text();
  assertMatch(text, /^HTTP\/1.0 200 OK\r\n/);
  assertMatch(text, /^isolate_run_cpu_seconds_bucket\{le="\+Inf"\} 2$/m);
  // One that asks for nothing keeps nobody waiting.
  using _silent = await Deno.connect({ transport: "unix", path: metricsSocket });
  using again = await Deno.connect({ transport: "unix", path: metricsSocket });
  await again.write(new TextEncoder().encode("\n\n\r\n\r\n"));
  assertMatch(await new Response(again.readable).text(), /^HTTP/);
});

const LOOK_AROUND = `
uname -n; id -u; pwd; kill -0 2 && echo meets the program
grep -E "^(Cap(Prm|Eff|Bnd|Amb)|Seccomp|NoNewPrivs):" /proc/self/status | tr -d "[:blank:]"
ls /proc/self/fd | tr "\\n" " "
for kind in mnt pid net ipc uts cgroup user; do
  [ $(readlink /proc/self/ns/$kind) = $(readlink /proc/2/ns/$kind) ] || echo other $kind
done
unshare -U true 2>/dev/null && echo makes a user namespace
ls / >names; exit 9`;

steeringTest(
  "what enters a box is in it in every way, with no more rights than the program",
  async (steered) => {
    const { client, begin } = steered;
    await using _run = begin(
      ["-b1", "-p9", "--mem=300000", "--hostname=inside", "--run", "--", "/bin/sleep", "20"],
      USER,
    );
    await runsSoon(steered, "sleep");
    const { code, stdout } = await client(["enter", "1", "--", "/bin/sh", "-c", LOOK_AROUND], USER);
    const none = "0".repeat(16);
    assertEquals([code, stdout.trim().split("\n")], [9, [
      "inside",
      "72001",
      "/box",
      "meets the program",
      `CapPrm:${none}`,
      `CapEff:${none}`,
      `CapBnd:${none}`,
      `CapAmb:${none}`,
      "NoNewPrivs:1",
      "Seccomp:2",
      "0 1 2 3",
    ]]);
    const roots = await Deno.readTextFile("/var/local/lib/isolate-steering/1/box/names");
    assert(roots.split("\n").includes("box"));
    const limit = await client(["enter", "1", "--", "/bin/sh", "-c", "ulimit -v"], USER);
    assertEquals(limit.stdout, "300000\n");
    assertRefused(await client(["enter", "1"], OTHER), `There is no box 1 of user ${OTHER}`);
    assertEquals(
      (await client(["enter", "1", "/no/such"], USER)).stderr,
      'execve("/no/such"): No such file or directory\n',
    );
  },
);

steeringTest(
  "what has entered a box dies with it, with its client, and leaves nothing",
  async (steered) => {
    const { client, begin, status } = steered;
    const run = begin(["-b1", "-p9", "--run", "--", "/bin/sh", "-c", "sleep 20 & wait"], USER);
    await runsSoon(steered, "sleep");
    const count = async () => (await status(1)).processes.length;
    const visitor = [
      "enter",
      "1",
      "--",
      "/bin/sh",
      "-c",
      "trap '' TERM HUP INT; sleep 30 & sleep 30; :",
    ];
    for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP"] as const) {
      const visit = begin(visitor, USER);
      await eventually("it has entered", async () => (await count()) >= 4);
      visit.kill(signal);
      await visit.result;
      await eventually("it is gone", async () => (await count()) === 2);
    }
    const visit = begin(["enter", "1", "--", "/bin/sleep", "30"], USER);
    await eventually("it has entered", async () => (await count()) === 3);
    await client(["kill", "1"], USER);
    assertEquals((await run.result).code, 1);
    assertEquals((await visit.result).code, 137);
    assertEquals(await count(), 0);
    assertEquals((await client(["-b1", "--run", "--", "/bin/true"], USER)).code, 0);
  },
);

steeringTest("an idle box is entered by a run of its own", async ({ client }) => {
  const shell = ["enter", "1", "--", "/bin/sh", "-c"];
  const { code, stdout } = await client([...shell, "id -u; pwd; (exit 4)"], USER);
  assertEquals([code, stdout], [4, "72001\n/box\n"]);
  assertEquals((await client([...shell, "kill -9 $$"], USER)).code, 137);
  assertRefused(await client(["enter"], USER), "ID is missing");
  assertRefused(await client(["enter", "2"], USER), "There is no box 2");
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
      await direct(["-b563", "--init"]);
      const args = [`-M${scratch}/meta`, "-b563", "-p3", "--run", "--", "/bin/sh", "-c"];
      await using sleeping = startIsolate([...args, "sleep 20 & wait"], off);
      await eventually("it runs", async () => {
        return /^563 +0 +running .* 2 +- +sh$/m.test((await direct(["list"])).stdout);
      });
      assertEquals((await direct(["stop", "563"])).code, 0);
      assertMatch((await direct(["list"])).stdout, /^563 +0 +stopped/m);
      assertRefused(await direct(["stop", "563", "--pause-clock"]), "does not run it");
      assertRefused(await direct(["metrics"]), "no metrics without a service");
      assertEquals((await direct(["kill", "563"])).code, 0);
      await sleeping.result;
      assertEquals(parseMetaText(await Deno.readTextFile(`${scratch}/meta`))["exitsig"], "9");
    } finally {
      await direct(["-b563", "--cleanup"]);
    }
  });
});
