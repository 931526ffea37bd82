/** The keeper is killed at any moment: the box dies with it, and can be used again. */

import { assertEquals } from "@std/assert";
import { FIRST_UID, installAttack } from "../support/attack.ts";
import {
  eventually,
  isolate,
  processesOf,
  sh,
  start,
  startIsolate,
  succeed,
  withBox,
} from "../support/isolate.ts";

const BOX = 290;
const ROUNDS = 30;

/** Kills survivors, so that the next test does not meet them. */
async function killAll(uid: number): Promise<void> {
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  await start(["sh", "-c", "kill -9 -1"], { through: user }).result;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("whenever SIGKILL hits the keeper, the box dies with it and works again", async () => {
  try {
    await withBox(BOX, async (box) => {
      const program = await installAttack(box, "outlive");
      // From before the keeper has loaded anything until the program has left its children behind.
      const started = performance.now();
      await isolate(["-b290", "--run", "--", "/bin/true"]);
      const usualMs = performance.now() - started;
      for (let round = 0; round < ROUNDS; round++) {
        const args = ["-b290", "-p", "--wall-time=60", "--run", "--", program, "never-ends"];
        const keeper = startIsolate(args);
        await pause(usualMs * (0.3 + (round + Math.random()) / ROUNDS));
        keeper.kill("SIGKILL");
        await keeper.result;
        const nobody = async () => (await processesOf(FIRST_UID + BOX)).length === 0;
        await eventually("everybody in the box is dead", nobody, 2000);
        // Every third time the box is used as it is, otherwise it is made again.
        if (round % 3 === 0) continue;
        await succeed(["-b290", "--init"]);
        await installAttack(box, "outlive");
      }
      await succeed(["-b290", "--init"]);
      await succeed(["-b290", "--run", "--", "/bin/true"]);
    });
  } finally {
    await killAll(FIRST_UID + BOX);
  }
});

Deno.test("a keeper that is killed while it cleans up leaves a box that can be made again", async () => {
  await withBox(291, async (box) => {
    for (let round = 0; round < 3; round++) {
      await sh(
        `cd ${box.path()}; mkdir -p $(seq -s ' ' 150); for i in $(seq 150); do touch $i/a $i/b; done`,
      );
      const keeper = startIsolate(["-b291", "--cleanup"]);
      await pause(25 + 15 * round);
      try {
        keeper.kill("SIGKILL");
      } catch {
        // It was faster.
      }
      await keeper.result;
      await succeed(["-b291", "--init"]);
      assertEquals(await sh(`ls -A ${box.path()}`), "");
      await succeed(["-b291", "--run", "--", "/bin/true"]);
    }
  });
});
