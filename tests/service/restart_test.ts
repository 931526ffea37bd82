/** The service under a parent that holds its socket: nobody notices that it is started again. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SIGNALS } from "../../ffi/linux.ts";
import { assertRefused, CLIENT, DIRECT, eventually, start } from "../support/isolate.ts";
import { SERVICE_SHELL } from "../support/service.ts";
import { startLoad } from "../support/service_load.ts";
import { superviseService } from "../support/supervised_service.ts";

const LOAD_BOX_IDS = [670, 671, 672, 673, 674, 675, 676, 677];
const BOX_ID = 678;
const RESTARTS = 5;

function client(socket: string, ...args: string[]) {
  return start([CLIENT, `--box-id=${BOX_ID}`, ...args], { env: { ISOLATE_SERVICE: socket } });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("a service that is started again under load fails not one call", async () => {
  // Boxes that run may take longer on a busy machine than the service waits by itself.
  const lines = ["service_stop_wait = 120"];
  await using service = await superviseService({ passSocket: true, lines });
  const load = await startLoad({ socket: service.socket, boxIds: LOAD_BOX_IDS });
  for (let round = 0; round < RESTARTS; round++) {
    await pause(700);
    assertEquals(await service.end(SIGNALS.SIGTERM), 0);
    await service.start();
  }
  await pause(700);
  const { commands, failures } = await load.end();
  assertEquals(failures, []);
  assert(commands > 5 * RESTARTS, `${commands} commands`);
});

Deno.test("a client that comes while no service runs waits in the socket", async () => {
  await using service = await superviseService({ passSocket: true });
  await service.end(SIGNALS.SIGTERM);
  await using waiting = client(service.socket, "--version");
  await pause(200);
  await service.start();
  const { code, stdout, stderr } = await waiting.result;
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "isolate");
});

Deno.test("a box that runs ends first, as long as the service waits", async () => {
  for (const [seconds, waitS, status] of [["1.678", 120, 0], ["1000.678", 3, 2]] as const) {
    const lines = [`service_stop_wait = ${waitS}`];
    await using service = await superviseService({ passSocket: true, lines });
    assertEquals((await client(service.socket, "--init").result).code, 0);
    try {
      const script = `echo started; exec sleep ${seconds}`;
      await using running = client(service.socket, "-p", "--run", "--", "/bin/sh", "-c", script);
      await eventually("it runs", async () => {
        const list = await client(service.socket, "--version").result;
        return list.code === 0 && await isRunning(seconds);
      });
      const began = performance.now();
      assertEquals(await service.end(SIGNALS.SIGTERM), 0);
      const tookMs = performance.now() - began;
      const { code, stderr } = await running.result;
      assertEquals(code, status, stderr);
      if (status === 2) {
        assert(tookMs >= 2500 && tookMs < 300_000, `${tookMs} ms`);
        assertStringIncludes(stderr, "has ended; what it ran is dead");
        await eventually("it is dead", async () => !await isRunning(seconds));
      }
      await service.start();
    } finally {
      assertEquals((await client(service.socket, "--cleanup").result).code, 0);
    }
  }
});

Deno.test("a service that is asked twice to stop does not wait", async () => {
  await using service = await superviseService({
    passSocket: true,
    lines: ["service_stop_wait = 300"],
  });
  assertEquals((await client(service.socket, "--init").result).code, 0);
  await using running = client(service.socket, "--run", "--", "/bin/sleep", "1001.678");
  await eventually("it runs", () => isRunning("1001.678"));
  const { pid } = service;
  Deno.kill(pid, "SIGTERM");
  // Signals that come before it has seen the first one are one.
  await eventually("it has ended", async () => {
    await pause(300);
    Deno.kill(pid, "SIGTERM");
    return !isAlive(pid);
  });
  assertEquals(await service.end(SIGNALS.SIGTERM), 0);
  assertEquals((await running.result).code, 2);
  await service.start();
  assertEquals((await client(service.socket, "--cleanup").result).code, 0);
});

Deno.test("a service that is told to stop as soon as it starts stops", async () => {
  await using service = await superviseService({ passSocket: true });
  await client(service.socket, "--version").result;
  assertEquals(await service.end(SIGNALS.SIGTERM), 0);
  for (let delayMs = 0; delayMs < 300; delayMs += 10) {
    await service.start();
    await pause(delayMs);
    const began = performance.now();
    const status = await service.end(SIGNALS.SIGTERM);
    // Before it catches the signal it simply dies.
    assert(status === 0 || status === -SIGNALS.SIGTERM, `${status} after ${delayMs} ms`);
    // It would wait for a client or a signal for ever.
    assert(performance.now() - began < 60_000);
  }
  await service.start();
});

Deno.test("a service of a test ends with it, even if it has not begun", async () => {
  for (let delayMs = 0; delayMs < 20; delayMs++) {
    const shell = new Deno.Command("/bin/bash", {
      args: ["-c", SERVICE_SHELL, "/nonexistent", "/bin/sleep", "1000"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = shell.stdout.getReader();
    const pid = Number(new TextDecoder().decode((await reader.read()).value));
    await pause(delayMs / 2);
    shell.kill("SIGKILL");
    await shell.status;
    await shell.stdin.close();
    await reader.cancel();
    await eventually("it has ended", () => !isAlive(pid));
  }
});

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

Deno.test("a socket of another kind is refused", async () => {
  const script = 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"';
  assertRefused(
    await start([...DIRECT, "serve"], { through: ["/bin/sh", "-c", script, "sh"] }).result,
    "must be a listening unix socket of sequential packets",
  );
});

/** Whether somebody sleeps for so long; nobody else on the machine does for such a time. */
async function isRunning(seconds: string): Promise<boolean> {
  const { code } = await start(["pgrep", "-fx", `(/bin/)?sleep ${seconds}`]).result;
  return code === 0;
}
