/** Files that not even root can change, because root has said so: messages name them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isolate, sh, start, succeed, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 262;

testWith(
  [needs.root(), needs.command("chattr")],
  "runs and cleanups that an immutable file keeps from ending name it",
  async () => {
    await withBox(BOX_ID, async (box) => {
      const files = [box.path("fixed.txt"), box.path("folder/deep\x1b")];
      await sh(`mkdir ${box.path("folder")}`);
      for (const file of files) {
        await Deno.writeTextFile(file, "");
        const { code } = await start(["chattr", "+i", file]).result;
        if (code !== 0) return; // this file system has no such files
        try {
          const shown = file.endsWith("\x1b") ? "deep\\x1b" : "fixed.txt";
          const run = await box.run([], ["/bin/true"]);
          assertEquals(run.code, 2);
          assertStringIncludes(run.stderr, `give ${shown} in the box to user`);
          assertStringIncludes(run.stderr, "immutable");
          assert(run.meta.message!.includes(shown), run.meta.message);
          const cleanup = await isolate([`--box-id=${BOX_ID}`, "--cleanup"]);
          assertEquals(cleanup.code, 2);
          assertStringIncludes(cleanup.stderr, `remove ${shown} in the box`);
        } finally {
          await sh(`chattr -i '${file}'`);
        }
        await succeed([`--box-id=${BOX_ID}`, "--init"]);
        await sh(`mkdir -p ${box.path("folder")}`);
      }
    });
  },
);
