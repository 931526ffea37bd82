/** What `box.run()` reports about programs: a test for each kind of outcome. */

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Box, type Outcome, type RunOptions, toMeta } from "isolate/mod.ts";
import { installC } from "isolate/tests/support/c_program.ts";
import { descriptorOf } from "isolate/tests/support/descriptors.ts";

const BOX_ID = 400;

/** Runs a shell script in a box; its output goes into `out`. */
async function outcomeOf(script: string, options: RunOptions = {}): Promise<Outcome> {
  await using box = await Box.init({ boxId: BOX_ID });
  return await box.run(["/bin/sh", "-c", script], options);
}

Deno.test("run() reports the exit code of a program that ends by itself", async () => {
  for (const exitCode of [0, 1, 127, 255]) {
    const outcome = await outcomeOf(`exit ${exitCode}`);
    assert(outcome.kind === "exit");
    assertEquals(outcome.exitCode, exitCode);
  }
});

Deno.test("run() reports the signal that ended a program", async () => {
  for (const signal of [6, 9, 11, 15, 34]) {
    const outcome = await outcomeOf(`kill -${signal} $$`);
    assert(outcome.kind === "signal", outcome.kind);
    assertEquals(outcome.signal, signal);
  }
});

/** Burns 0.4 s of CPU time with 100 MiB in a child, and ends without having waited for it. */
const FORSAKEN = (begin: string, look: string) => `
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(void) {
  if (${begin}() == 0) {
    char *memory = mmap(0, 100 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 100 << 20);
    struct timespec used;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec == 0 && used.tv_nsec < 400000000);
    _exit(0);
  }
  ${look}
  _exit(0);
}`;

for (
  const [begin, look] of [
    ["fork", "siginfo_t how; waitid(P_ALL, 0, &how, WEXITED | WNOWAIT);"],
    ["vfork", ""],
  ] as const
) {
  Deno.test(`what a child of ${begin}() used counts, although the program did not wait for it`, async () => {
    await using box = await Box.init({ boxId: BOX_ID });
    await installC(`${box.directory}/box/forsake`, FORSAKEN(begin, look));
    const limits = { cpuTimeMs: 200, processes: 2 };
    const outcome = await box.run(["/box/forsake"], { limits });
    assert(outcome.kind === "time-limit", outcome.kind);
    assertGreaterOrEqual(outcome.usage.cpuTimeMs, 380);
    assertGreater(outcome.usage.maxRssKib, 100 << 10);
  });
}

Deno.test("run() kills a busy program soon after its CPU time limit", async () => {
  const limits = { cpuTimeMs: 200 };
  const outcome = await outcomeOf("while :; do :; done", { limits });
  assert(outcome.kind === "time-limit");
  assertEquals([outcome.limit, outcome.killed, outcome.ending], ["cpu", true, undefined]);
  assertGreater(outcome.usage.cpuTimeMs, 200);
  assertLess(outcome.usage.cpuTimeMs, 400);
});

Deno.test("run() kills a sleeping program soon after its wall clock limit", async () => {
  const limits = { wallTimeMs: 200, cpuTimeMs: 10_000 };
  const outcome = await outcomeOf("exec sleep 100", { limits });
  assert(outcome.kind === "time-limit");
  assertEquals([outcome.limit, outcome.killed, outcome.ending], ["wall", true, undefined]);
  assertGreater(outcome.usage.wallTimeMs, 200);
  assertLess(outcome.usage.wallTimeMs, 3000);
  assertLess(outcome.usage.cpuTimeMs, 200);
});

Deno.test("run() lets a program go on for its extra time, and the verdict stays", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await installC(`${box.directory}/box/burn`, BURN);
  const limits = { cpuTimeMs: 50, extraTimeMs: 2000 };
  for (
    const [argument, ending] of [
      ["exit", { how: "exit", exitCode: 7 }],
      ["signal", { how: "signal", signal: 11 }],
    ] as const
  ) {
    const outcome = await box.run(["./burn", argument], { limits });
    assert(outcome.kind === "time-limit");
    assertEquals([outcome.limit, outcome.killed, outcome.ending], ["cpu", false, ending]);
    // What it used before its start is not its own.
    assertGreater(outcome.usage.cpuTimeMs, 80);
    const meta = toMeta(outcome);
    assertEquals([meta.status, meta.exitCode, meta.exitSignal], ["TO", undefined, undefined]);
  }
});

/** Uses 100 ms of CPU time, then ends in the way asked for. */
const BURN = `
#include <signal.h>
#include <string.h>
#include <time.h>
int main(int argc, char **argv) {
  struct timespec now;
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  while (now.tv_nsec < 100000000);
  if (strcmp(argv[1], "signal") == 0) raise(SIGSEGV);
  return 7;
}`;

Deno.test("run() measures memory, and context switches", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await installC(
    `${box.directory}/box/grow`,
    `#include <stdlib.h>
    #include <unistd.h>
    int main(void) {
      volatile char *memory = malloc(64 << 20);
      for (int i = 0; i < 64 << 20; i += 4096) memory[i] = 1;
      for (int i = 0; i < 20; i++) usleep(1000);
      return 0;
    }`,
  );
  const { usage } = await box.run(["./grow"]);
  assertGreater(usage.maxRssKib, 64 << 10);
  assertLess(usage.maxRssKib, 80 << 10);
  // On a slow machine a sleep may be over before the program has gone to sleep.
  assertGreater(usage.voluntaryContextSwitches, 10);
});

Deno.test("run() gives a program the arguments, environment, directory and streams asked for", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await Deno.writeTextFile(`${box.directory}/box/in`, "from the file\n");
  const script = 'read -r line; echo "$line,$1,$A,$(pwd),$B"; echo problem >&2';
  const outcome = await box.run(["/bin/sh", "-c", script, "sh", "an argument \u{1F4E6}"], {
    environment: new Map([["A", "a b"]]),
    workingDirectory: "/tmp",
    limits: { processes: 4 },
    stdin: { path: "in" },
    stdout: { path: "out" },
    stderr: { path: "err" },
  });
  assertEquals(outcome.kind, "exit");
  const read = (name: string) => Deno.readTextFileSync(`${box.directory}/box/${name}`);
  assertEquals(read("out"), "from the file,an argument \u{1F4E6},a b,/tmp,\n");
  assertEquals(read("err"), "problem\n");
});

Deno.test("run() writes to descriptors of the caller, and standard error where that of output goes", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const path = await Deno.makeTempFile({ prefix: "isolate-test-" });
  try {
    const script = "echo one; echo two >&2; ls /proc/self/fd >&2";
    for (const inheritDescriptors of [false, true]) {
      using _file = await Deno.open(path, { write: true, truncate: true });
      const fd = descriptorOf(path);
      await box.run(["/bin/sh", "-c", script], {
        stdout: { fd },
        stderr: "stdout",
        limits: { processes: 3 },
        inheritDescriptors,
      });
      const [one, two, ...listed] = (await Deno.readTextFile(path)).trimEnd().split("\n");
      assertEquals([one, two], ["one", "two"]);
      assert(!listed.includes(String(fd)), "it has become a standard stream and nothing else");
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a program that does not exist is told apart from one that exits with 127", async () => {
  for (const ready of [false, true]) {
    await using box = await Box.init({ boxId: BOX_ID, ready });
    for (let i = 0; i < 3; i++) {
      const missing = await box.run(["/nothing"], { stderr: "none" });
      assert(missing.kind === "exit");
      assertEquals([missing.exitCode, missing.notExecuted], [127, { errno: 2, code: "ENOENT" }]);
      const exits = await box.run(["/bin/sh", "-c", "exit 127"]);
      assert(exits.kind === "exit");
      assertEquals([exits.exitCode, exits.notExecuted], [127, undefined]);
    }
  }
});

Deno.test("run() can exchange the caller's standard streams", async () => {
  const script = `
    import { Box } from "${new URL("../../mod.ts", import.meta.url)}";
    await using box = await Box.init({ boxId: ${BOX_ID} });
    const options = { stdout: { fd: 2 }, stderr: { fd: 1 } };
    await box.run(["/bin/sh", "-c", "echo out; echo err >&2"], options);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-ffi",
      `data:text/javascript,${encodeURIComponent(script)}`,
    ],
    stdin: "null",
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(text, ["err\n", "out\n"]);
});

Deno.test("run() reports an execve that fails as exit code 127, with the reason", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const outcome = await box.run(["./nothing"], { stderr: { path: "err" } });
  assert(outcome.kind === "exit");
  assertEquals(outcome.exitCode, 127);
  const text = await Deno.readTextFile(`${box.directory}/box/err`);
  assertEquals(text, 'execve("./nothing"): No such file or directory\n');
});

Deno.test("run() takes a limit of zero for no limit", async () => {
  const limits = { cpuTimeMs: 0, wallTimeMs: 0, extraTimeMs: 0 };
  const outcome = await outcomeOf("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", { limits });
  assertEquals(outcome.kind, "exit");
});

Deno.test("run() ends a program that has used up the smallest of limits", async () => {
  const outcome = await outcomeOf("while :; do :; done", { limits: { cpuTimeMs: 0.001 } });
  assert(outcome.kind === "time-limit");
  assertEquals(outcome.limit, "cpu");
});
