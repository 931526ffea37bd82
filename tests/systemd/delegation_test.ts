/**
 * What a real systemd gives to a service that asks for a control group of its own. Run by
 * `./dev vm-test` in a guest that boots systemd; elsewhere only where systemd is the init.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { sh } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const REQUIREMENTS = [needs.root(), needs.path("/run/systemd/system", "systemd as the init")];

const UNIT = "isolate-test-delegated.service";
const UNIT_FILE = `/run/systemd/system/${UNIT}`;

/** Moves itself into a leaf, as a group with controllers must hold no process of its own. */
const SERVICE = `[Service]
Type=exec
Delegate=cpuset memory pids
ExecStart=/bin/bash -c 'g=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); mkdir $g/daemon && echo $$$$ > $g/daemon/cgroup.procs && echo "+memory +pids" > $g/cgroup.subtree_control && exec sleep 1000'
`;

testWith(REQUIREMENTS, "systemd is up with no failed unit", async () => {
  assertEquals(await sh("systemctl list-units --failed --plain --no-legend"), "");
  assertEquals((await sh("stat -fc %T /sys/fs/cgroup")).trim(), "cgroup2fs");
});

testWith(
  REQUIREMENTS,
  "systemd delegates a control group to a service that asks for one",
  async () => {
    await Deno.writeTextFile(UNIT_FILE, SERVICE);
    try {
      await sh(`systemctl daemon-reload; systemctl start ${UNIT}`);
      const path = (await sh(`systemctl show -P ControlGroup ${UNIT}`)).trim();
      const group = `/sys/fs/cgroup${path}`;
      assertStringIncludes(path, UNIT);
      await sh(
        `for i in {1..100}; do grep -q . ${group}/daemon/cgroup.procs && exit; sleep .1; done`,
      );
      assertStringIncludes(await Deno.readTextFile(`${group}/cgroup.subtree_control`), "memory");
      const pid = await sh(`systemctl show -P MainPID ${UNIT}`);
      assertEquals(await Deno.readTextFile(`${group}/daemon/cgroup.procs`), pid);

      await sh(`systemctl restart ${UNIT}`);
      assert(await sh(`systemctl show -P MainPID ${UNIT}`) !== pid);
      await sh(`systemctl stop ${UNIT}`);
      assert(!await Deno.stat(group).then(() => true, () => false), "the group is still there");
    } finally {
      await sh(`systemctl stop ${UNIT} || true`);
      await Deno.remove(UNIT_FILE);
      await sh("systemctl daemon-reload");
    }
  },
);
