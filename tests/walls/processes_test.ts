/** Programs that look at, signal and take over processes that are not theirs. */

import { assertEquals } from "@std/assert";
import { assertDenied, attack } from "../support/attack.ts";
import { isolate, sh, withBox, withScratch } from "../support/isolate.ts";

Deno.test("a program sees no other process in /proc", async () => {
  await withBox(210, async (box) => {
    assertDenied(await attack(box, ["processes", "see"]), 12);
  });
});

Deno.test("a program can signal neither its init nor anybody on the host", async () => {
  await withBox(210, async (box) => {
    // A process of the same user outside, as another sandbox of the machine could have one.
    const bystander = new Deno.Command("setpriv", {
      args: ["--reuid=60210", "--regid=60210", "--clear-groups", "sleep", "120"],
    }).spawn();
    try {
      const result = await attack(box, ["processes", "signal"], ["--wall-time=60"]);
      assertDenied(result, 8);
      assertEquals(result.meta.status, undefined);
      bystander.kill("SIGCONT"); // throws if it is dead
    } finally {
      bystander.kill("SIGKILL");
      await bystander.status;
    }
  });
});

Deno.test("a program cannot trace, read, change or enter its init", async () => {
  await withBox(210, async (box) => {
    assertDenied(await attack(box, ["processes", "take-over"]), 15);
  });
});

Deno.test("a program cannot attack its init when that belongs to a caller who is not root, either", async () => {
  const caller = ["--as-uid=7211", "--as-gid=7211"];
  await withScratch(async (scratch) => {
    await Deno.chown(scratch, 7211, 7211);
    await withBox(211, async (box) => {
      assertDenied(await attack(box, ["processes", "take-over"], [`--meta=${scratch}/meta`]), 15);
    }, { options: caller });
  });
});

Deno.test("programs of two boxes do not see or reach each other", async () => {
  await withBox(212, async (one) => {
    await withBox(213, async (other) => {
      const victim = one.start(["--wall-time=80"], ["/bin/sleep", "60"]);
      try {
        assertDenied(await attack(other, ["processes", "see"]), 12);
        assertDenied(await attack(other, ["processes", "signal"], ["--wall-time=60"]), 8);
        assertEquals((await sh("pgrep -u 60212 -c sleep")).trim(), "1");
      } finally {
        victim.kill("SIGTERM");
        await victim.result;
      }
    });
  });
  assertEquals((await isolate(["--box-id=212", "--cleanup"])).code, 0);
});
