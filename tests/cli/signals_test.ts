/** Signals to the command while a program runs in its box. */

import { assert, assertEquals } from "@std/assert";
import {
  type CommandOptions,
  eventually,
  isolate,
  processesOf,
  type TestBox,
  withBox,
} from "../support/isolate.ts";

/** Starts a program with children that ignore signals; goes on when it runs. */
async function startStubborn(box: TestBox, surroundings: CommandOptions = {}) {
  const script = `trap '' HUP INT QUIT TERM; sleep 60 & echo ready; sleep 60`;
  await Deno.remove(box.path("ready")).catch(() => {});
  const options = ["-p", "-o", "ready"];
  const running = box.start(options, ["/bin/sh", "-c", script], surroundings);
  await eventually(
    "the program runs",
    async () => (await Deno.readTextFile(box.path("ready")).catch(() => "")) === "ready\n",
  );
  return running;
}

for (
  const [signal, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGQUIT", 3], ["SIGTERM", 15]] as const
) {
  Deno.test(`${signal} to the command ends the run: SG, Interrupted, exitsig:${number}, killed`, async () => {
    await withBox(109, async (box) => {
      await using running = await startStubborn(box);
      running.kill(signal);
      const result = await box.resultOf(running);
      assertEquals([result.code, result.stderr], [1, "Interrupted\n"]);
      const { status, message, exitsig, killed, exitcode } = result.meta;
      assertEquals([status, message], ["SG", "Interrupted"]);
      assertEquals([exitsig, killed, exitcode], [String(number), "1", undefined]);
      assert("time" in result.meta && "time-wall" in result.meta && "max-rss" in result.meta);
      assertEquals(await processesOf(60109), []);
      assertEquals((await Deno.stat(box.path("ready"))).uid, 0, "the files are the caller's again");
    });
  });
}

for (const signal of ["SIGABRT", "SIGSEGV", "SIGILL", "SIGFPE", "SIGBUS"] as const) {
  Deno.test(`${signal} to the command is XX, exit status 2, and the box is dead`, async () => {
    await withBox(109, async (box) => {
      await using running = await startStubborn(box);
      running.kill(signal);
      const result = await box.resultOf(running);
      assertEquals(result.code, 2);
      assert(result.stderr.includes(signal), result.stderr);
      assertEquals(result.meta["status"], "XX");
      assert("message" in result.meta);
      assertEquals(await processesOf(60109), []);
      assertEquals((await Deno.stat(box.path("ready"))).uid, 0, "the files are the caller's again");
      assertEquals((await isolate(["-b109", "--cleanup"])).code, 0);
    });
  });
}

Deno.test("SIGUSR1, SIGUSR2 and SIGPIPE to the command have no effect", async () => {
  await withBox(109, async (box) => {
    await using running = await startStubborn(box);
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGPIPE"] as const) running.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    running.kill("SIGTERM");
    const result = await box.resultOf(running);
    assertEquals([result.meta["exitsig"], result.meta["message"]], ["15", "Interrupted"]);
  });
});

Deno.test("a caller that ignores SIGCHLD, SIGTERM and others changes nothing", async () => {
  // The shell's own `trap` keeps POSIX signals ignored for what it executes.
  const through = ["/bin/bash", "-c", `trap '' CHLD TERM INT USR1 ABRT; exec "$0" "$@"`];
  await withBox(109, async (box) => {
    const result = await box.run(["-t1"], ["/bin/sh", "-c", "exit 3"], { through });
    assertEquals([result.code, result.meta["exitcode"]], [1, "3"], result.stderr);
    for (const [signal, status] of [["SIGTERM", "SG"], ["SIGABRT", "XX"]] as const) {
      await using running = await startStubborn(box, { through });
      running.kill(signal);
      assertEquals((await box.resultOf(running)).meta["status"], status);
    }
  });
});

Deno.test("a caller that blocks signals changes nothing for the command and the program", async () => {
  const script =
    "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); " +
    "os.execv(sys.argv[1], sys.argv[1:])";
  const through = ["python3", "-c", script];
  await withBox(109, async (box) => {
    const { stdout } = await box.run([], ["/bin/cat", "/proc/self/status"], { through });
    for (const key of ["SigBlk", "SigIgn", "SigCgt"]) {
      assert(stdout.includes(`${key}:\t0000000000000000\n`), stdout);
    }
    await using running = await startStubborn(box, { through });
    running.kill("SIGTERM");
    assertEquals((await box.resultOf(running)).meta["message"], "Interrupted");
  });
});

Deno.test("two signals in a row end the run once", async () => {
  await withBox(109, async (box) => {
    await using running = await startStubborn(box);
    running.kill("SIGTERM");
    running.kill("SIGINT");
    const result = await box.resultOf(running);
    assertEquals([result.code, result.meta["status"]], [1, "SG"]);
  });
});

Deno.test("a signal that comes while the box is being set up ends the run or is reported, never lost", async () => {
  await withBox(109, async (box) => {
    for (let delayMs = 10; delayMs <= 60; delayMs += 10) {
      await using running = box.start(["-w20"], ["/bin/sleep", "19"]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      running.kill("SIGTERM");
      const { code } = await running.result;
      // Before the command has set its handlers, the signal ends it as any other process.
      assert(code === 1 || code === 2 || code === 143, `exit status ${code} after ${delayMs} ms`);
      await eventually("the box is dead", async () => (await processesOf(60109)).length === 0);
    }
  });
});

for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends the run also when the runtime has been up for a while`, async () => {
    await withBox(109, async (box) => {
      await using running = await startStubborn(box);
      // Half a second after its start the runtime installs handlers of its own.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      running.kill(signal);
      const result = await box.resultOf(running);
      assertEquals([result.code, result.meta["message"]], [1, "Interrupted"], result.stderr);
    });
  });
}
