/** Programs that are traced for a report of how they crashed. */

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { Box, type Crash, crashCodeName, type Outcome, type RunOptions } from "isolate/mod.ts";
import { isolate } from "isolate/tests/support/isolate.ts";
import { installC } from "isolate/tests/support/c_program.ts";

const BOX_ID = 404;
const POINTER = Deno.build.arch === "aarch64" ? "pc" : "rip";

const CRASHING = `
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdlib.h>
static volatile int count;
static void handle(int signal) { count++; }
static __attribute__((noinline)) void touch(volatile int *address) { *address = 7; }
static void *start(void *address) { if (address) touch(address); return 0; }
static void thread(void *argument) {
  pthread_t thread;
  pthread_create(&thread, 0, start, argument);
  pthread_join(thread, 0);
}
int main(int argc, char **argv) {
  char *what = argv[1];
  if (!strcmp(what, "fault")) { printf("%p\\n", touch); fflush(stdout); touch((void *)0x12340); }
  if (!strcmp(what, "readonly")) touch((void *)"constant");
  if (!strcmp(what, "thread")) { for (int i = 0; i < 50; i++) thread(0); thread((void *)0x4320); }
  if (!strcmp(what, "threads")) { for (int i = 0; i < 200; i++) thread(0); return 5; }
  if (!strcmp(what, "abort")) abort();
  if (!strcmp(what, "child")) { if (!fork()) touch((void *)8); wait(0); return 6; }
  if (!strcmp(what, "survivor")) {
    signal(SIGUSR1, handle);
    for (int i = 0; i < 300; i++) raise(SIGUSR1);
    kill(getpid(), SIGKILL);
  }
  if (!strcmp(what, "handler")) {
    signal(SIGUSR1, handle);
    for (int i = 0; i < 300; i++) raise(SIGUSR1);
    return count == 300 ? 3 : 4;
  }
  if (!strcmp(what, "stop")) { if (!fork()) { sleep(1); kill(getppid(), SIGCONT); return 0; } raise(SIGSTOP); return 9; }
  if (!strcmp(what, "debugger")) {
    int status, child = fork();
    if (!child) { ptrace(PTRACE_TRACEME, 0, 0, 0); raise(SIGSTOP); return 8; }
    waitpid(child, &status, 0);
    ptrace(PTRACE_CONT, child, 0, 0);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  if (!strcmp(what, "traceme")) { ptrace(PTRACE_TRACEME, 0, 0, 0); raise(SIGCONT); raise(SIGURG); return 7; }
  return 1;
}
`;

type Run = (what: string, options?: RunOptions) => Promise<Outcome>;

async function inBox(work: (run: Run, directory: string) => Promise<void>): Promise<void> {
  await using box = await Box.init({ boxId: BOX_ID });
  await installC(`${box.directory}/box/crash`, CRASHING, ["-pthread"]);
  await work(async (what, options = {}) => {
    const limits = { processes: 20, wallTimeMs: 20_000 };
    return await box.run(["./crash", what], { limits, crashReport: true, ...options });
  }, box.directory);
}

function crashOf(outcome: Outcome): Crash {
  assert(outcome.kind === "signal", outcome.kind);
  assert(outcome.crash);
  return outcome.crash;
}

Deno.test("a crash report has the address of a fault, the reason and the registers", async () => {
  await inBox(async (run, directory) => {
    const crash = crashOf(await run("fault", { stdout: { path: "out" } }));
    const text = await Deno.readTextFile(`${directory}/box/out`);
    assertEquals([crash.address, crash.thread], [0x12340n, 2]);
    assertEquals(crashCodeName(11, crash.code), "SEGV_MAPERR");
    const into = Number(crash.registers[POINTER]! - BigInt(text.trim()));
    assert(into >= 0 && into < 64, `${into} bytes into the function`);
    const readonly = crashOf(await run("readonly"));
    assertEquals(crashCodeName(11, readonly.code), "SEGV_ACCERR");
  });
});

Deno.test("a crash report is about the thread that crashed", async () => {
  await inBox(async (run) => {
    const crash = crashOf(await run("thread"));
    assertEquals(crash.address, 0x4320n);
    assert(crash.thread > 2);
  });
});

Deno.test("a signal that is sent has no address", async () => {
  await inBox(async (run) => {
    const crash = crashOf(await run("abort"));
    assertEquals([crash.address, crashCodeName(6, crash.code)], [undefined, "SI_TKILL"]);
  });
});

Deno.test("a traced program behaves as one that is not", async () => {
  await inBox(async (run) => {
    for (
      const [what, exitCode] of [
        ["handler", 3],
        ["threads", 5],
        ["child", 6],
        ["debugger", 8],
        ["stop", 9],
      ] as const
    ) {
      for (const crashReport of [true, false]) {
        const outcome = await run(what, { crashReport });
        assertEquals([what, outcome.kind === "exit" && outcome.exitCode], [what, exitCode]);
      }
    }
  });
});

Deno.test("a signal that was survived is not what the program died of", async () => {
  await inBox(async (run) => {
    const outcome = await run("survivor");
    assert(outcome.kind === "signal");
    assertEquals([outcome.signal, outcome.crash], [9, undefined]);
  });
});

Deno.test("a program that has itself traced by init goes on", async () => {
  await inBox(async (run) => {
    for (const crashReport of [true, false]) {
      const outcome = await run("traceme", { crashReport });
      assertEquals(outcome.kind === "exit" && outcome.exitCode, 7);
    }
  });
});

Deno.test("tracing keeps no program alive beyond its limits", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const options = { crashReport: true, limits: { wallTimeMs: 300, processes: 9 } };
  for (const script of ["kill -STOP $$", "trap '' TERM; while :; do kill -TERM $$; done"]) {
    const began = performance.now();
    const outcome = await box.run(["/bin/sh", "-c", script], options);
    assert(outcome.kind === "time-limit");
    assertLess(performance.now() - began, 3000);
  }
});

Deno.test("threads of a traced program do not count twice", async () => {
  await inBox(async (run) => {
    const { usage } = await run("threads");
    assertLess(usage.cpuTimeMs, usage.wallTimeMs * 1.5);
  });
});

Deno.test("--crash-report prints what is known of a crash, and nothing of a success", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await installC(`${box.directory}/box/crash`, CRASHING, ["-pthread"]);
  box.release();
  const run = async (what: string) => {
    const options = ["--crash-report", "-p20", "--run", "--", "./crash", what];
    return (await isolate([`-b${BOX_ID}`, ...options])).stderr;
  };
  assertMatch(
    await run("fault"),
    /^Caught fatal signal 11\nCrash: SIGSEGV, SEGV_MAPERR at address 0x12340, in thread 2 of the box\n {2}.*\b(rip|pc)=0x[0-9a-f]+/s,
  );
  assertEquals(await run("threads"), "Exited with error status 5\n");
});
