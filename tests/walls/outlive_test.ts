/** Programs that want to live longer than their run. */

import { assertEquals } from "@std/assert";
import { assertNobodyLeft, attack } from "../support/attack.ts";
import { withBox } from "../support/isolate.ts";

/** Each of these ends its first process; what it leaves must be dead when the command returns. */
const LEAVING: Record<string, string> = {
  "double-fork": "a daemon that has forked twice, has a session of its own and ignores all signals",
  "stopped": "stopped processes",
  "sibling": "processes that are children of init and not of the program",
  "reaper": "processes that adopt orphans",
};

for (const [name, what] of Object.entries(LEAVING)) {
  Deno.test(`a program leaves no ${what}`, async () => {
    await withBox(215, async (box) => {
      const { code, meta } = await attack(box, ["outlive", name], ["-p", "--wall-time=10"]);
      await assertNobodyLeft(215);
      assertEquals([code, meta.exitcode, meta.status], [0, "0", undefined]);
    });
  });
}

/** These do not end, or hide that they did. */
const STAYING: Record<string, string> = {
  "never-ends": "ignores all signals",
  "traced": "hides its end behind a tracer of its own",
  "leader-ends": "ends its first thread only",
  "hydra": "is always another process",
};

for (const [name, what] of Object.entries(STAYING)) {
  Deno.test(`a program that ${what} is dead after its wall time`, async () => {
    await withBox(216, async (box) => {
      const options = ["-p", "--wall-time=0.5", "--time=0.3"];
      const { code, meta } = await attack(box, ["outlive", name], options);
      await assertNobodyLeft(216);
      // The hydra's first head ends at once, and with it the run.
      if (name !== "hydra") assertEquals([code, meta.status], [1, "TO"]);
    });
  });
}

Deno.test("a signal to the keeper ends a program that ignores all signals", async () => {
  await withBox(217, async (box) => {
    const running = box.start(["-p", "--stdout=out"], [
      "/bin/sh",
      "-c",
      "trap '' 1 2 3 15; echo up; sleep 60",
    ]);
    while ((await Deno.stat(box.path("out")).catch(() => ({ size: 0 }))).size === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running.kill("SIGTERM");
    const { code, meta } = await box.resultOf(running);
    await assertNobodyLeft(217);
    assertEquals([code, meta.status, meta.message], [1, "SG", "Interrupted"]);
  });
});
