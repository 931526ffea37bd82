/** `isolate judge new`: packages to start from. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NEW_PACKAGE_KINDS } from "isolate/judge/mod.ts";
import { withFolder } from "../support/folder.ts";
import { isolate } from "../support/isolate.ts";

const BOXES = "--box-ids=890-897";

for (const kind of NEW_PACKAGE_KINDS) {
  Deno.test(`isolate judge new --kind=${kind} makes a package that verifies at once`, async () => {
    await withFolder(async (folder) => {
      const made = await isolate(["judge", "new", `${folder}/mine`, `--kind=${kind}`]);
      assertEquals([made.code, made.stderr], [0, ""]);
      const { code, stdout } = await isolate(["judge", BOXES, "--no-cache", `${folder}/mine`]);
      assertEquals(code, 0, stdout);
      assertMatch(stdout, /^ok .*accepted/);
      assertMatch(stdout, /^(\d) of \1 submissions as expected/m);
      assertEquals(stdout.includes("note:"), false, stdout);
    });
  });
}

Deno.test("isolate judge new leaves a folder alone that has something in it", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/mine`, "kept");
    for (const path of [folder, `${folder}/mine`]) {
      const { code, stderr } = await isolate(["judge", "new", path]);
      assertEquals(code, 2);
      assertStringIncludes(stderr, "name a new folder for the package");
    }
    assertEquals(await Deno.readTextFile(`${folder}/mine`), "kept");
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  });
});

Deno.test("isolate judge new says which kinds there are, and that it needs a folder", async () => {
  for (
    const [args, message] of [
      [["new", "/nowhere/x", "--kind=interactiv"], "did you mean interactive?"],
      [["new", "/nowhere/x", "--kind=graph"], "one of pass-fail, checker, interactive, scored"],
      [["new"], "judge new needs one folder"],
      [["/nowhere/x", "--kind=checker"], "Option --kind is for a new package"],
    ] as const
  ) {
    const { code, stderr } = await isolate(["judge", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("isolate judge new needs no rights", async () => {
  await withFolder(async (folder) => {
    await Deno.chown(folder, 1234, 1234);
    const through = [
      ...["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"],
      // The right to read everything: the project may lie where only root can go.
      ...["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
    ];
    const { code, stderr } = await isolate(["judge", "new", `${folder}/mine`], { through });
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await Deno.stat(`${folder}/mine/problem.yaml`)).uid, 1234);
  });
});
