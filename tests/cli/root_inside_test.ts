/** `--root-inside`: root in the box, the box's user outside. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { sh, start, withBox } from "../support/isolate.ts";

const ROOT = "--root-inside";

Deno.test("a program is root inside: its ids, its files, and what it may do with them", async () => {
  await withBox(566, async (box) => {
    const script =
      "id; touch x; chmod 0 x; echo y >x; chown 0:0 x; stat -c %u:%g . x; stat -c %u /usr; cat x";
    assertEquals(
      await box.sh(script, [ROOT, "-p"]),
      "uid=0(root) gid=0(root) groups=0(root)\n0:0\n0:0\n65534\ny\n".replaceAll("(root)", ""),
    );
    // Whoever runs next has no trace of that.
    assertEquals(await box.sh("id -u", ["-p"]), "60566\n");
  });
});

Deno.test("a program that is root inside is the box's user outside, while it runs", async () => {
  await withBox(566, async (box) => {
    const command = ["/bin/sh", "-c", "touch made; echo; exec sleep 10"];
    await using running = box.start([ROOT, "-w10", "-p"], command);
    let seen = "";
    for (let i = 0; i < 200 && seen === ""; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen = await sh(`pgrep -u 60566 -x sleep || true`);
    }
    assert(seen !== "", "the program does not run as the user of the box");
    assertEquals(await sh(`stat -c %u:%g ${box.path("made")}`), "60566:60566\n");
    running.kill("SIGTERM");
    await running.result;
  });
});

Deno.test("limits hold for root inside: processes, file size, wall time", async () => {
  await withBox(566, async (box) => {
    const fork = await box.run([ROOT, "-p3"], [
      "/bin/sh",
      "-c",
      "sleep 9 & sleep 9 & sleep 9 & wait",
    ]);
    assertStringIncludes(fork.stderr, "fork");
    const file = await box.run([ROOT, "-f10"], ["/bin/dd", "if=/dev/zero", "of=x", "count=100"]);
    assertEquals(file.meta.exitsig, "25");
    const wall = await box.run([ROOT, "-w0.2"], ["/bin/sleep", "9"]);
    assertEquals(wall.meta.status, "TO");
    assertEquals((await box.run([ROOT], ["/bin/true"])).code, 0);
  });
});

Deno.test("programs that ask for root and make users' files work", async () => {
  await withBox(566, async (box) => {
    // tar as root restores owners, and so does `install`.
    const script =
      "mkdir a; touch a/b; tar cf a.tar a; rm -r a; tar xpf a.tar; install -o 0 -g 0 -m 700 a/b c; " +
      "ls -n c | cut -d' ' -f1,3,4";
    assertEquals(await box.sh(script, [ROOT, "-p"]), "-rwx------ 0 0\n");
  });
});

Deno.test("nothing is left of a user namespace after the run", async () => {
  await withBox(566, async (box) => {
    await box.run([ROOT], ["/bin/true"]);
    assertEquals((await start(["pgrep", "-u", "60566"]).result).stdout, "");
  });
});
