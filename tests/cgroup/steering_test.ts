/** Boxes with control groups that are stopped, and entered, while a program runs in them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { compileC } from "../support/c_program.ts";
import { cgTest, groupsOf, place } from "../support/control_group.ts";
import { CLIENT, eventually, start } from "../support/isolate.ts";
import { startService } from "../support/service.ts";

const BOX = "-b571";

/** Continues itself by a timer whenever it is stopped, and counts in a file. */
const EVADING = `
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
int main() {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT};
  struct itimerspec often = {{0, 20000000}, {0, 20000000}};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  timer_settime(timer, 0, &often, 0);
  int file = open("count", O_CREAT | O_WRONLY | O_APPEND, 0644);
  for (;;) { write(file, "x", 1); usleep(1000); }
}`;

async function withRun(
  command: readonly string[],
  test: (
    client: (...args: string[]) => ReturnType<typeof start>["result"],
    directory: string,
  ) => Promise<void>,
): Promise<void> {
  await using service = await startService();
  const options = { env: { ISOLATE_SERVICE: service.socket } };
  const client = (...args: string[]) => start([CLIENT, ...args], options).result;
  try {
    const directory = `${(await client(BOX, "--cg", "--init")).stdout.trim()}/box`;
    await Deno.copyFile(await compileC(EVADING), `${directory}/evading`);
    await Deno.chmod(`${directory}/evading`, 0o755);
    const limits = ["--cg", "-p20", "-w60", "--cg-mem=100000"];
    await using _run = start([CLIENT, BOX, ...limits, "--run", "--", ...command], options);
    await eventually("it runs", async () => {
      return JSON.parse((await client("status", "571", "--json")).stdout).processes.length === 1;
    });
    await test(client, directory);
  } finally {
    await client(BOX, "--cg", "--cleanup");
  }
}

const state = (text: string): string => JSON.parse(text).state;

cgTest(
  "what a control group of version 2 has stopped cannot go on by itself, but be killed",
  () =>
    withRun(["./evading"], async (client, directory) => {
      const count = async () => (await Deno.stat(`${directory}/count`)).size;
      await eventually("it counts", async () => await count() > 10);
      for (let round = 0; round < 2; round++) {
        assertEquals((await client("stop", "571")).code, 0);
        const [before] = [await count()];
        await new Promise((resolve) => setTimeout(resolve, 200));
        if (place().version === 2) {
          assertEquals(await count(), before);
          assertEquals(state((await client("status", "571", "--json")).stdout), "stopped");
        }
        assertEquals((await client("continue", "571")).code, 0);
        await eventually("it goes on", async () => await count() > before);
      }
      assertEquals((await client("stop", "571")).code, 0);
      assertEquals((await client("kill", "571")).code, 0);
      await eventually("it is over", async () => {
        return state((await client("status", "571", "--json")).stdout) !== "running";
      });
      // The next run is not stopped.
      const { stderr } = await client(BOX, "--cg", "-w5", "--run", "--", "/bin/true");
      assertStringIncludes(stderr, "OK");
    }),
);

cgTest(
  "what enters a box with a control group is in that, with all that it starts",
  () =>
    withRun(["/bin/sleep", "30"], async (client) => {
      const members = async (group: string) =>
        (await Deno.readTextFile(`${group}/cgroup.procs`)).split("\n").filter((line) => line !== "")
          .length;
      // Those in which the program is; with v1 not each controller is needed for each run.
      const groups: string[] = [];
      for (const group of groupsOf(571)) if (await members(group) > 0) groups.push(group);
      assert(groups.length > 0);
      const visit = client("enter", "571", "--", "/bin/sh", "-c", "sleep 5 & wait; exit 3");
      for (const group of groups) {
        await eventually(`three are in ${group}`, async () => await members(group) === 3);
      }
      assertEquals((await visit).code, 3);
      for (const group of groups) assertEquals(await members(group), 1);
      const hog = "x=x; while :; do x=$x$x; done";
      const { code } = await client("enter", "571", "--", "/bin/sh", "-c", hog);
      assertEquals(code, 137);
    }),
);
