/** A program and a user of the host that work together: the box's user stays in the box. */

import { assert, assertEquals } from "@std/assert";
import { assertDenied, attack, installAttack } from "../support/attack.ts";
import { sh, start, withBox, withScratch } from "../support/isolate.ts";

const SOMEBODY = ["setpriv", "--reuid=7244", "--regid=7244", "--clear-groups"];

Deno.test("a program can give no file the setuid or setgid bit", async () => {
  await withBox(243, async (box) => {
    assertDenied(await attack(box, ["setid", "modes"]), 13);
    // 32-bit calls are not the way either.
    assertDenied(await attack(box, ["setid", "modes"], ["--syscalls=1"]), 13);
  });
});

Deno.test("a directory keeps the setgid bit that it has, but a program sets none", async () => {
  await withBox(243, async (box) => {
    await sh(`mkdir -m 2755 ${box.path("shared")}`);
    const script = `mkdir plain shared/below; stat -c %A shared shared/below plain
      chmod g+s plain 2>&1; chmod 755 plain && echo changed`;
    assertEquals(
      (await box.run(["-p"], ["/bin/sh", "-c", script])).stdout,
      "drwxr-sr-x\ndrwxr-sr-x\ndrwxr-xr-x\n" +
        "chmod: changing permissions of 'plain': Operation not permitted\nchanged\n",
    );
  });
});

Deno.test("a program can leave no setuid file in a directory that others can write", async () => {
  await withScratch(async (scratch) => {
    await sh(`mkdir ${scratch}/shared; chmod 0777 ${scratch}/shared`);
    await withBox(243, async (box) => {
      const inside = await installAttack(box, "setid");
      const options = [`--dir=shared=${scratch}/shared:rw`, "--chdir=/shared"];
      assertDenied(await box.run(options, [`/box/${inside}`, "modes"]), 13);
    });
  });
});

Deno.test("a caller who is not root gives up neither wall against setuid files with the filter", async () => {
  const options = ["--as-uid=7243", "--as-gid=7243"];
  await withBox(243, async (box) => {
    assertDenied(await attack(box, ["setid", "modes"], ["--syscalls=0"]), 13);
    assertDenied(await attack(box, ["setid", "ring"], ["--syscalls=0"]), 1);
    assertDenied(await attack(box, ["setid", "ring"], ["--syscalls=23"]), 1);
  }, { options });
});

Deno.test("a program cannot lower the limit that keeps the host's core handler asleep", async () => {
  await withBox(243, async (box) => {
    assertDenied(await attack(box, ["setid", "core"]), 1);
  });
});

Deno.test("with --core a program may lower its limit on core files", async () => {
  await withBox(243, async (box) => {
    assertEquals(await box.sh("ulimit -c 0; ulimit -c", ["--core=100"]), "0\n");
  });
});

Deno.test("nobody reaches the files of a box while a program runs, though it opens them to all", async () => {
  await withBox(244, async (box) => {
    const inside = await installAttack(box, "setid");
    const look = () => start([...SOMEBODY, "cat", box.path("secret")]).result;
    await using running = box.start([`--stdout=out`], [inside, "inviting"]);
    for (let tries = 0;; tries++) {
      const said = await Deno.readTextFile(box.path("out")).catch(() => "");
      if (said === "open\n") break;
      assert(tries < 1000, "the program does not start");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals((await Deno.stat(box.path())).mode! & 0o777, 0o777, "the program opened it");
    const { code, stderr } = await look();
    assertEquals([code, /Permission denied/.test(stderr)], [1, true], stderr);
    running.kill("SIGTERM");
    await box.resultOf(running);
    // As it was: the way to box/ is open, and box/ is its caller's.
    assertEquals((await Deno.stat(box.directory)).mode! & 0o777, 0o755);
    assertEquals((await Deno.stat(box.path())).mode! & 0o777, 0o700);
  });
});

Deno.test("the way to box/ is open again after a run whose rules are wrong", async () => {
  await withBox(244, async (box) => {
    const { code } = await box.run(["--dir=x=/does/not/exist"], ["/bin/true"]);
    assertEquals(code, 2);
    assertEquals((await Deno.stat(box.directory)).mode! & 0o777, 0o755);
  });
});
