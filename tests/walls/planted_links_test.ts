/** Links and swaps in a box, by which the keeper could give away, read or remove the host's files. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FIRST_UID } from "../support/attack.ts";
import { walkThrough, withHostFiles } from "../support/host_files.ts";
import { isolate, succeed, withBox } from "../support/isolate.ts";

Deno.test("the keeper follows no symbolic link that a program has planted", async () => {
  await withHostFiles(async (host) => {
    await withBox(250, async (box) => {
      await box.sh(
        `ln -s ${host}/target dir; ln -s ${host}/target/file file; mkdir -p sub/sub
         ln -s ../../../../../../../..${host}/target sub/up; ln -s ${host}/target/sub sub/sub/x
         ln -s . loop; ln -s /proc/self/root/ root`,
        ["--special-files"],
      );
      assert((await Deno.lstat(box.path("dir"))).isSymlink);
      await walkThrough(box);
    });
  });
});

Deno.test("a box of which a part was replaced by a link is refused", async () => {
  await withHostFiles(async (host) => {
    await withBox(250, async (box) => {
      await Deno.remove(box.path(), { recursive: true });
      await Deno.symlink(`${host}/target`, box.path());
      const run = await isolate(["--box-id=250", "--run", "--", "/bin/true"]);
      assertEquals(run.code, 2);
      assertStringIncludes(run.stderr, "must be a real directory");
      await succeed(["--box-id=250", "--init"]);
    });
  });
});

Deno.test("a program that swaps directories while its siblings die gains nothing", async () => {
  await withHostFiles(async (host) => {
    await withBox(254, async (box) => {
      await box.sh(
        `mkdir -m 777 a; (while :; do mv a b; ln -s ${host}/target a; rm a; mv b a; done) & sleep 0.3`,
      );
      const owner = (await Deno.stat(box.path("a")).catch(() => Deno.stat(box.path("b")))).uid;
      assertEquals(owner, 0);
      assert(owner !== FIRST_UID + 254);
      await walkThrough(box);
    });
  });
});
