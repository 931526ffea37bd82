/** Time limits: what is measured, when the program is killed, and which verdict it gets. */

import { assert, assertEquals } from "@std/assert";
import { compileC } from "../support/c_program.ts";
import { type RunResult, type TestBox, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

/**
 * Bounds are generous: the machine may be busy, and the guest is slow. A program that should be
 * dead is by this time; left alone it would run for nine seconds and more.
 */
const SLACK = needs.path("/vm/run", "a guest") === undefined ? 3 : 0.4;

const BURN = `
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <pthread.h>
#include <sys/wait.h>

/* What the sandbox did in this process before it became this program is none of its time. */
static __thread double before;
static double used(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void burn(double seconds) { while (used() - before < seconds) continue; }
static void *thread(void *seconds) { burn(*(double *)seconds); return 0; }

/* Words: burn S, thread S, child S (waited for), orphan S (ends before us), stray S (does not), sleep S, exit N, kill N */
int main(int argc, char **argv) {
  pthread_t threads[16];
  int count = 0;
  before = used();
  for (int i = 1; i + 1 < argc; i += 2) {
    double *value = malloc(sizeof *value);
    *value = atof(argv[i + 1]);
    if (!strcmp(argv[i], "burn")) burn(*value);
    if (!strcmp(argv[i], "sleep")) usleep(*value * 1e6);
    if (!strcmp(argv[i], "exit")) exit(*value);
    if (!strcmp(argv[i], "kill")) raise(*value);
    if (!strcmp(argv[i], "thread")) pthread_create(&threads[count++], 0, thread, value);
    if (!strcmp(argv[i], "join")) while (count) pthread_join(threads[--count], 0);
    if (!strcmp(argv[i], "child")) { if (!fork()) { burn(*value); _exit(0); } wait(0); }
    if (!strcmp(argv[i], "stray")) if (!fork()) { burn(*value); _exit(0); }
    if (!strcmp(argv[i], "orphan")) {
      int ends[2];
      char c;
      pipe(ends);
      if (!fork()) { if (!fork()) { burn(*value); _exit(0); } _exit(0); }
      close(ends[1]);
      wait(0);
      read(ends[0], &c, 1); /* the end of the orphan */
      usleep(50000);
    }
  }
  return 0;
}
`;

function timed(name: string, test: (box: TestBox) => Promise<void>): void {
  testWith([needs.root(), needs.command("gcc")], name, () =>
    withBox(108, async (box) => {
      await Deno.copyFile(await compileC(BURN, ["-pthread"]), box.path("burn"));
      await test(box);
    }));
}

function burn(box: TestBox, options: string[], words: string): Promise<RunResult> {
  return box.run(options, ["burn", ...words.split(" ")]);
}

function between(value: string | undefined, low: number, high: number): void {
  assert(
    value !== undefined && Number(value) >= low && Number(value) < high,
    `${value} ∉ ${low}…${high}`,
  );
}

timed(
  "a busy loop past --time is killed: TO, killed, the CPU time just past the limit",
  async (box) => {
    const result = await burn(box, ["--time=0.2"], "burn 9");
    assertEquals([result.code, result.stderr], [1, "Time limit exceeded\n"]);
    const { status, killed, message, time, exitcode, exitsig } = result.meta;
    assertEquals([status, killed, message], ["TO", "1", "Time limit exceeded"]);
    assertEquals([exitcode, exitsig], [undefined, undefined]);
    between(time, 0.2, 0.2 + SLACK);
  },
);

timed(
  "a sleeper past --wall-time is killed, and the message says that it was the wall clock",
  async (box) => {
    const result = await burn(box, ["--wall-time=0.2"], "sleep 9");
    assertEquals([result.code, result.stderr], [1, "Time limit exceeded (wall clock)\n"]);
    const { status, killed, message, time, exitcode } = result.meta;
    assertEquals([status, killed, message], ["TO", "1", "Time limit exceeded (wall clock)"]);
    assertEquals(exitcode, undefined);
    between(result.meta["time-wall"], 0.2, 0.2 + SLACK);
    between(time, 0, 0.1);
  },
);

timed("a program within its limits is left alone", async (box) => {
  const result = await burn(
    box,
    ["--time=5", "--wall-time=9", "--extra-time=1"],
    "burn .1 sleep .2",
  );
  assertEquals([result.code, result.meta["exitcode"], result.meta["status"]], [0, "0", undefined]);
  between(result.meta["time"], 0.1, 0.1 + SLACK);
  between(result.meta["time-wall"], 0.3, 2);
});

timed(
  "--extra-time lets the program run on until its CPU time passes that from the start",
  async (box) => {
    const result = await burn(box, ["-t.2", "-x.5"], "burn 9");
    assertEquals([result.meta["status"], result.meta["killed"]], ["TO", "1"]);
    between(result.meta["time"], 0.5, 0.5 + SLACK);
  },
);

timed("--extra-time shorter than the limit changes nothing", async (box) => {
  const result = await burn(box, ["-t.3", "-x.1"], "burn 9");
  between(result.meta["time"], 0.3, 0.3 + SLACK);
});

timed("--extra-time alone does nothing", async (box) => {
  const result = await burn(box, ["--extra-time=.05"], "burn .2");
  assertEquals([result.code, result.meta["exitcode"]], [0, "0"]);
});

for (const ending of ["exit 0", "exit 3", "kill 11"]) {
  timed(
    `a program that overran and then ended by ${ending} is TO without killed and without its ending`,
    async (box) => {
      const result = await burn(box, ["-t.1", "-x5"], `burn .3 ${ending}`);
      assertEquals([result.code, result.stderr], [1, "Time limit exceeded\n"]);
      const { status, message, killed, exitcode, exitsig, time } = result.meta;
      assertEquals([status, message], ["TO", "Time limit exceeded"]);
      assertEquals([killed, exitcode, exitsig], [undefined, undefined, undefined]);
      between(time, 0.3, 0.3 + SLACK);
    },
  );
}

timed("CPU time is checked before wall time at the end", async (box) => {
  // On a busy machine it takes a while until the CPU time is over its limit.
  const result = await burn(box, ["-t.1", "-x5", "-w1.5"], "burn 9");
  assertEquals(result.meta["message"], "Time limit exceeded");
});

timed("a limit of less than a millisecond is a limit", async (box) => {
  for (const option of ["--time=0.0001", "--wall-time=1e-5"]) {
    assertEquals((await burn(box, [option], "burn 9")).meta["status"], "TO", option);
  }
});

timed("a limit of 0 means no limit", async (box) => {
  const result = await burn(box, ["--time=0", "--wall-time=0.000", "--extra-time=0"], "burn .1");
  assertEquals([result.code, result.meta["exitcode"]], [0, "0"]);
});

timed("threads count at once, against the limit too", async (box) => {
  const counted = await burn(box, ["-p"], "thread .15 thread .15 join 0");
  assertEquals(counted.code, 0);
  between(counted.meta["time"], 0.3, 0.3 + SLACK);
  const limited = await burn(box, ["-p", "-t.2"], "thread 9 thread 9 sleep 30");
  assertEquals(limited.meta["message"], "Time limit exceeded");
  between(limited.meta["time"], 0.2, 0.2 + SLACK);
});

timed("children that have been waited for count", async (box) => {
  const result = await burn(box, ["-p", "-t.1", "-x5"], "child .2");
  assertEquals(result.meta["status"], "TO");
  between(result.meta["time"], 0.2, 0.2 + SLACK);
});

timed("a finished orphan counts, one still running at the end does not", async (box) => {
  between((await burn(box, ["-p"], "orphan .2")).meta["time"], 0.2, 0.2 + SLACK);
  between((await burn(box, ["-p"], "stray 9 sleep 1")).meta["time"], 0, 0.5);
});

timed("children that have been waited for are watched while the program sleeps", async (box) => {
  const result = await burn(box, ["-p", "-t.2", "-w8"], "child .15 child .15 sleep 30");
  assertEquals([result.meta["message"], result.meta["killed"]], ["Time limit exceeded", "1"]);
  between(result.meta["time-wall"], 0.2, 4);
});

timed("what the program left running is killed with it, at once", async (box) => {
  const started = Date.now();
  const result = await burn(box, ["-p", "-w20"], "stray 9 exit 0");
  assertEquals(result.code, 0);
  assert(Date.now() - started < 5000);
});

timed(
  "a program that ignores every signal and stops itself is killed at its wall clock limit",
  async (box) => {
    const script = "trap '' HUP INT TERM QUIT; kill -STOP $$";
    const result = await box.run(["-w.3"], ["/bin/sh", "-c", script]);
    assertEquals([result.meta["status"], result.meta["killed"]], ["TO", "1"]);
    between(result.meta["time-wall"], 0.3, 0.3 + SLACK);
  },
);
