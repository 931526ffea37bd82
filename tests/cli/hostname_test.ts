/** `--hostname`: what the host is called inside. */

import { assertEquals } from "@std/assert";
import { assertRefused, sh, withBox } from "../support/isolate.ts";

Deno.test("a program sees the name that it is given, and nobody else does", async () => {
  await withBox(564, async (box) => {
    const outside = (await sh("uname -n")).trim();
    assertEquals(await box.sh("uname -n"), `${outside}\n`);
    // Twice, for a service keeps a box ready with the name of the first run.
    for (const name of ["judge.example-1", "judge.example-1", "other"]) {
      assertEquals(await box.sh("uname -n", [`--hostname=${name}`]), `${name}\n`);
    }
    assertEquals(await box.sh("uname -n"), `${outside}\n`);
    assertEquals((await sh("uname -n")).trim(), outside);
    for (const name of ["", "a b", "-x", "ä", "x".repeat(65)]) {
      assertRefused(await box.run([`--hostname=${name}`], ["/bin/true"]), "Invalid host name");
    }
  });
});

Deno.test("a program cannot change the name of the host", async () => {
  await withBox(564, async (box) => {
    const script = "hostname evil 2>/dev/null || echo evil >/proc/sys/kernel/hostname; uname -n";
    const { stdout } = await box.run(["-p", "--hostname=mine"], ["/bin/sh", "-c", script]);
    assertEquals(stdout, "mine\n");
  });
});
