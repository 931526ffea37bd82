import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { needsControlGroup } from "../tests/support/control_group.ts";
import { testWith } from "../tests/support/skip.ts";
import { findControlGroupRoot } from "./root.ts";
import { ControlGroupError } from "./types.ts";

testWith(
  [needsControlGroup.any()],
  "findControlGroupRoot() finds one place, with its reason",
  async () => {
    const system = await System.load();
    const log = () => {};
    const made = findControlGroupRoot(system, { create: true, log });
    const found = findControlGroupRoot(system, { create: false, log });
    assertEquals(found.directory, made.directory);
    assertMatch(found.reason, new RegExp(`cgroup v${found.version}`));
    const configured = findControlGroupRoot(system, {
      directory: made.directory,
      create: true,
      log,
    });
    assertEquals([configured.directory, configured.version], [made.directory, made.version]);
    assertMatch(configured.reason, /configured as cg_root/);
    assertEquals(found.group("box-5").directory, `${found.directory}/box-5`);
  },
);

Deno.test("findControlGroupRoot() refuses a directory that is not a control group", async () => {
  const system = await System.load();
  await withFolder((directory) => {
    const find = () => findControlGroupRoot(system, { directory, create: true, log: () => {} });
    assertThrows(find, ControlGroupError, "lies in no cgroup file system");
  });
});
